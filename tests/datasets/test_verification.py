"""The verdict on a data set says what it rests on, and damns nothing of which nothing is known."""

import dataclasses
import hashlib
from pathlib import Path

import pytest

from bench.datasets.catalog import resolve
from bench.datasets.dataset import DatasetInfo
from bench.datasets.download import Bundle, RemoteFile
from bench.datasets.emnist import EmnistLetters
from bench.datasets.verification import verdict
from tests.datasets.small_emnist import lay, letters, zipped

MNIST = "45f218d174e3084faa7b4bede8d6e6a19ecc30a9b622e595f198f1ed4b2d5051"


def info(name: str, *, verified: bool = False, source: str = "IDX, the user's folder", **facts: object) -> DatasetInfo:
    made = DatasetInfo(
        name=name,
        title=name,
        fingerprint="f" * 64,
        verified=verified,
        shape=(28, 28, 1),
        scale=255,
        class_names=("a", "b"),
        train_rows=3,
        test_rows=2,
        split="official",
        source=source,
    )
    return dataclasses.replace(made, **facts)  # type: ignore[arg-type]


def test_arrays_with_a_known_fingerprint_are_verified_by_it() -> None:
    found = verdict(info("mnist", verified=True, fingerprint=MNIST))
    assert (found.words, found.differs) == ("verified: the arrays are the published ones", False)


def test_what_came_out_of_files_with_published_hashes_is_verified_by_these() -> None:
    found = verdict(info("emnist-letters", verified=True, source="NIST's archive, the user's folder"))
    assert (found.words, found.differs) == ("verified: read from files with the published hashes", False)


@pytest.mark.parametrize(
    ("name", "source"),
    [("mnist", "npz, Keras' folder"), ("colorectal-histology-mnist", "hmnist 8x8 RGB, the user's folder")],
)
def test_other_arrays_than_the_published_ones_are_said_to_differ(name: str, source: str) -> None:
    found = verdict(info(name, source=source))
    assert (found.words, found.differs) == ("unverified: not the published data", True)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("emnist-letters", "IDX, the user's folder"),
        ("emnist-byclass", "IDX, test part only, the user's folder"),
        ("sign-language-mnist", "CSV, Kaggle input"),
        ("colorectal-histology-mnist", "hmnist 28x28 RGB, the user's folder"),  # only 8x8 was seen as published
    ],
)
def test_a_form_of_which_no_fingerprint_is_known_is_not_said_to_differ(name: str, source: str) -> None:
    found = verdict(info(name, source=source))
    assert found.words == "unverified: nothing is known of the published data in this form"
    assert not found.differs


def test_what_was_generated_is_unverified_and_called_so() -> None:
    found = verdict(info("3d-mnist", source="generated, from mnist", generated=True))
    assert found.words == "unverified: generated here, not read from the published files"
    assert not found.differs


def test_ones_own_data_are_unverified() -> None:
    found = verdict(info("mine", source="npz"))
    assert (found.words, found.differs) == ("unverified: nothing is published to compare it with", False)


def test_an_archive_with_the_published_hash_is_verified_and_other_files_laid_loose_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = letters()
    content = zipped(files)
    archive = RemoteFile("gzip.zip", ("http://localhost/gzip.zip",), len(content), hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(EmnistLetters, "downloads", (Bundle((archive,)),))
    whole = lay(tmp_path / "whole", {"gzip.zip": content})
    found = resolve("emnist-letters", data_dir=whole, offline=True)
    assert verdict(found.info).words == "verified: read from files with the published hashes"
    other = letters(train=41)
    found = resolve("emnist-letters", data_dir=lay(tmp_path / "loose", other), offline=True)
    assert verdict(found.info).words == "unverified: nothing is known of the published data in this form"
