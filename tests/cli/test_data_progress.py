"""Progress output of the ``bench data`` commands."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bench.cli import data_progress
from bench.cli.data import app
from bench.datasets import catalog
from bench.datasets.cache import CachedDataset, Shelf
from bench.datasets.catalog import definition_of
from bench.datasets.licences import notice
from bench.datasets.source import DatasetUnavailable


@contextmanager
def _bar(name: str, size: int) -> Iterator[Callable[[int], None]]:
    yield lambda received: None


@pytest.mark.parametrize(
    ("command", "where"), [("fetch", "out"), ("check", "err"), ("show", "err"), ("inspect", "err")]
)
def test_every_command_that_may_download_tells_of_it_and_shows_the_same_bar(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str, where: str
) -> None:
    asked: list[tuple[str, bool, object]] = []

    def resolved(name: str, *, offline: bool, say: Callable[[str], None], watch: object, **_: Any) -> CachedDataset:
        say("fetching 500 MB")
        asked.append((name, offline, watch))
        raise DatasetUnavailable("no network")

    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(catalog, "resolve", resolved)
    monkeypatch.setattr(data_progress, "bar_on_terminal", lambda: _bar)
    ended = CliRunner().invoke(app, [command, "mnist", "--offline"])
    assert asked == [("mnist", True, _bar)]
    assert ("fetching 500 MB\n" in ended.stdout, "fetching 500 MB\n" in ended.stderr) == (
        where == "out",
        where == "err",
    )


def test_fetch_shows_the_licence_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def resolved(name: str, *, say: Callable[[str], None], **_: Any) -> CachedDataset:
        for line in (*notice(definition_of(name)), "fetching"):
            say(line)
        raise DatasetUnavailable("no network")

    monkeypatch.setattr(catalog, "resolve", resolved)
    ended = CliRunner().invoke(app, ["fetch", "mnist"])
    assert ended.stdout.count("MNIST: licence CC BY-SA 3.0\n") == 1
    assert ended.stdout.endswith("1998\nfetching\n")


def test_remove_says_what_it_waits_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def remove(shelf: Shelf, waits: Callable[[], None]) -> None:
        waits()

    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(Shelf, "remove", remove)
    (tmp_path / "datasets" / "digits").mkdir(parents=True)
    (tmp_path / "datasets" / "digits" / "index.json").write_text("{}")
    ended = CliRunner().invoke(app, ["remove", "digits", "--yes"])
    assert (ended.exit_code, ended.stderr) == (0, "waiting for another process that uses digits\n")


def test_one_damaged_file_of_the_cache_stops_neither_the_list_nor_a_removal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path))
    for name in ("own/mine", "emnist-letters"):
        broken = tmp_path / "datasets" / name / "0123456789abcdef"
        broken.mkdir(parents=True)
        (broken / "info.json").write_text("{")
    assert CliRunner().invoke(app, ["list"]).exit_code == 0
    assert CliRunner().invoke(app, ["remove", "emnist-digits", "--yes"]).exit_code == 0
