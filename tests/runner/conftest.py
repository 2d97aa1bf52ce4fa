"""Tests of the runner have a home of their own, one cache of data sets for all, no network and no real data."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.alone import isolate

Alone = Callable[[], AbstractContextManager[pytest.MonkeyPatch]]


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Alone:
    """A context without the user's data, cache and home: for fixtures that outlive a test."""
    folder = tmp_path_factory.mktemp("runner")

    @contextmanager
    def enter() -> Iterator[pytest.MonkeyPatch]:
        with pytest.MonkeyPatch.context() as patch:
            isolate(patch, folder)
            patch.setenv("BENCH_OFFLINE", "1")
            yield patch

    return enter


@pytest.fixture(autouse=True)
def _alone(alone: Alone) -> Iterator[None]:
    with alone():
        yield
