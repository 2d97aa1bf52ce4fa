"""One file from one mirror, watched: given up when it stalls, trickles, or turns out to be something else.

What carries the bytes (``bench.datasets.http``, ``bench.datasets.kaggle``) works beside the caller, who looks on and
can always leave: a server cannot hold anybody up, whatever it does.
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
"""A mirror that brings fewer bytes a second on average, over a window of that many seconds, is given up."""
LARGEST = 1 << 33
"""Bytes after which a file of unknown size is given up; the largest one known has 2.8 GB."""
TICK_S = 0.05
"""Seconds between two looks at a transfer."""
LINE_S = 10.0
"""Seconds between two lines about a transfer that nobody draws a bar for."""
PARTIAL = "partial"
"""Name of the folder that unfinished files lie in; what a killed process left there is deleted by the next transfer."""

Watch = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
"""Shows how far a file is: gets its name and its size in bytes (0: unknown), and then the bytes received so far."""


class TransferFailed(Exception):
    """Why a mirror did not give the file, in words that go after the mirror's name."""


class Carrier(Protocol):
    """What brings a file into a folder, beside the caller."""

    @property
    def size(self) -> int:
        """Bytes to come, as far as known; else 0."""

    @property
    def received(self) -> int:
        """Bytes that came."""

    @property
    def patience(self) -> float:
        """How many windows long it may be too slow, for it does more than to receive; 1 for what does not."""

    def ended(self, within_s: float) -> bool:
        """Wait so long at most; whether the transfer is over."""

    def stop(self) -> None:
        """Make it end; at once is not needed."""

    def file(self) -> Path:
        """The whole file, once it has ended. Raises TransferFailed."""


def transfer(url: str, file: RemoteFile, folder: Path, watch: Watch) -> None:
    """Put a file into ``folder`` from one mirror, whole and checked. Raises TransferFailed.

    Nobody else may be at work in that folder.
    """
    partial = folder / PARTIAL
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        own = Path(tempfile.mkdtemp(dir=partial))  # a carrier left alone may still write, and not beside the next one
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
    """No file of a data set begins like a web page. Raises TransferFailed."""
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
                if time.monotonic() - begin < window or received == carrier.size > 0:  # the last is being checked
                    continue
                if received - before < SLOWEST * WINDOW_S:
                    raise TransferFailed(f"too slow: {received - before:,} bytes in {window:g} s")
                begin, before = time.monotonic(), received
            show(carrier.received)
    finally:
        carrier.stop()
    return carrier.file()


def spoken(say: Say) -> Watch:
    """A line every ``LINE_S`` seconds, where nothing can be drawn."""

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
