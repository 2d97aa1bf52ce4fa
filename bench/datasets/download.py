"""Fetching the files of a data set: every file checked, the next mirror on any failure, one probe of the network.

The network is probed once in a process, all hosts at once, so that a machine without one learns it within seconds
rather than after a timeout for each mirror.
"""

from __future__ import annotations

import hashlib
import logging
import socket
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.datasets.source import Say

PROBE_S = 0.8
"""Seconds an address has to accept a connection; a host with two addresses has time for both."""
TIMEOUT_S = 15.0
"""Seconds without a byte before a mirror is given up."""


@dataclass(frozen=True)
class RemoteFile:
    """A file, its mirrors in the order they are tried, its size in bytes and its SHA-256 (hexadecimal).

    Where only an MD5 is published, ``sha256`` is empty.
    """

    name: str
    urls: tuple[str, ...]
    size: int
    sha256: str
    md5: str = ""

    @property
    def known_hash(self) -> str:
        """Algorithm and value, as pooch takes them: ``sha256:…``."""
        return f"sha256:{self.sha256}" if self.sha256 else f"md5:{self.md5}"

    def is_held_in(self, file: Path) -> bool:
        """Whether a file has this name, size and hash."""
        algorithm, _, expected = self.known_hash.partition(":")
        try:
            if file.name != self.name or file.stat().st_size != self.size:
                return False
            with file.open("rb") as stored:
                return hashlib.file_digest(stored, algorithm).hexdigest() == expected
        except OSError:
            return False


@dataclass(frozen=True)
class Bundle:
    """Files that together hold a data set."""

    files: tuple[RemoteFile, ...]

    @property
    def urls(self) -> tuple[str, ...]:
        """Every address of every file."""
        return tuple(url for file in self.files for url in file.urls)

    @property
    def size(self) -> int:
        """Bytes to fetch."""
        return sum(file.size for file in self.files)

    @property
    def key(self) -> str:
        """Names the content: a hash over the hashes."""
        return hashlib.sha256("\n".join(file.known_hash for file in self.files).encode()).hexdigest()[:32]

    def is_held_in(self, files: tuple[Path, ...]) -> bool:
        """Whether ``files`` are these and no others, by name, size and hash."""
        here = {file.name: file for file in files}
        return here.keys() == {file.name for file in self.files} and all(
            file.is_held_in(here[file.name]) for file in self.files
        )


class DownloadFailed(Exception):
    """No mirror had a file; ``failures`` says of each mirror why, once."""

    def __init__(self, failures: Iterable[str]) -> None:
        self.failures = tuple(dict.fromkeys(failures))
        super().__init__("; ".join(self.failures))


def fetch(bundle: Bundle, folder: Path, say: Say) -> str:
    """Put the files of ``bundle`` into ``folder``; files that are there and right are kept.

    Returns the host names they came from. A mirror that failed is not asked for the next file. Raises DownloadFailed.
    """
    reachable = probe(bundle.urls)
    failures: dict[str, str] = {}
    hosts: list[str] = []
    for file in bundle.files:
        hosts.append(_fetch_file(file, folder, reachable, failures, say))
    return ", ".join(dict.fromkeys(hosts))


def _fetch_file(file: RemoteFile, folder: Path, reachable: frozenset[str], failures: dict[str, str], say: Say) -> str:
    for url in file.urls:
        mirror, host = url.rpartition("/")[0], urlsplit(url).netloc
        if mirror in failures:
            continue
        if _origin(url) not in reachable:
            failures[mirror] = f"{host}: no connection"
            continue
        say(f"fetching {file.name} ({file.size / 2**20:,.1f} MiB) from {host}")
        reason = _retrieve(url, file, folder)
        if reason is None:
            return host
        failures[mirror] = f"{host}: {reason}"
    raise DownloadFailed(failures.values())


def _retrieve(url: str, file: RemoteFile, folder: Path) -> str | None:
    """Fetch from one mirror and check; why it did not work, or None."""
    import pooch
    import requests

    pooch.get_logger().setLevel(logging.ERROR)
    downloader = pooch.HTTPDownloader(progressbar=False, timeout=TIMEOUT_S)
    try:
        pooch.retrieve(url, file.known_hash, fname=file.name, path=folder, downloader=downloader)
    except requests.HTTPError as error:
        return f"HTTP status {error.response.status_code}" if error.response is not None else "HTTP error"
    except requests.Timeout:
        return f"no answer within {TIMEOUT_S:g} s"
    except requests.RequestException as error:
        return f"the transfer broke off ({type(error).__name__})"
    except OSError as error:
        return f"the file could not be written ({error.strerror or type(error).__name__})"
    except ValueError:  # pooch's word for a hash that differs
        return f"the file differs from the published one ({'SHA-256' if file.sha256 else 'MD5'})"
    return None


_probed: dict[str, bool] = {}
_probing = threading.Lock()


def probe(urls: Iterable[str]) -> frozenset[str]:
    """The origins (``https://host``) among ``urls`` that accept a connection, asked once in this process.

    All are asked at once. A proxy named by the environment is asked in place of the hosts behind it. Takes at most
    about twice ``PROBE_S``, also where name resolution hangs.
    """
    wanted = {_origin(url) for url in urls}
    with _probing:
        asked = [
            threading.Thread(target=_connect, args=(origin,), daemon=True)  # one that hangs must not hold up the exit
            for origin in wanted - _probed.keys()
        ]
        for thread in asked:
            thread.start()
        deadline = time.monotonic() + 2.2 * PROBE_S
        for thread in asked:
            thread.join(max(0.0, deadline - time.monotonic()))
        for origin in wanted:
            _probed.setdefault(origin, False)
        return frozenset(origin for origin in wanted if _probed[origin])


def _connect(origin: str) -> None:
    from urllib.request import getproxies, proxy_bypass

    target = urlsplit(origin)
    proxy = getproxies().get(target.scheme)
    if proxy and not proxy_bypass(target.hostname or ""):
        target = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    port = target.port or (443 if target.scheme == "https" else 80)
    try:
        socket.create_connection((target.hostname or "", port), timeout=PROBE_S).close()
    except OSError:
        _probed.setdefault(origin, False)
    else:
        _probed.setdefault(origin, True)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
