import hashlib

import numpy as np

from bench.datasets.dataset import Dataset, Split
from bench.datasets.fingerprint import fingerprint


def made(images: np.ndarray, labels: np.ndarray) -> Dataset:
    part = Split(images, labels, 255.0, 2)
    return Dataset("a", "A", part, part, ("0", "1"))


def test_it_is_the_sha256_of_heads_and_bytes_as_documented() -> None:
    images, labels = np.array([[[[1], [2]]], [[[3], [4]]]], np.uint8), np.array([0, 1], np.int64)
    pixels, ids = b"\x01\x02\x03\x04", b"\0" * 8 + b"\x01" + b"\0" * 7
    expected = (
        b"train-images |u1 2x1x2x1\n" + pixels + b"train-labels <i8 2\n" + ids
        + b"test-images |u1 2x1x2x1\n" + pixels + b"test-labels <i8 2\n" + ids
    )  # fmt: skip
    assert fingerprint(made(images, labels)) == hashlib.sha256(expected).hexdigest()


def test_the_order_of_bytes_in_memory_does_not_count_but_the_shape_does() -> None:
    images, labels = np.arange(8, dtype=np.float32).reshape(2, 2, 2, 1), np.array([0, 1])
    swapped = made(images.astype(">f4"), labels.astype(">i8"))
    assert fingerprint(swapped) == fingerprint(made(images, labels))
    assert fingerprint(made(np.asfortranarray(images), labels)) == fingerprint(made(images, labels))
    assert fingerprint(made(images.reshape(2, 1, 4, 1), labels)) != fingerprint(made(images, labels))
