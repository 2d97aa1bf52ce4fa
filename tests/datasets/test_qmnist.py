import gzip
import re
import struct
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from bench.datasets.qmnist import FILES, Qmnist
from bench.datasets.search import Search
from bench.datasets.source import BrokenFile
from tests.datasets.small import idx_bytes


def labels(rows: list[tuple[int, int]], columns: int = 8) -> bytes:
    """Rows of class and writer as the files have them: four-byte integers, most significant byte first."""
    numbers = [(digit, 4, writer, 0, 30 + digit, row, 0, 0)[:columns] for row, (digit, writer) in enumerate(rows)]
    body = b"".join(struct.pack(f">{columns}i", *row) for row in numbers)
    return struct.pack(">III", 0x0C02, len(rows), columns) + body


def write(folder: Path, instead: Mapping[str, bytes] | None = None, *, zipped: bool = True) -> Path:
    """Three training images and two test images."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "train_images": idx_bytes((3, 28, 28), bytes([1] * 784 + [2] * 784 + [3] * 784)),
        "train_labels": labels([(5, 2100), (0, 7), (9, 2100)]),
        "test_images": idx_bytes((2, 28, 28), bytes(2 * 784)),
        "test_labels": labels([(7, 2599), (2, 610)]),
    } | dict(instead or {})
    for name, content in zip(FILES, contents.values(), strict=True):
        (folder / (f"{name}.gz" if zipped else name)).write_bytes(gzip.compress(content) if zipped else content)
    return folder


def message(folder: Path) -> str:
    definition = Qmnist()
    with pytest.raises(BrokenFile) as caught:
        definition.read(next(definition.find(folder)))
    return caught.value.message


@pytest.mark.parametrize("zipped", [True, False])
def test_classes_and_writers_are_read_from_the_table_of_labels(tmp_path: Path, zipped: bool) -> None:
    definition = Qmnist()
    data = definition.read(next(definition.find(write(tmp_path, zipped=zipped))))
    assert (data.train.labels.tolist(), data.test.labels.tolist()) == ([5, 0, 9], [7, 2])
    assert data.train.groups is not None
    assert data.test.groups is not None
    assert (data.train.groups.tolist(), data.test.groups.tolist()) == ([2100, 7, 2100], [2599, 610])
    assert data.train.images[:, 27, 27, 0].tolist() == [1, 2, 3]
    assert data.problem() is None


def test_it_is_found_in_torchvisions_folder(tmp_path: Path) -> None:
    write(tmp_path / "home" / "data" / "QMNIST" / "raw", zipped=False)
    assert Search(Qmnist(), None, True, print).run().info.source == "IDX, torchvision's folder"


def test_torchvision_names_the_same_files_and_hashes() -> None:
    torchvision = find_spec("torchvision")  # looked up and read, not imported: it would bring torch into this process
    if torchvision is None or torchvision.origin is None:
        pytest.skip("torchvision, whose list of files is compared, is not installed")
    text = (Path(torchvision.origin).parent / "datasets" / "mnist.py").read_text("utf-8")
    pairs = re.findall(r'"(https://[^"]*/qmnist-[^"]*)",\s*"([0-9a-f]{32})"', text)
    assert [(file.urls[0], file.md5) for file in Qmnist.downloads[0].files] == pairs


@pytest.mark.parametrize(
    ("part", "content", "said"),
    [
        ("test_labels", labels([(7, 1)]), "holds 2 images, but qmnist-test-labels-idx2-int.gz holds 1 labels."),
        ("test_labels", labels([(7, 1), (10, 1)]), "holds label 10 in row 1; 0 to 9 expected."),
        ("test_labels", labels([(7, 1), (-1, 1)]), "holds label -1 in row 1; 0 to 9 expected."),
        ("test_labels", labels([(7, 1), (1, 1)], columns=3), "holds 3 numbers a label; 8 expected."),
        ("test_labels", idx_bytes((2,), bytes(2)), "it is not an IDX file of integers with 2 axes."),
        ("test_labels", labels([(7, 1), (1, 1)])[:-1], "holds 75 bytes after decompression, 76 expected"),
        ("train_images", idx_bytes((3, 8, 8), bytes(192)), "holds images of 8x8 pixels; 28x28 expected."),
    ],
)
def test_broken_files_are_refused_in_words(tmp_path: Path, part: str, content: bytes, said: str) -> None:
    assert said in message(write(tmp_path, {part: content}))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    (write(tmp_path) / "qmnist-test-images-idx3-ubyte.gz").unlink()
    with pytest.raises(BrokenFile, match=r"qmnist-test-images-idx3-ubyte.gz is missing"):
        next(Qmnist().find(tmp_path))


def test_a_table_that_promises_too_much_costs_no_memory(tmp_path: Path) -> None:
    huge = struct.pack(">III", 0x0C02, 2**31 - 1, 8)
    assert "its header is broken" in message(write(tmp_path, {"test_labels": huge + np.zeros(8, ">i4").tobytes()}))
