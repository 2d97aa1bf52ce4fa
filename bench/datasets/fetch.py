"""Fetching the files of a data set: every file checked, the next mirror on any failure, one probe of the network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from bench.datasets import kaggle
from bench.datasets.download import DOI, KAGGLE, Bundle, RemoteFile, host_of, mirror_of
from bench.datasets.network import origin_of, probe
from bench.datasets.source import Say
from bench.datasets.transfer import TransferFailed, Watch, spoken, transfer


class DownloadFailed(Exception):
    """No mirror had a file; ``failures`` holds each mirror's reason, once."""

    def __init__(self, failures: Iterable[str]) -> None:
        self.failures = tuple(dict.fromkeys(failures))
        super().__init__("; ".join(self.failures))


def fetch(bundle: Bundle, folder: Path, say: Say, watch: Watch | None = None) -> str:
    """Put the files of ``bundle`` into ``folder``; files already there and right are kept without a request.

    Returns the hosts they came from, empty if all were there. ``watch`` shows a file's progress; without it ``say``
    gets a line now and then. Raises DownloadFailed.
    """
    if bundle.needs and find_spec(bundle.needs) is None:
        hosts = dict.fromkeys(host_of(url) for url in bundle.urls)
        raise DownloadFailed(f"{host}: {bundle.needs} is needed to read its file" for host in hosts)
    missing = [file for file in bundle.files if not file.is_held_in(folder)]
    reachable = probe(_asked(url) for file in missing for url in file.urls)
    fetching = _Fetching(folder, reachable, say, watch or spoken(say))
    return ", ".join(dict.fromkeys(fetching.get(file) for file in missing))


@dataclass
class _Fetching:
    folder: Path
    reachable: frozenset[str]
    say: Say
    watch: Watch
    failures: dict[str, str] = field(default_factory=dict)
    """First failure by mirror."""

    def get(self, file: RemoteFile) -> str:
        """Fetch one file; return its host. Mirrors that failed before come last: they may have this one."""
        for url in sorted(file.urls, key=lambda url: mirror_of(url) in self.failures):
            mirror, host = mirror_of(url), host_of(url)
            if _asked(url) not in self.reachable:
                self._fail(
                    mirror, f"{host}: no connection", aloud=any(_asked(one) in self.reachable for one in file.urls)
                )
                continue
            size = f" ({_in_words(file.size)})" if file.size else ""
            self.say(f"fetching {file.name}{size} from {host}")
            try:
                transfer(url, file, self.folder, self.watch)
            except TransferFailed as failure:
                self._fail(mirror, f"{host}: {failure}", aloud=True)
                continue
            return host
        raise DownloadFailed(self.failures.values())

    def _fail(self, mirror: str, failure: str, *, aloud: bool) -> None:
        """Keep the first failure of a mirror; say it if ``aloud``: it explains what follows."""
        if aloud and mirror not in self.failures:
            self.say(failure)
        self.failures.setdefault(mirror, failure)


def _in_words(size: int) -> str:
    """Bytes in MiB, or in KiB if less than 1 MiB."""
    return f"{size / 2**20:,.1f} MiB" if size >= 2**20 else f"{size / 2**10:,.1f} KiB"


def _asked(url: str) -> str:
    """The origin of the host asked first."""
    scheme = url.partition(":")[0]
    return kaggle.ORIGIN if scheme == KAGGLE else "https://doi.org" if scheme == DOI else origin_of(url)
