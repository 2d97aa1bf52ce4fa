import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest

from bench.datasets.sign_language import TABLES, SignLanguage
from bench.datasets.source import BrokenFile, Source

STORED = [*range(9), *range(10, 25)]
ROWS = (48, 24)


class Small(SignLanguage):
    """The same files with a few rows."""

    rows = ROWS


def table(rows: int, seed: int, labels: list[int] | None = None) -> tuple[bytes, np.ndarray]:
    pixels = np.random.default_rng(seed).integers(0, 256, (rows, 784))
    held = labels or [STORED[row % 24] for row in range(rows)]
    header = ",".join(["label", *(f"pixel{number}" for number in range(1, 785))])
    lines = [",".join(map(str, [label, *row])) for label, row in zip(held, pixels.tolist(), strict=True)]
    return "\n".join([header, *lines, ""]).encode(), pixels.reshape(-1, 28, 28, 1)


def write(folder: Path, kind: str) -> None:
    folder.mkdir(exist_ok=True)
    contents = {name: table(rows, seed)[0] for seed, (name, rows) in enumerate(zip(TABLES, ROWS, strict=True))}
    if kind == "Kaggle's zip":
        with zipfile.ZipFile(folder / "archive.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in contents.items():
                archive.writestr(name, content)
                archive.writestr(f"{name.removesuffix('.csv')}/{name}", content)
        return
    for name, content in contents.items():
        if kind == "zipped":
            with zipfile.ZipFile(folder / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(name, content)
        elif kind == "gzipped":
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        elif kind == "in folders":
            (folder / name.removesuffix(".csv")).mkdir()
            (folder / name.removesuffix(".csv") / name).write_bytes(content)
        else:
            (folder / name).write_bytes(content)


def found(folder: Path) -> Source:
    return next(Small().find(folder))


@pytest.mark.parametrize("kind", ["plain", "gzipped", "zipped", "in folders", "Kaggle's zip"])
def test_the_tables_are_read_from_every_wrapping(tmp_path: Path, kind: str) -> None:
    write(tmp_path / "data", kind)
    data = Small().read(found(tmp_path / "data"))
    assert data.problem() is None
    for seed, (part, rows) in enumerate(zip((data.train, data.test), ROWS, strict=True)):
        assert np.array_equal(part.images, table(rows, seed)[1])
        assert part.labels.tolist() == [row % 24 for row in range(rows)]


def test_letters_name_the_classes_without_j_and_z() -> None:
    assert "".join(SignLanguage.class_names) == "ABCDEFGHIKLMNOPQRSTUVWXY"
    stored_names = {stored: chr(ord("A") + stored) for stored in STORED}
    assert [stored_names[stored] for stored in STORED] == list(SignLanguage.class_names)


@pytest.mark.parametrize("label", [9, 25, 255])
def test_a_label_that_no_picture_can_have_is_refused(tmp_path: Path, label: int) -> None:
    write(tmp_path, "plain")
    (tmp_path / TABLES[1]).write_bytes(table(24, 1, [*STORED[:5], label, *STORED[6:]])[0])
    with pytest.raises(BrokenFile, match=f"sign_mnist_test.csv holds label {label} in line 7; 0 to 24 without 9"):
        Small().read(found(tmp_path))


def test_one_table_without_the_other_is_half_a_data_set(tmp_path: Path) -> None:
    write(tmp_path, "gzipped")
    (tmp_path / f"{TABLES[0]}.gz").unlink()
    with pytest.raises(BrokenFile, match=r"sign_mnist_train.csv is missing; sign_mnist_test.csv.gz is present without"):
        found(tmp_path)


def test_somebody_elses_archive_is_passed_over(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.writestr("holiday.jpg", b"")
    assert list(Small().find(tmp_path)) == []


def test_a_table_cut_short_at_the_end_of_a_line_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "plain")
    lines = (tmp_path / TABLES[0]).read_bytes().splitlines(keepends=True)
    (tmp_path / TABLES[0]).write_bytes(b"".join(lines[:-3]))
    with pytest.raises(BrokenFile, match="holds 45 rows of data, 48 expected: the file is cut short"):
        Small().read(found(tmp_path))
