"""The data sets as other libraries' own loaders give them, read in a separate process.

A loader's data are shown unchanged: in torchvision's, EMNIST lies on its side and its letters begin at 1. A loader
may delete files it takes for damaged, and unpacks next to those it finds; so it writes to the harness's own folder,
and the user's files are copied there or only read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.child import module_command, with_this_package
from bench.datasets.dataset import Dataset, Split
from bench.errors import BenchError, UnknownName

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Parts = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]

LOADERS: dict[str, dict[str, tuple[str, dict[str, str]]]] = {
    "keras": {"mnist": ("mnist", {}), "fashion-mnist": ("fashion_mnist", {})},
    "torchvision": {
        "mnist": ("MNIST", {}),
        "fashion-mnist": ("FashionMNIST", {}),
        "kmnist": ("KMNIST", {}),
        "qmnist": ("QMNIST", {}),
        **{
            f"emnist-{split}": ("EMNIST", {"split": split})
            for split in ("letters", "balanced", "digits", "byclass", "bymerge", "mnist")
        },
    },
}
"""By library and data set: the loader's name there, and its arguments."""
KERAS_FILES = {"mnist": "mnist.npz", "fashion-mnist": "fashion-mnist"}
"""The file, or folder of files, that Keras' loaders look for in ``datasets`` below its folder."""
TIMEOUT_S = 1800
"""Seconds a loader may take, its download included."""


def load_via(
    library: str,
    name: str,
    title: str,
    class_names: tuple[str, ...],
    roots: tuple[Path, ...],
    own: Path,
    *,
    offline: bool,
) -> Dataset:
    """The data set ``name`` from the loader of ``library``.

    torchvision reads files below one of ``roots``, Keras a copy of those in its own folder (``KERAS_HOME``). Downloads
    go below ``own``, the only folder that is written to; offline nothing is downloaded. Classes have their names
    if the loader has as many, else numbers. Raises UnknownName for a library without loaders, and BenchError for a
    data set without one or if the loader fails, with the last line of its output.
    """
    if library not in LOADERS:
        raise UnknownName("library of loaders", library, LOADERS, where="--via")
    if name not in LOADERS[library]:
        raise BenchError(
            f"{library} has no loader for the data set {name!r}.", f"It has: {', '.join(LOADERS[library])}"
        )
    arrays = _loaded(library, name, roots, own, offline)
    classes = int(max(arrays[1].max(), arrays[3].max())) + 1
    train, test = (
        Split(images[..., None] if images.ndim == 3 else images, labels.astype("int64"), 255.0, classes)
        for images, labels in (arrays[:2], arrays[2:])
    )
    names = class_names if len(class_names) == classes else tuple(map(str, range(classes)))
    return Dataset(name, f"{title}, as {library} loads it", train, test, names)


def _loaded(library: str, name: str, roots: tuple[Path, ...], own: Path, offline: bool) -> Parts:
    import numpy as np

    if library == "keras":
        _copy_for_keras(KERAS_FILES[name], own)
    # any backend of Keras will do, and this one imports no framework
    environment = with_this_package({**os.environ, "KERAS_BACKEND": "numpy", "KERAS_HOME": str(own)})
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "loaded.npz"
        arguments = (library, name, file, int(offline), own, *roots)
        command = module_command("bench.adapters.loaders", *map(str, arguments))
        try:
            ended = subprocess.run(
                command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False, env=environment
            )
        except subprocess.TimeoutExpired as error:
            raise BenchError(f"{library}'s loader of {name!r} gave nothing within {TIMEOUT_S} s.") from error
        if ended.returncode:
            last = (ended.stderr.strip().splitlines() or ["it exited without output"])[-1]
            advice = "Without --via, the harness' own reader is used."
            raise BenchError(f"{library} cannot load {name!r}: {last}", advice)
        with np.load(file, allow_pickle=False) as loaded:
            return loaded["x_train"], loaded["y_train"], loaded["x_test"], loaded["y_test"]


def _copy_for_keras(name: str, own: Path) -> None:
    """Copy a data set from Keras' folder to where its loader will look. Raises BenchError."""
    home = Path(os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras"))
    theirs, ours = home / "datasets" / name, own / "datasets" / name
    try:
        if theirs.is_dir():
            shutil.copytree(theirs, ours, dirs_exist_ok=True)
        elif theirs.is_file():
            ours.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(theirs, ours)
    except OSError as error:
        raise BenchError(f"Keras' files of {name!r} cannot be copied to {str(own)!r}: {error}.") from error


def _from_keras(loader: str, arguments: dict[str, str], own: Path, roots: list[Path], offline: bool) -> Parts:
    import importlib

    module = importlib.import_module(f"keras.datasets.{loader}")
    if offline:
        _forbid_the_network()
    (train_images, train_labels), (test_images, test_labels) = module.load_data(**arguments)
    return train_images, train_labels, test_images, test_labels


def _from_torchvision(loader: str, arguments: dict[str, str], own: Path, roots: list[Path], offline: bool) -> Parts:
    from functools import partial

    import torchvision

    made = partial(getattr(torchvision.datasets, loader), **arguments)
    for root in roots:
        with suppress(RuntimeError):  # torchvision's error for missing files
            return _parts(*(made(str(root), train=train, download=False) for train in (True, False)))
    return _parts(*(made(str(own), train=train, download=not offline) for train in (True, False)))


def _parts(train: Any, test: Any) -> Parts:
    arrays: list[NDArray[Any]] = []
    for part in (train, test):
        targets = part.targets.numpy()
        arrays += [part.data.numpy(), targets if targets.ndim == 1 else targets[:, 0]]
    return arrays[0], arrays[1], arrays[2], arrays[3]


def _forbid_the_network() -> None:
    import socket

    def refuse(*_: object, **__: object) -> None:
        raise OSError("offline: nothing is fetched")

    socket.create_connection = refuse  # type: ignore[assignment]
    socket.getaddrinfo = refuse  # type: ignore[assignment]


_LIBRARIES: dict[str, Callable[[str, dict[str, str], Path, list[Path], bool], Parts]] = {
    "keras": _from_keras,
    "torchvision": _from_torchvision,
}


def _main(library: str, name: str, file: str, offline: str, own: str, *roots: str) -> None:
    import numpy as np

    loader, arguments = LOADERS[library][name]
    parts = _LIBRARIES[library](loader, arguments, Path(own), [Path(root) for root in roots], bool(int(offline)))
    np.savez(file, x_train=parts[0], y_train=parts[1], x_test=parts[2], y_test=parts[3])


if __name__ == "__main__":
    _main(*sys.argv[1:])
