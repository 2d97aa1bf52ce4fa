"""Volumes from untrusted HDF5 files, decoded in a separate process with limits on memory and time.

HDF5 is a large C library in which broken files have exposed many faults; a fault harms only that process. The process
(``bench.datasets.hdf5_child``) leaves plain ``.npy`` files, which are read here without unpickling. On Windows and
macOS the limit on memory is not enforced, only that on time.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.child import module_command, with_this_package
from bench.datasets.source import BrokenFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Part = tuple[NDArray[np.float32], NDArray[np.int64]]

Layout = Literal["vectors", "clouds"]
LIMIT_S: dict[Layout, int] = {"vectors": 120, "clouds": 900}
"""CPU seconds, some ten times what the published files take; the limit on wall time is three times as long."""
SIDE = 16
"""Voxels along each axis."""
CHILD = "bench.datasets.hdf5_child"


def read_hdf5(files: tuple[Path, ...], layout: Layout) -> tuple[Part, Part]:
    """Train and test part: volumes float32 ``(n, 16, 16, 16, 1)`` from 0 to 1, labels int64 ``(n,)`` from 0 to 9.

    ``vectors``: one file with ``X_train``, ``y_train``, ``X_test`` and ``y_test``; ``clouds``: a file of training
    clouds and one of test clouds, to each of which a rotated copy is added (``bench.datasets.mnist_3d_recipe``).
    Raises BrokenFile, also if the library crashes or hits a limit.
    """
    if find_spec("h5py") is None:
        raise BrokenFile(files[0], "is HDF5: h5py is needed to read it.", "Install it: pip install 'bench-mnist[hdf5]'")
    with tempfile.TemporaryDirectory(prefix="bench-hdf5-") as folder:
        _decode(files, layout, Path(folder))
        return _part(Path(folder), "train", files), _part(Path(folder), "test", files)


def _decode(files: tuple[Path, ...], layout: Layout, folder: Path) -> None:
    paths = (str(file.absolute()) for file in files)
    try:
        done = subprocess.run(
            module_command(CHILD, layout, str(LIMIT_S[layout]), str(folder), *paths),
            env=with_this_package(_environment()),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=3 * LIMIT_S[layout],
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BrokenFile(files[0], _too_slow(layout)) from None
    if done.returncode:
        raise BrokenFile(files[0], _ending(done.returncode, layout))
    try:
        answer = json.loads(done.stdout[: 1 << 16])
        file, problem = files[answer["file"]], str(answer["problem"])
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise BrokenFile(files[0], "made the HDF5 decoder return invalid data: the file is broken.") from error
    if problem:
        raise BrokenFile(file, problem)


def _environment() -> dict[str, str]:
    """Environment without filter plug-ins, locks on files only read, and threads that only take memory."""
    kept = {name: value for name, value in os.environ.items() if name != "HDF5_PLUGIN_PATH"}
    ours = {"HDF5_PLUGIN_PRELOAD": "::", "HDF5_USE_FILE_LOCKING": "FALSE"}
    return kept | ours | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _ending(code: int, layout: Layout) -> str:
    import signal

    if code < 0 and -code == getattr(signal, "SIGXCPU", 0):
        return _too_slow(layout)
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return f"made the HDF5 library crash ({how}) in the process that decodes it: it is broken."


def _too_slow(layout: Layout) -> str:
    return f"takes longer than {LIMIT_S[layout]} s to decode, and was given up: it is broken."


def _part(folder: Path, part: str, files: tuple[Path, ...]) -> Part:
    """Images and labels, checked for shape and type: their writer has read an untrusted file."""
    import numpy as np

    try:
        images, labels = (np.load(folder / f"{part}-{kind}.npy", allow_pickle=False) for kind in ("images", "labels"))
    except (OSError, ValueError, EOFError) as error:
        raise BrokenFile(files[0], "made the process that decodes HDF5 leave broken arrays: it is broken.") from error
    expected = ((len(labels), SIDE, SIDE, SIDE, 1), (len(labels),), np.float32, np.int64)
    if (images.shape, labels.shape, images.dtype, labels.dtype) != expected:
        raise BrokenFile(files[0], f"was decoded to {part} arrays of {images.shape} and {labels.shape}: it is broken.")
    return images, labels
