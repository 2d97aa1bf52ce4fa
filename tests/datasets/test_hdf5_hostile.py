"""Mutated HDF5: bytes of the file, and arrays that are wrapped again. 10,000 once: HOSTILE_FILES=10000."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.datasets.volumes import vectors, write_vectors

FILES = int(os.environ.get("HOSTILE_FILES", "300"))
ROOT = Path(__file__).parents[2]
AS_SMALL = {"X_train": vectors(4, 0)[0], "y_train": np.arange(4), "X_test": vectors(2, 1)[0], "y_test": np.arange(2)}


def mutated_bytes(content: bytes, chance: random.Random) -> bytes:
    """Bytes changed, a stretch zeroed, doubled or left out, or the end cut off."""
    held = bytearray(content)
    start = chance.randrange(min(len(held), chance.choice([512, 4096, len(held)])))
    length = chance.choice([1, 2, 4, 8, 64, 1024])
    match chance.choice(["change", "change", "change", "zero", "ones", "double", "drop", "cut"]):
        case "change":
            for _ in range(chance.randint(1, 8)):
                held[min(len(held) - 1, start + chance.randrange(64))] = chance.randrange(256)
        case "zero":
            held[start : start + length] = bytes(length)
        case "ones":
            held[start : start + length] = b"\xff" * length
        case "double":
            held[start:start] = held[start : start + length]
        case "drop":
            del held[start : start + length]
        case _:
            del held[start:]
    return bytes(held)


def mutated_arrays(chance: random.Random) -> dict[str, Any]:
    """One array of another type, shape or value, or none."""
    name = chance.choice(sorted(AS_SMALL))
    values = AS_SMALL[name]
    changed: list[Any] = [
        None,
        values[:-1],
        values.astype(chance.choice(["f2", "f4", ">f8", "i1", "u8", "c16", "S3", "?"])),
        values.reshape(-1),
        values[..., None],
        np.where(
            np.arange(values.size).reshape(values.shape) == chance.randrange(values.size), chance.choice(ODD), values
        ),
        values[:0],
        np.concatenate([values, values]),
    ]
    return AS_SMALL | {name: chance.choice(changed)}


ODD = (np.nan, np.inf, -np.inf, -1.0, -1e-300, 1.5, 10.0, 1e300, 5e-324, 2.0**63)


def decodings(folder: Path) -> Iterator[tuple[str, str, bool]]:
    """What became of each file of the folder; a process that died of one is begun again behind it."""
    names = sorted(file.name for file in folder.glob("*.h5"))
    while names:
        done = subprocess.run(
            [sys.executable, "-m", "tests.datasets.hdf5_decodings", str(folder), names[0]],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        yield from answers
        names = names[len(answers) :]
        if names:
            assert done.returncode < 0, f"{names[0]}: {done.stderr[-2000:]}"  # of a signal, and of nothing else
            yield names.pop(0), f"signal {-done.returncode}", True


def test_mutated_files_end_in_words_or_in_data(tmp_path: Path) -> None:
    whole = write_vectors(tmp_path / "whole" / "whole.h5", AS_SMALL).read_bytes()
    chance = random.Random(1)
    for number in range(FILES):
        file = tmp_path / f"{number:06}.h5"
        if number % 3:
            file.write_bytes(mutated_bytes(whole, chance))
        else:
            write_vectors(file, mutated_arrays(chance))
    found = list(decodings(tmp_path))
    assert len(found) == FILES
    assert [name for name, _, right in found if not right] == []
    crashed = sum(problem.startswith("signal") for _, problem, _ in found)
    data = sum(not problem for _, problem, _ in found)
    print(f"{FILES} files: {data} read as data, {crashed} ended the decoding process, the rest refused in words")
    assert 0 < data < FILES
