"""``digits``: 1,797 handwritten digits of 8x8 pixels, bundled with scikit-learn; needs no network.

The file is read from the installed package without importing it.
"""

from __future__ import annotations

import gzip
import zlib
from importlib.util import find_spec
from pathlib import Path

from bench.datasets.dataset import Dataset
from bench.datasets.definition import DatasetDefinition
from bench.datasets.source import BrokenFile, Source
from bench.datasets.stratified import OWN_SPLIT, stratified_rows

ROWS = 1797


class Digits(DatasetDefinition):
    """The test part of UCI's "Optical recognition of handwritten digits"; grey levels 0 to 16."""

    name = "digits"
    title = "Digits (UCI, 8x8)"
    licence = "CC BY 4.0"
    citation = "E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI ML Repository, 1998"
    class_names = tuple("0123456789")
    rows = (1437, 360)
    # The 13 people of UCI's test part, each with some 140 digits (its optdigits.names)
    ungrouped = "one writer's digits are in both parts: the file names no writers"
    fingerprints = frozenset({"f0e95186a6ceb698969b5b716256ed76b6ddfa6018020532c4839e8463fc186f"})
    advice = "It comes with scikit-learn: pip install 'bench-mnist[scikit-learn]'"

    def bundled(self) -> Source | None:
        """scikit-learn's ``digits.csv.gz``, found without importing scikit-learn."""
        spec = find_spec("sklearn")
        for package in (spec.submodule_search_locations if spec else None) or ():
            file = Path(package) / "datasets" / "data" / "digits.csv.gz"
            if file.is_file():
                return Source((file,), "CSV")
        return None

    def read(self, source: Source) -> Dataset:
        """Lines of 64 grey levels and a label; a fixed fifth of the rows becomes the test part."""
        import numpy as np

        file = source.files[0]
        try:
            with gzip.open(file, "rt", encoding="ascii") as lines:
                table = np.loadtxt(lines, dtype=np.uint8, delimiter=",", ndmin=2)
        except (OSError, EOFError, zlib.error, ValueError) as error:
            raise BrokenFile(file, f"cannot be decoded: {error}.", "Reinstall scikit-learn.") from error
        if table.shape != (ROWS, 65):
            raise BrokenFile(file, f"holds a table of {table.shape}; ({ROWS}, 65) expected.")
        images, labels = table[:, :64].reshape(-1, 8, 8, 1), table[:, 64].astype(np.int64)
        train, test = stratified_rows(labels, file)
        return self.dataset(
            train=(images[train], labels[train]), test=(images[test], labels[test]), scale=16, split=OWN_SPLIT
        )
