"""Fetch one file from one mirror; give up when it stalls, trickles, or turns out to be something else.

The carrier of the bytes (``bench.datasets.http``, ``bench.datasets.kaggle``) runs in the background, and the caller
polls it: no server can block the caller.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from bench.datasets.download import KAGGLE, RemoteFile
from bench.datasets.source import Say

WINDOW_S = 30.0
SLOWEST = 16 * 1024
"""A mirror that sends fewer bytes per second, on average over ``WINDOW_S`` seconds, is given up."""
LARGEST = 1 << 33
"""Bytes after which a file of unknown size is given up; the largest one known has 2.8 GB."""
TICK_S = 0.05
"""Seconds between polls of a transfer."""
LINE_S = 10.0
"""Seconds between two lines about a transfer without a progress bar."""
PARTIAL = "partial"
"""Name of the folder for unfinished files; the next transfer deletes what a killed process left there."""

Watch = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
"""Shows a file's progress: gets its name and its size in bytes (0: unknown), and then the bytes received so far."""


class TransferFailed(Exception):
    """Why a mirror did not give the file, as text to follow the mirror's name."""


class Carrier(Protocol):
    """Fetches a file into a folder in the background."""

    @property
    def size(self) -> int:
        """Expected bytes in all; 0 if unknown."""

    @property
    def received(self) -> int:
        """Bytes received."""

    @property
    def patience(self) -> float:
        """Windows it may be too slow for, as it does more than receive; 1 for one that only receives."""

    def ended(self, within_s: float) -> bool:
        """Wait at most this long; True if the transfer ended."""

    def stop(self) -> None:
        """End it, not necessarily at once."""

    def file(self) -> Path:
        """The whole file, once it has ended. Raises TransferFailed."""


def transfer(url: str, file: RemoteFile, folder: Path, watch: Watch) -> None:
    """Put a file into ``folder`` from one mirror, whole and checked. Raises TransferFailed.

    No other transfer may use that folder.
    """
    partial = folder / PARTIAL
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        own = Path(tempfile.mkdtemp(dir=partial))  # an abandoned carrier may still write, but only into its own
        carried = _carried(_carrier(url, file, own), file, watch)
        refuse_page(carried)
        if file.is_checked and not file.is_published(carried):
            kind = "SHA-256" if file.sha256 else "MD5"
            raise TransferFailed(f"the file differs from the published one ({kind})")
        os.replace(carried, folder / file.name)
    except OSError as error:
        raise TransferFailed(f"the file could not be written ({error.strerror or type(error).__name__})") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def refuse_page(file: Path) -> None:
    """Raises TransferFailed for a file that begins like a web page."""
    with file.open("rb") as stored:
        if stored.read(256).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            raise TransferFailed("it sends a web page instead of the file")


def _carrier(url: str, file: RemoteFile, folder: Path) -> Carrier:
    if url.startswith(f"{KAGGLE}:"):
        from bench.datasets.kaggle import KaggleCarrier

        return KaggleCarrier(url, file, folder)
    from bench.datasets.http import HttpCarrier

    return HttpCarrier(url, file, folder)


def _carried(carrier: Carrier, file: RemoteFile, watch: Watch) -> Path:
    begin, before = time.monotonic(), 0
    try:
        with watch(file.name, file.size) as show:
            while not carrier.ended(TICK_S):
                received = carrier.received
                show(received)
                if received > LARGEST:
                    raise TransferFailed(f"it sends more than {LARGEST:,} bytes")
                window = WINDOW_S * carrier.patience
                if time.monotonic() - begin < window or received == carrier.size > 0:  # complete, being checked
                    continue
                if received - before < SLOWEST * WINDOW_S:
                    raise TransferFailed(f"too slow: {received - before:,} bytes in {window:g} s")
                begin, before = time.monotonic(), received
            show(carrier.received)
    finally:
        carrier.stop()
    return carrier.file()


def spoken(say: Say) -> Watch:
    """A watch without a bar: a line every ``LINE_S`` seconds."""

    @contextmanager
    def watch(name: str, size: int) -> Iterator[Callable[[int], None]]:
        begin = last = time.monotonic()

        def show(received: int) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= LINE_S:
                last = now
                whole = f" of {size / 2**20:,.1f}" if size else ""
                say(f"    {name}: {received / 2**20:,.1f}{whole} MiB, {received / 2**20 / (now - begin):.2f} MiB/s")

        yield show

    return watch
