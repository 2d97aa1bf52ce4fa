"""Decodes many files in one process, as the decoding process does one: ``python -m tests.datasets.hdf5_decodings``.

Takes a folder; decodes every ``*.h5`` in it, by name, from the one given as the second argument on, and prints for each
its name, what was wrong with it, and whether what came out is data. It may die of a file; then the caller goes on.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from bench.datasets.hdf5_child import main


def is_data(folder: Path) -> bool:
    for part in ("train", "test"):
        images, labels = (np.load(folder / f"{part}-{kind}.npy", allow_pickle=False) for kind in ("images", "labels"))
        if images.dtype != np.float32 or images.shape != (len(labels), 16, 16, 16, 1) or not len(labels):
            return False
        if not ((images >= 0) & (images <= 1)).all() or labels.min() < 0 or labels.max() > 9:
            return False
    return True


if __name__ == "__main__":
    folder, first = Path(sys.argv[1]), sys.argv[2]
    for file in sorted(folder.glob("*.h5")):
        if file.name >= first:
            with tempfile.TemporaryDirectory() as out:
                answer = main("vectors", "300", out, str(file))
                right = bool(answer["problem"]) or is_data(Path(out))
            print(json.dumps([file.name, answer["problem"], right]), flush=True)
