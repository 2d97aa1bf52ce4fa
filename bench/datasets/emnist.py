"""``emnist-letters`` and its five siblings: handwritten characters of NIST's Special Database 19, 28x28.

NIST distributes one archive with six splits. The archive itself is read, unpacking only the requested split; so are its
files in a folder, gzipped or not. Images come out upright, labels from 0.
"""

from __future__ import annotations

import os
import string
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from bench.datasets.dataset import Dataset
from bench.datasets.definition import DatasetDefinition
from bench.datasets.download import Bundle, RemoteFile
from bench.datasets.row_split import OWN_ROW_SPLIT, training_rows
from bench.datasets.source import BrokenFile, Source, missing_file
from bench.datasets.stratified import OWN_SPLIT, stratified_rows

if TYPE_CHECKING:
    from bench.datasets.emnist_files import Files
    from bench.datasets.emnist_part import Arrays

    Pair = tuple[Path | None, Path | None]

IDX = "IDX"
ONE_PART = "IDX, {part} part only"
ARCHIVE = "NIST's archive"
ARCHIVES = ("gzip.zip", "emnist.zip")
PARTS = ("train", "test")
ADVICE = "NIST's gzip.zip holds all six splits: put it there, or leave --data-dir out."
KINDS = ("images-idx3-ubyte", "labels-idx1-ubyte")

MERGED = string.digits + string.ascii_uppercase + "abdefghnqrt"
"""Classes of bymerge and balanced: small letters that look like their capitals count with these."""

# Size and hash: torchvision 0.29.2 (datasets/mnist.py) and tensorflow-datasets 4.9.10 (url_checksums)
DOWNLOAD = Bundle(
    (
        RemoteFile(
            "gzip.zip",
            ("https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",),
            561_753_746,
            "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
        ),
    ),
    shared="emnist",
)


def folders_of(name: str) -> tuple[str, ...]:
    """Folders a split commonly lies in: the user's, torchvision's, and that of the upload to Kaggle."""
    folders = ("emnist", "EMNIST", "EMNIST/raw", "emnist/raw", "emnist/gzip", "gzip")
    return (name, *folders, "emnist_source_files", "emnist/emnist_source_files")


class Emnist(DatasetDefinition):
    """One of the six splits.

    No source publishes hashes of the decoded arrays, so no fingerprints are known: NIST's archive is verified by its
    own hash; loose files cannot be.
    """

    licence = "none stated (NIST, derived from Special Database 19)"
    citation = "G. Cohen, S. Afshar, J. Tapson, A. van Schaik, EMNIST, arXiv:1702.05373, 2017"
    downloads = (DOWNLOAD,)
    ungrouped = "one writer's characters may be in both parts: the files name no writers"
    first_label: ClassVar[int] = 0
    """The lowest label in NIST's files."""

    def find(self, folder: Path) -> Iterator[Source]:
        """Both parts as IDX files, then the archive, then one part alone. Raises BrokenFile for half a part."""
        from bench.datasets.emnist_files import Folder

        files = Folder(folder)
        pairs = self._pairs(files)
        whole = _whole(pairs)
        beside = tuple(file for file in [files.find(f"{self.name}-mapping.txt")] if file)
        if len(whole) == len(PARTS):
            yield Source((*whole["train"], *whole["test"], *beside), IDX)
        yield from (Source((folder / name,), ARCHIVE) for name in ARCHIVES if os.path.isfile(folder / name))
        self._refuse_halves(pairs)
        if len(whole) == 1:
            ((part, pair),) = whole.items()
            yield Source((*pair, *beside), ONE_PART.format(part=part))

    def read(self, source: Source) -> Dataset:
        """Images uint8 ``(n, 28, 28, 1)``, upright; a missing part is cut from the other."""
        from bench.datasets.emnist_files import Archive, Folder

        if source.format == ARCHIVE:
            with Archive(source.files[0]) as archive:
                parts = self._parts(archive)
        else:
            parts = self._parts(Folder(source.files[0].parent))
        if not parts:
            raise BrokenFile(source.files[0], f"holds no files {self.name}-…-ubyte.gz.", ADVICE)
        if len(parts) == len(PARTS):
            return self.dataset(train=parts["train"], test=parts["test"], scale=255)
        ((part, arrays),) = parts.items()
        return self._own_split(part, arrays, source.files[0])

    def _parts(self, files: Files) -> dict[str, Arrays]:
        from bench.datasets.emnist_part import check_mapping, read_part

        mapping = files.find(f"{self.name}-mapping.txt")
        if mapping:
            check_mapping(mapping, files.text(mapping), self.first_label, self.class_names)
        pairs = self._pairs(files)
        self._refuse_halves(pairs)
        return {
            part: read_part(files, images, labels, self.first_label, len(self.class_names))
            for part, (images, labels) in _whole(pairs).items()
        }

    def _pairs(self, files: Files) -> dict[str, Pair]:
        """Images and labels of each part, None if missing."""
        found = {part: [files.find(f"{self.name}-{part}-{kind}") for kind in KINDS] for part in PARTS}
        return {part: (images, labels) for part, (images, labels) in found.items()}

    def _refuse_halves(self, pairs: Mapping[str, Pair]) -> None:
        for part, pair in pairs.items():
            if any(pair) and not all(pair):
                raise missing_file([Path(f"{self.name}-{part}-{kind}.gz") for kind in KINDS], pair)

    def _own_split(self, part: str, arrays: Arrays, file: Path) -> Dataset:
        import numpy as np

        images, labels = arrays
        if (np.diff(labels) >= 0).all():  # as in the test part of letters: a border would part the classes
            rule = f"stratified, {OWN_SPLIT.rpartition(', ')[2]}"
            train_rows, test_rows = stratified_rows(labels, file)
            train, test = (images[train_rows], labels[train_rows]), (images[test_rows], labels[test_rows])
        else:
            rule, border = OWN_ROW_SPLIT, training_rows(len(labels))
            train, test = (images[:border], labels[:border]), (images[border:], labels[border:])
        return self.dataset(train=train, test=test, scale=255, split=f"own split of the {part} part, {rule}")


def _whole(pairs: Mapping[str, Pair]) -> dict[str, tuple[Path, Path]]:
    """The parts with both files present."""
    return {part: (images, labels) for part, (images, labels) in pairs.items() if images and labels}


class EmnistByclass(Emnist):
    """Digits, capitals and small letters, as often as they were written."""

    name = "emnist-byclass"
    title = "EMNIST ByClass"
    class_names = tuple(string.digits + string.ascii_uppercase + string.ascii_lowercase)
    rows = (697_932, 116_323)
    folders = folders_of(name)


class EmnistBymerge(Emnist):
    """The same images in fewer classes."""

    name = "emnist-bymerge"
    title = "EMNIST ByMerge"
    class_names = tuple(MERGED)
    rows = (697_932, 116_323)
    folders = folders_of(name)


class EmnistBalanced(Emnist):
    """The classes of ``emnist-bymerge``, equal in size."""

    name = "emnist-balanced"
    title = "EMNIST Balanced"
    class_names = tuple(MERGED)
    rows = (112_800, 18_800)
    folders = folders_of(name)


class EmnistLetters(Emnist):
    """Letters, capitals and small ones together: 26 classes, stored as 1 to 26.

    NIST's files hold 124,800 and 20,800 rows; the table of the paper, and copies made after it, have 88,800 and
    14,800 of them.
    """

    name = "emnist-letters"
    title = "EMNIST Letters"
    class_names = tuple(string.ascii_uppercase)
    rows = (124_800, 20_800)
    folders = folders_of(name)
    first_label = 1


class EmnistDigits(Emnist):
    """Digits in equal numbers."""

    name = "emnist-digits"
    title = "EMNIST Digits"
    class_names = tuple(string.digits)
    rows = (240_000, 40_000)
    folders = folders_of(name)


class EmnistMnist(Emnist):
    """As many digits as MNIST, newly converted from the same database."""

    name = "emnist-mnist"
    title = "EMNIST MNIST"
    class_names = tuple(string.digits)
    rows = (60_000, 10_000)
    folders = folders_of(name)
