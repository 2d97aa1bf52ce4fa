"""Every way in which a mirror fails, in every order: the right file at the end, or one message that names each."""

import hashlib
import itertools
import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.datasets import http, transfer
from bench.datasets.download import Bundle, RemoteFile
from bench.datasets.fetch import DownloadFailed, fetch
from tests.datasets.mirrors import CONTENT, closed_address, serving
from tests.datasets.test_download import nothing

SIZE = f"{len(CONTENT):,}"
QUICK = {
    "closed": "no connection",
    "absent": "HTTP status 404",
    "forbidden": "HTTP status 403",
    "unavailable": "HTTP status 503",
    "wrong": "the file differs from the published one (SHA-256)",
    "page": "it sends a web page instead of the file",
    "short": f"it offers {len(CONTENT) - 1:,} bytes, {SIZE} expected",
    "cut": f"it broke off after {len(CONTENT) // 2:,} of {SIZE} bytes",
    "ended": f"it broke off after {len(CONTENT) // 4:,} of {SIZE} bytes",
    "endless": f"it sends more than the {SIZE} bytes expected",
    "loop": "it redirects more than 8 times",
}
WAITING: dict[str, str | tuple[str, ...]] = {
    "silence": ("no answer within 1 s", "too slow: "),  # whichever limit is met first
    "stall": ("no answer within 1 s", "too slow: "),
    "trickle": "too slow: ",
}
"""These last until a time limit, so they come less often."""
FAILURES: dict[str, str | tuple[str, ...]] = {**QUICK, **WAITING}

Mirrors = dict[str, str]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirrors]:
    """Addresses of mirrors by the way they fail, each on its own host, and a ``good`` one."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "data.bin").write_bytes(CONTENT)
    with ExitStack() as running:
        ways = [way for way in ("good", *FAILURES) if way != "closed"]
        yield {way: f"{running.enter_context(serving(folder))[0]}/{way}" for way in ways}


@pytest.fixture
def mirrors(servers: Mirrors) -> Mirrors:
    """The same, and an address without a server."""
    return {**servers, "closed": closed_address()}


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short time limits for slow mirrors."""
    monkeypatch.setattr(http, "TIMEOUT_S", 1.0)
    monkeypatch.setattr(transfer, "WINDOW_S", 2.0)


def shuffled(seed: int) -> list[str]:
    return random.Random(seed).sample(sorted(FAILURES), len(FAILURES))


def bundle(mirrors: Mirrors, *ways: str) -> Bundle:
    urls = tuple(f"{mirrors[way]}/data.bin" for way in ways)
    return Bundle((RemoteFile("data.bin", urls, len(CONTENT), hashlib.sha256(CONTENT).hexdigest()),))


def host(mirrors: Mirrors, way: str) -> str:
    return mirrors[way].split("/")[2]


def check_the_good_one_is_taken(mirrors: Mirrors, folder: Path, *failing: str) -> None:
    assert fetch(bundle(mirrors, *failing, "good"), folder, nothing) == host(mirrors, "good")
    assert [file.name for file in folder.iterdir()] == ["data.bin"]
    assert (folder / "data.bin").read_bytes() == CONTENT


def check_each_failure_is_named(mirrors: Mirrors, folder: Path, *failing: str) -> None:
    with pytest.raises(DownloadFailed) as caught:
        fetch(bundle(mirrors, *failing), folder, nothing)
    assert len(caught.value.failures) == len(failing)
    for way, failure in zip(failing, caught.value.failures, strict=True):
        mirror, _, reason = failure.partition(": ")
        assert mirror == host(mirrors, way)
        assert reason.startswith(FAILURES[way])
    assert not folder.exists() or list(folder.iterdir()) == []


@pytest.mark.parametrize("way", FAILURES)
def test_after_any_failure_the_next_mirror_is_asked(
    mirrors: Mirrors, tmp_path: Path, way: str, request: pytest.FixtureRequest
) -> None:
    if way in WAITING:
        request.getfixturevalue("hasty")
    check_the_good_one_is_taken(mirrors, tmp_path / "got", way)


@pytest.mark.parametrize("way", FAILURES)
def test_any_failure_of_the_only_mirror_is_said_in_words(
    mirrors: Mirrors, tmp_path: Path, way: str, request: pytest.FixtureRequest
) -> None:
    if way in WAITING:
        request.getfixturevalue("hasty")
    check_each_failure_is_named(mirrors, tmp_path / "got", way)


def test_any_two_failures_one_after_the_other_lead_to_the_good_mirror(mirrors: Mirrors, tmp_path: Path) -> None:
    for first, second in itertools.permutations(QUICK, 2):
        check_the_good_one_is_taken(mirrors, tmp_path / f"{first} {second}", first, second)


def test_any_two_failures_are_both_named(mirrors: Mirrors, tmp_path: Path) -> None:
    for first, second in itertools.combinations(QUICK, 2):
        check_each_failure_is_named(mirrors, tmp_path / f"{first} {second}", first, second)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.usefixtures("hasty")
def test_all_failures_in_any_order_lead_to_the_good_mirror(mirrors: Mirrors, tmp_path: Path, seed: int) -> None:
    check_the_good_one_is_taken(mirrors, tmp_path / "got", *shuffled(seed))


@pytest.mark.usefixtures("hasty")
def test_all_failures_are_named_in_their_order(mirrors: Mirrors, tmp_path: Path) -> None:
    check_each_failure_is_named(mirrors, tmp_path / "got", *shuffled(2))


def test_why_a_mirror_failed_is_said_before_the_next_one_is_asked(mirrors: Mirrors, tmp_path: Path) -> None:
    said: list[str] = []
    fetch(bundle(mirrors, "absent", "closed", "good"), tmp_path / "got", said.append)
    absent, closed, good = (host(mirrors, way) for way in ("absent", "closed", "good"))
    assert said == [
        f"fetching data.bin (100.0 KiB) from {absent}",
        f"{absent}: HTTP status 404",
        f"{closed}: no connection",
        f"fetching data.bin (100.0 KiB) from {good}",
    ]


def test_without_a_network_nothing_is_said_of_each_mirror(mirrors: Mirrors, tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(DownloadFailed):
        fetch(bundle(mirrors, "closed"), tmp_path / "got", said.append)
    assert said == []


def test_a_folder_that_cannot_be_written_is_said_in_words(mirrors: Mirrors, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DownloadFailed, match="the file could not be written"):
        fetch(bundle(mirrors, "good"), tmp_path / "file", nothing)


def test_a_file_of_unknown_size_that_never_ends_is_given_up(
    mirrors: Mirrors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "LARGEST", 1 << 20)
    endless = Bundle((RemoteFile("data.bin", (f"{mirrors['endless']}/data.bin",), 0, "", md5="0" * 32),))
    with pytest.raises(DownloadFailed, match="it sends more than 1,048,576 bytes"):
        fetch(endless, tmp_path / "got", nothing)
