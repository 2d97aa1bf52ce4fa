"""A file of a data set on Kaggle, fetched by kagglehub in a process of its own (``bench.datasets.kaggle_child``).

Public data sets need no account. kagglehub waits for some answers without a limit, and stores its files in a folder of
its own: a process can be killed at any time, and its environment sets the folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from bench.child import module_command, with_this_package
from bench.datasets.download import KAGGLE, RemoteFile
from bench.datasets.transfer import TransferFailed

ORIGIN = "https://api.kaggle.com"
"""The host kagglehub asks (kagglesdk.kaggle_env), for the network probe."""
CHILD = "bench.datasets.kaggle_child"
ANSWER = "answer.json"


class KaggleCarrier:
    """Starts at once."""

    size = 0
    patience = 4.0
    """Starting the process, importing kagglehub and unpacking the file are slow on a busy machine."""

    def __init__(self, url: str, file: RemoteFile, folder: Path) -> None:
        if find_spec("kagglehub") is None:
            raise TransferFailed("kagglehub is needed: pip install kagglehub")
        self._folder, self._file = folder, file
        handle, _, path = url.removeprefix(f"{KAGGLE}:").rpartition("/")
        self._process = subprocess.Popen(
            module_command(CHILD, handle, path, str(folder / ANSWER)),
            env=with_this_package({**os.environ, "KAGGLEHUB_CACHE": str(folder), "KAGGLEHUB_VERBOSITY": "error"}),
            stdin=subprocess.PIPE,  # the child ends when it closes, even if this process is killed
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    @property
    def received(self) -> int:
        """Bytes in the folder."""
        sizes = 0
        for file in self._folder.rglob("*"):
            with contextlib.suppress(OSError):  # renamed meanwhile
                sizes += file.stat().st_size if file.is_file() else 0
        return sizes

    def ended(self, within_s: float) -> bool:
        """See ``Carrier``."""
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> None:
        """Kill the process, if running."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def file(self) -> Path:
        """See ``Carrier``."""
        try:
            answer = json.loads((self._folder / ANSWER).read_text("utf-8"))
        except (OSError, ValueError):
            raise TransferFailed(f"kagglehub exited without output (exit code {self._process.returncode})") from None
        if failure := answer.get("failure"):
            raise TransferFailed(str(failure))
        path = Path(answer["path"])
        if path.is_dir() or not path.is_file():
            raise TransferFailed(f"kagglehub gave no file {self._file.name}")
        if path.is_relative_to(self._folder):
            return path
        copy = self._folder / self._file.name  # a Kaggle notebook has its data sets mounted, not to be moved
        shutil.copyfile(path, copy)
        return copy
