import gzip
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.datasets.cache import cache_root
from bench.datasets.download import Bundle, RemoteFile
from bench.datasets.fetch import DownloadFailed, fetch
from bench.datasets.network import probe
from bench.datasets.search import Search
from bench.datasets.source import DatasetUnavailable
from bench.datasets.transfer import spoken
from tests.datasets.mirrors import Handler, closed_address, serving
from tests.datasets.small import Tiny, fingerprint_of, write_idx

Served = tuple[Path, str, list[str]]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A served folder, its address, and the paths requested."""
    folder = tmp_path / "served"
    folder.mkdir()
    with serving(folder) as (address, asked):
        yield folder, address, asked


@pytest.fixture
def closed() -> str:
    """An address without a server."""
    return closed_address()


def remote(file: Path, *mirrors: str) -> RemoteFile:
    content = file.read_bytes()
    urls = tuple(f"{mirror}/{file.name}" for mirror in mirrors)
    return RemoteFile(file.name, urls, len(content), hashlib.sha256(content).hexdigest())


def nothing(line: str) -> None:
    """Ignore the line."""


def test_a_mirror_that_failed_is_not_asked_for_the_next_file(served: Served, tmp_path: Path) -> None:
    folder, address, asked = served
    for name in ("a", "b"):
        (folder / name).write_bytes(name.encode())
    bundle = Bundle(tuple(remote(folder / name, f"{address}/absent", address) for name in ("a", "b")))
    fetch(bundle, tmp_path / "got", nothing)
    assert asked == ["/absent/a", "/a", "/b"]


def test_without_a_network_the_answer_comes_within_two_seconds_and_is_remembered(closed: str) -> None:
    unreachable = "http://192.0.2.1:9"  # reserved for documentation (RFC 5737): no answer
    for within in (2.0, 0.1):
        begin = time.monotonic()
        assert f"{closed}" not in probe([f"{closed}/a", f"{unreachable}/a"])
        assert time.monotonic() - begin < within


def test_a_data_set_is_fetched_decoded_and_found_again_offline(served: Served) -> None:
    folder, address, asked = served
    write_idx(folder)
    files = tuple(remote(file, address) for file in sorted(folder.iterdir()))

    class Fetched(Tiny):
        downloads = (Bundle(files),)
        fingerprints = frozenset({fingerprint_of(folder)})

    said: list[str] = []
    cached = Search(Fetched(), None, False, said.append).run()
    assert (cached.info.verified, len(asked)) == (True, 4)
    assert cached.info.source == f"IDX, fetched from {address.removeprefix('http://')}"
    assert said[0] == "Tiny: licence none"  # once, and before anything is fetched
    assert [line for line in said if "licence" in line] == said[:1]
    assert said[1].startswith("fetching t10k-images-idx3-ubyte.gz (7.7 KiB) from 127.0.0.1")
    assert Search(Fetched(), None, True, said.append).run() == cached
    assert len(asked) == 4


def test_what_cannot_be_fetched_says_why_and_what_would_provide_it(closed: str) -> None:
    class Absent(Tiny):
        downloads = (Bundle((RemoteFile("a.gz", (f"{closed}/data/a.gz",), 1, "0"),)),)

    with pytest.raises(DatasetUnavailable) as caught:
        Search(Absent(), None, False, nothing).run()
    host = closed.removeprefix("http://")
    assert caught.value.message == f"data set 'tiny' is not on this machine ({host}: no connection)."
    assert "bench data fetch tiny" in caught.value.advice
    assert f"{closed}/data/ into DIR/tiny" in caught.value.advice


def test_offline_asks_no_mirror(served: Served) -> None:
    _, address, asked = served

    class Absent(Tiny):
        downloads = (Bundle((RemoteFile("a.gz", (f"{address}/a.gz",), 1, "0"),)),)

    with pytest.raises(DatasetUnavailable, match="offline: no mirror was asked"):
        Search(Absent(), None, True, nothing).run()
    assert asked == []


def test_a_mirror_that_failed_is_asked_again_for_a_file_that_nobody_else_has(served: Served, tmp_path: Path) -> None:
    folder, address, asked = served
    for path in ("one/b", "two/a", "other/a", "other/b"):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(path[-1].encode())
    files = tuple(remote(folder / "other" / name, f"{address}/one", f"{address}/two") for name in ("a", "b"))
    fetch(Bundle(files), tmp_path / "got", nothing)
    assert asked == ["/one/a", "/two/a", "/two/b", "/one/b"]


def test_files_that_are_there_and_right_are_kept_when_another_one_failed(served: Served, tmp_path: Path) -> None:
    folder, address, asked = served
    for name in ("a", "b", "c"):
        (folder / name).write_bytes(name.encode())
    bundle = Bundle(tuple(remote(folder / name, address) for name in ("a", "b", "c")))
    (folder / "b").rename(folder / "away")
    with pytest.raises(DownloadFailed):
        fetch(bundle, tmp_path / "got", nothing)
    (folder / "away").rename(folder / "b")
    fetch(bundle, tmp_path / "got", nothing)
    assert asked == ["/a", "/b", "/b", "/c"]
    assert fetch(bundle, tmp_path / "got", nothing) == ""  # no request
    assert len(asked) == 4


def test_a_stored_file_that_was_damaged_is_fetched_anew(served: Served, tmp_path: Path) -> None:
    folder, address, asked = served
    (folder / "a").write_bytes(b"right")
    bundle = Bundle((remote(folder / "a", address),))
    fetch(bundle, tmp_path, nothing)
    (tmp_path / "a").write_bytes(b"wrong")
    fetch(bundle, tmp_path, nothing)
    assert ((tmp_path / "a").read_bytes(), asked) == (b"right", ["/a", "/a"])


def test_what_a_killed_transfer_left_is_cleared_away_by_the_next(served: Served, tmp_path: Path) -> None:
    folder, address, _ = served
    (folder / "a").write_bytes(b"right")
    (tmp_path / "got" / "partial").mkdir(parents=True)
    (tmp_path / "got" / "partial" / "tmp1234").write_bytes(b"ri")
    fetch(Bundle((remote(folder / "a", address),)), tmp_path / "got", nothing)
    assert [file.name for file in (tmp_path / "got").iterdir()] == ["a"]


def test_a_server_is_told_who_asks_and_that_the_file_is_wanted_as_it_lies_there(tmp_path: Path) -> None:
    heard: dict[str, str] = {}

    class Listening(Handler):
        def do_GET(self) -> None:  # noqa: N802  # the name that the library calls
            heard.update(self.headers)
            super().do_GET()

    (tmp_path / "a").write_bytes(b"right")
    with serving(tmp_path, Listening) as (address, _):
        fetch(Bundle((remote(tmp_path / "a", address),)), tmp_path / "got", nothing)
    assert heard["User-Agent"].startswith("bench-mnist/")
    assert heard["Accept-Encoding"] == "identity"


def test_a_gzip_file_that_a_server_calls_encoded_is_kept_as_published(tmp_path: Path) -> None:
    class Encoding(Handler):
        def head(self, status: int, length: int | None, kind: str = "application/octet-stream") -> None:
            self.send_response(status)
            self.send_header("Content-Encoding", "gzip")
            self.end_headers()

    content = gzip.compress(bytes(1000))
    (tmp_path / "a.gz").write_bytes(content)
    with serving(tmp_path, Encoding) as (address, _):
        fetch(Bundle((remote(tmp_path / "a.gz", address),)), tmp_path / "got", nothing)
    assert (tmp_path / "got" / "a.gz").read_bytes() == content


def test_a_doi_is_followed_to_where_its_repository_has_the_file(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, address, asked = served
    (folder / "a.zip").write_bytes(b"right")
    asked_for: list[tuple[str, str]] = []

    class Repository:
        def __init__(self, doi: str, **_: object) -> None:
            self.doi = doi

        def download_url(self, name: str) -> str:
            asked_for.append((self.doi, name))
            return f"{address}/{name}"

    monkeypatch.setattr("pooch.downloaders.doi_to_repository", Repository)
    monkeypatch.setattr("bench.datasets.fetch.probe", lambda urls: frozenset(urls))
    file = remote(folder / "a.zip", "doi:10.5281/zenodo.53169")
    assert fetch(Bundle((file,)), tmp_path / "got", nothing) == "doi:10.5281/zenodo.53169"
    assert (asked_for, asked) == ([("10.5281/zenodo.53169", "a.zip")], ["/a.zip"])


def test_a_file_that_need_not_be_exact_is_taken_and_its_data_are_unverified(served: Served) -> None:
    folder, address, asked = served
    write_idx(folder)
    for exact, verified in ((True, True), (False, False)):
        found = tuple(remote(file, address) for file in sorted(folder.iterdir()))
        files = found if exact else tuple(RemoteFile(file.name, file.urls, 1, "0" * 64, exact=False) for file in found)
        tiny = type("Soft", (Tiny,), {"name": f"soft-{exact}", "downloads": (Bundle(files),)})()
        asked.clear()
        cached = Search(tiny, None, False, nothing).run()
        assert (cached.info.verified, len(asked)) == (verified, 4)
        assert Search(tiny, None, True, nothing).run() == cached  # found again, and not fetched again


def test_a_file_without_a_hash_that_cannot_be_read_sends_to_the_next_bundle(served: Served) -> None:
    folder, address, asked = served
    write_idx(folder / "good")
    (folder / "tiny.npz").write_bytes(b"no archive")
    files = tuple(remote(file, f"{address}/good") for file in sorted((folder / "good").iterdir()))
    broken = RemoteFile("tiny.npz", (f"{address}/tiny.npz",), 0, "")
    tiny = type("Twice", (Tiny,), {"downloads": (Bundle((broken,)), Bundle(files))})()
    assert Search(tiny, None, False, nothing).run().info.verified
    assert asked[0] == "/tiny.npz"
    unreadable = type("Once", (Tiny,), {"name": "once", "downloads": (Bundle((broken,)),)})()
    for _ in range(2):  # it is not taken for finished the second time
        with pytest.raises(DatasetUnavailable, match=r"127.0.0.1:\d+: tiny.npz "):
            Search(unreadable, None, False, nothing).run()
    assert asked[-2:] == ["/tiny.npz", "/tiny.npz"]


def test_nothing_is_fetched_that_could_not_be_read(served: Served, tmp_path: Path) -> None:
    folder, address, asked = served
    (folder / "a").write_bytes(b"a")
    with pytest.raises(DownloadFailed, match="no_such_module is needed to read its file"):
        fetch(Bundle((remote(folder / "a", address),), needs="no_such_module"), tmp_path / "got", nothing)
    assert asked == []


def test_what_is_fetched_is_decoded_and_then_deleted(served: Served) -> None:
    folder, address, _ = served
    write_idx(folder)
    files = tuple(remote(file, address) for file in sorted(folder.iterdir()))
    Search(type("Fetched", (Tiny,), {"downloads": (Bundle(files),)})(), None, False, nothing).run()
    assert list((cache_root() / "downloads").iterdir()) == []


def test_how_far_a_file_is_can_be_watched(served: Served, tmp_path: Path) -> None:
    folder, address, _ = served
    (folder / "a").write_bytes(bytes(1_500_000))
    seen: list[object] = []

    @contextmanager
    def watch(name: str, size: int) -> Iterator[object]:
        seen.append((name, size))
        yield seen.append
        seen.append("end")

    fetch(Bundle((remote(folder / "a", f"{address}/slow"),)), tmp_path / "got", nothing, watch)  # type: ignore[arg-type]
    assert (seen[0], seen[-2:]) == (("a", 1_500_000), [1_500_000, "end"])
    amounts = [amount for amount in seen if isinstance(amount, int)]
    assert amounts == sorted(amounts)
    assert len(set(amounts)) > 3


def test_without_a_bar_a_long_transfer_says_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("bench.datasets.transfer.LINE_S", 0.0)
    with spoken(said.append)("a.zip", 3 << 20) as show:
        time.sleep(0.01)
        show(1 << 20)
    assert said[0].startswith("    a.zip: 1.0 of 3.0 MiB, ")


def test_generated_data_come_after_the_mirrors(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, address, _ = served
    write_idx(folder)
    files = tuple(remote(file, address) for file in sorted(folder.iterdir()))
    calls: list[str] = []
    monkeypatch.setattr(Search, "_made", lambda self: calls.append("made"))
    both = {"downloads": (Bundle(files),), "made_from": "digits"}
    assert Search(type("Both", (Tiny,), both)(), None, False, nothing).run().info.verified
    assert calls == []
    with pytest.raises(DatasetUnavailable):
        Search(type("Other", (Tiny,), {**both, "name": "other"})(), None, True, nothing).run()
    assert calls == ["made"]
