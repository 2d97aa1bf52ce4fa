"""A command on a terminal of its own, as a user sees it."""

from __future__ import annotations

import os
import select
import subprocess
import time
from dataclasses import dataclass, field

from tests.end_to_end.command import LIMIT_S, Bench


@dataclass
class Terminal:
    """A pseudo-terminal of 80 columns, its output, and the process that writes it."""

    process: subprocess.Popen[bytes]
    screen: int
    written: bytes = field(default=b"")

    @classmethod
    def start(cls, bench: Bench, *arguments: str) -> Terminal:
        """Start the command with this as its controlling terminal: a key can interrupt it."""
        import fcntl
        import pty
        import struct
        import termios

        screen, keyboard = pty.openpty()
        fcntl.ioctl(keyboard, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
        process = subprocess.Popen(
            [*bench.program, *arguments],
            stdin=keyboard,
            stdout=keyboard,
            stderr=keyboard,
            cwd=bench.folder,
            env={**bench.environment, "TERM": "xterm-256color"},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(keyboard)
        return cls(process, screen)

    @property
    def text(self) -> str:
        """All that was written so far, with its control sequences."""
        return self.written.decode(errors="replace")

    def read_until(self, words: str = "") -> None:
        """Read until ``words`` appear, or to the end if none are given. Fails if they do not appear."""
        deadline = time.monotonic() + LIMIT_S
        while not words or words not in self.text:
            ready, _, _ = select.select([self.screen], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"{words or 'the end'} did not come:\n{self.text}"
            try:
                chunk = os.read(self.screen, 65536)
            except OSError:  # Linux: the other side is closed
                chunk = b""
            if not chunk:
                assert not words, f"ended without {words!r}:\n{self.text}"
                return
            self.written += chunk

    def press_control_c(self) -> None:
        """Send Ctrl-C, as a user would."""
        os.write(self.screen, b"\x03")

    def end(self) -> int:
        """Read to the end; the exit code."""
        self.read_until()
        os.close(self.screen)
        return self.process.wait(timeout=LIMIT_S)
