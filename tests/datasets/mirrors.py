"""A test file server that misbehaves in every way that mirrors do, chosen by the first folder of the address."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CONTENT = bytes(range(256)) * 400
"""The file on good mirrors: 100 KiB."""
PAGE = b"<!DOCTYPE html>\n<html><body>This file has moved.</body></html>"
PAUSE_S = 0.02
"""Pause between a trickle's bytes."""


class Handler(BaseHTTPRequestHandler):
    """``/good/…`` and any folder not named below give the file in the served folder."""

    folder: Path
    asked: list[str]
    stop: threading.Event

    def do_GET(self) -> None:
        self.asked.append(self.path)
        way = self.path.split("/")[1]
        getattr(self, f"give_{way}", self.give_good)()

    def content(self) -> bytes | None:
        name = self.path.rpartition("/")[2]
        for place in (self.folder / self.path.lstrip("/"), self.folder / name):
            if place.is_file():
                return place.read_bytes()
        return None

    def head(self, status: int, length: int | None, kind: str = "application/octet-stream") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def give_good(self) -> None:
        content = self.content()
        self.head(404 if content is None else 200, len(content or b""))
        self.wfile.write(content or b"")

    def give_absent(self) -> None:
        self.send_error(404)

    def give_forbidden(self) -> None:
        self.send_error(403)

    def give_unavailable(self) -> None:
        self.send_error(503)

    def give_wrong(self) -> None:
        content = bytearray(self.content() or b"")
        content[len(content) // 2] ^= 1
        self.head(200, len(content))
        self.wfile.write(content)

    def give_page(self) -> None:
        self.head(200, len(PAGE), "text/html; charset=utf-8")
        self.wfile.write(PAGE)

    def give_short(self) -> None:
        content = (self.content() or b"")[:-1]
        self.head(200, len(content))
        self.wfile.write(content)

    def give_cut(self) -> None:
        """Declares the length, and sends half of it."""
        content = self.content() or b""
        self.head(200, len(content))
        self.wfile.write(content[: len(content) // 2])

    def give_ended(self) -> None:
        """Declares no length, and sends a quarter of the file."""
        content = self.content() or b""
        self.head(200, None)
        self.wfile.write(content[: len(content) // 4])

    def give_endless(self) -> None:
        self.head(200, None)
        self.wfile.write(self.content() or b"")
        while not self.stop.is_set():
            self.wfile.write(bytes(1 << 16))

    def give_silence(self) -> None:
        self.stop.wait(60)

    def give_stall(self) -> None:
        """Starts, then stalls."""
        content = self.content() or b""
        self.head(200, len(content))
        self.wfile.write(content[:10])
        self.wfile.flush()
        self.stop.wait(60)

    def give_trickle(self) -> None:
        """Sends byte by byte, too slowly to end in time."""
        content = self.content() or b""
        self.head(200, len(content))
        for byte in content:
            if self.stop.wait(PAUSE_S):
                return
            self.wfile.write(bytes([byte]))
            self.wfile.flush()

    def give_slow(self) -> None:
        """The whole file, in three quarters of a second."""
        content = self.content() or b""
        self.head(200, len(content))
        for begin in range(0, len(content), len(content) // 15 + 1):
            time.sleep(0.05)
            self.wfile.write(content[begin : begin + len(content) // 15 + 1])
            self.wfile.flush()

    def give_loop(self) -> None:
        self.send_response(302)
        self.send_header("Location", self.path)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that gave up."""


@contextmanager
def serving(folder: Path, handler: type[Handler] = Handler) -> Iterator[tuple[str, list[str]]]:
    """Serve a folder; yields the address and the requests."""
    asked: list[str] = []
    stop = threading.Event()
    made: Callable[..., Handler] = type("Made", (handler,), {"folder": folder, "asked": asked, "stop": stop})
    server = _Server(("127.0.0.1", 0), made)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        stop.set()
        server.shutdown()
        thread.join()
        server.server_close()


def closed_address() -> str:
    """An address without a server."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{held.getsockname()[1]}"
