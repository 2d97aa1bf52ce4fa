"""Downloads: files, the mirrors that have them, and the checks that a file is the right one.

An address is ``http://…``, ``https://…``, ``doi:<DOI>/<file>`` (Zenodo, Dataverse, Figshare: the repository is asked
where the file lies), or ``kaggle:<owner>/<name>/<file>``, with ``/versions/<number>`` after the name where it is known.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

KAGGLE, DOI = "kaggle", "doi"
"""Schemes other than HTTP."""


@dataclass(frozen=True)
class RemoteFile:
    """A file, its mirrors in the order they are tried, its size in bytes and its SHA-256 (hexadecimal).

    If only an MD5 is published, ``sha256`` is empty; if nothing is, both are, and ``size`` may be 0.
    """

    name: str
    urls: tuple[str, ...]
    size: int
    sha256: str
    md5: str = ""
    exact: bool = True
    """True if a file of another size or hash is refused. False if both are only those of a copy seen once: such a file
    is taken, and its data are unverified."""

    @property
    def known_hash(self) -> str:
        """Algorithm and value, as pooch takes them: ``sha256:…``; empty if none is known."""
        if self.sha256:
            return f"sha256:{self.sha256}"
        return f"md5:{self.md5}" if self.md5 else ""

    @property
    def is_checked(self) -> bool:
        """True if only the published file is taken."""
        return self.exact and bool(self.known_hash)

    def is_published(self, file: Path) -> bool:
        """True if a file has this name, size and hash; False without a known hash."""
        algorithm, _, expected = self.known_hash.partition(":")
        try:
            if not expected or file.name != self.name or (self.size and file.stat().st_size != self.size):
                return False
            with file.open("rb") as stored:
                return hashlib.file_digest(stored, algorithm).hexdigest() == expected
        except OSError:
            return False

    def is_held_in(self, folder: Path) -> bool:
        """True if ``folder`` holds the whole file: one that cannot be checked gets its name only once complete."""
        file = folder / self.name
        return self.is_published(file) if self.is_checked else file.is_file()


@dataclass(frozen=True)
class Bundle:
    """Files that together hold a data set."""

    files: tuple[RemoteFile, ...]
    shared: str = ""
    """Name of the folder that keeps them for other data sets read from them, too (EMNIST's six splits); if empty, they
    are deleted once decoded."""
    needs: str = ""
    """Module needed to read them; nothing is fetched unless it is installed."""

    @property
    def urls(self) -> tuple[str, ...]:
        """Every address of every file."""
        return tuple(url for file in self.files for url in file.urls)

    @property
    def size(self) -> int:
        """Bytes to fetch, as far as known."""
        return sum(file.size for file in self.files)

    @property
    def key(self) -> str:
        """Content ID: a hash over the files' hashes, or the addresses of those without one."""
        facts = (file.known_hash or f"{file.name} of {file.urls[0]}" for file in self.files)
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:32]

    def is_published(self, files: tuple[Path, ...]) -> bool:
        """True if ``files`` are exactly these, by name, size and hash."""
        here = {file.name: file for file in files}
        return here.keys() == {file.name for file in self.files} and all(
            file.is_published(here[file.name]) for file in self.files
        )


def kaggle_file(handle: str, name: str, size: int = 0, sha256: str = "") -> RemoteFile:
    """A file of the data set ``handle`` on Kaggle: ``owner/name``, with ``/versions/<number>`` where it is known.

    Kaggle publishes no hashes: ``size`` and ``sha256`` are those of another copy, and a file that differs is taken.
    """
    return RemoteFile(name, (f"{KAGGLE}:{handle}/{name}",), size, sha256, exact=False)


def mirror_of(url: str) -> str:
    """The mirror behind an address: the address without the file's name."""
    return url.rpartition("/")[0]


def host_of(url: str) -> str:
    """The host as named in messages, or ``doi:10.5281/zenodo.53169``."""
    scheme, _, rest = url.partition(":")
    if scheme == KAGGLE:
        return f"kaggle.com/{'/'.join(rest.split('/')[:2])}"
    return mirror_of(url) if scheme == DOI else urlsplit(url).netloc


def page_of(url: str) -> str:
    """Address for a person to open: the file's folder, or the page of its data set."""
    scheme, _, rest = url.partition(":")
    if scheme == KAGGLE:
        return f"https://www.kaggle.com/datasets/{'/'.join(rest.split('/')[:2])}"
    return f"https://doi.org/{mirror_of(rest)}" if scheme == DOI else f"{mirror_of(url)}/"
