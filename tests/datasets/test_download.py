import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bench.datasets.download import Bundle, DownloadFailed, RemoteFile, fetch, probe
from bench.datasets.search import Search
from bench.datasets.source import DatasetUnavailable
from tests.datasets.small import Tiny, fingerprint_of, write_idx


class Quiet(SimpleHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str, list[str]]]:
    """A folder that is served, its address, and the paths that were asked for."""
    folder = tmp_path / "served"
    folder.mkdir()
    asked: list[str] = []
    handler = type("Handler", (Quiet,), {"asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def closed() -> str:
    """An address where nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{held.getsockname()[1]}"


def remote(file: Path, *mirrors: str) -> RemoteFile:
    content = file.read_bytes()
    urls = tuple(f"{mirror}/{file.name}" for mirror in mirrors)
    return RemoteFile(file.name, urls, len(content), hashlib.sha256(content).hexdigest())


def nothing(line: str) -> None:
    """Nobody reads it."""


def test_the_next_mirror_is_asked_when_one_is_closed_has_not_the_file_or_has_another(
    served: tuple[Path, str, list[str]], closed: str, tmp_path: Path
) -> None:
    folder, address, asked = served
    for name, content in (("good", b"right"), ("changed", b"wrong")):
        (folder / name).mkdir()
        (folder / name / "a").write_bytes(content)
    file = remote(folder / "good" / "a", closed, f"{address}/absent", f"{address}/changed", f"{address}/good")
    fetch(Bundle((file,)), tmp_path / "got", nothing)
    assert (tmp_path / "got" / "a").read_bytes() == b"right"
    assert asked == ["/absent/a", "/changed/a", "/good/a"]


def test_when_all_mirrors_fail_each_failure_is_named(
    served: tuple[Path, str, list[str]], closed: str, tmp_path: Path
) -> None:
    folder, address, _ = served
    (folder / "changed").mkdir()
    (folder / "changed" / "a").write_bytes(b"wrong")
    (folder / "a").write_bytes(b"right")
    file = remote(folder / "a", closed, f"{address}/absent", f"{address}/changed")
    with pytest.raises(DownloadFailed) as caught:
        fetch(Bundle((file,)), tmp_path / "got", nothing)
    reasons = [failure.partition(": ")[2] for failure in caught.value.failures]
    assert reasons == ["no connection", "HTTP status 404", "the file differs from the published one (SHA-256)"]
    assert list((tmp_path / "got").iterdir()) == []


def test_a_mirror_that_failed_is_not_asked_for_the_next_file(
    served: tuple[Path, str, list[str]], tmp_path: Path
) -> None:
    folder, address, asked = served
    for name in ("a", "b"):
        (folder / name).write_bytes(name.encode())
    bundle = Bundle(tuple(remote(folder / name, f"{address}/absent", address) for name in ("a", "b")))
    fetch(bundle, tmp_path / "got", nothing)
    assert asked == ["/absent/a", "/a", "/b"]


def test_without_a_network_the_answer_comes_within_two_seconds_and_is_remembered(closed: str) -> None:
    unreachable = "http://192.0.2.1:9"  # reserved for documentation (RFC 5737): nobody answers
    for within in (2.0, 0.1):
        begin = time.monotonic()
        assert f"{closed}" not in probe([f"{closed}/a", f"{unreachable}/a"])
        assert time.monotonic() - begin < within


def test_a_data_set_is_fetched_decoded_and_found_again_offline(served: tuple[Path, str, list[str]]) -> None:
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
    assert said[0].startswith("fetching t10k-images-idx3-ubyte.gz (0.0 MiB) from 127.0.0.1")
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


def test_offline_asks_no_mirror(served: tuple[Path, str, list[str]]) -> None:
    _, address, asked = served

    class Absent(Tiny):
        downloads = (Bundle((RemoteFile("a.gz", (f"{address}/a.gz",), 1, "0"),)),)

    with pytest.raises(DatasetUnavailable, match="offline: no mirror was asked"):
        Search(Absent(), None, True, nothing).run()
    assert asked == []
