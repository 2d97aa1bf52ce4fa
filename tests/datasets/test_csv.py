import gzip
from pathlib import Path

import numpy as np
import pytest

from bench.datasets.csv import read_csv
from bench.datasets.source import BrokenFile

ROWS = [("cat", [1, 2, 3, 4]), ("dog", [5, 6, 7, 8]), ("cat", [0, 0, 0, 255])]


def written(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def message(path: Path) -> str:
    with pytest.raises(BrokenFile) as caught:
        read_csv(path)
    return str(caught.value)


def lines(place: int, header: str = "") -> str:
    made = [[*map(str, pixels[:place]), label, *map(str, pixels[place:])] for label, pixels in ROWS]
    return header + "".join(",".join(fields) + "\n" for fields in made)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
@pytest.mark.parametrize(
    "text",
    [
        lines(0, "label,p1,p2,p3,p4\n"),
        lines(4, "p1,p2,p3,p4,label\n"),
        lines(2, '"p1","p2","label","p3","p4"\n'),
        lines(0),
        lines(4),
        "\ufefflabel,p1,p2,p3,p4\r\n" + lines(0).replace("\n", "\r\n"),
    ],
    ids=["named first", "named last", "named inside", "first", "last", "with a byte order mark"],
)
def test_labels_and_pixels_are_told_apart(tmp_path: Path, name: str, text: str) -> None:
    part = read_csv(written(tmp_path / name, text)).train
    assert part.labels.tolist() == ["cat", "dog", "cat"]
    assert part.images.dtype == np.uint8
    assert part.images.tolist() == [[1, 2, 3, 4], [5, 6, 7, 8], [0, 0, 0, 255]]


def test_without_a_header_a_corner_pixel_that_never_varies_is_not_the_label(tmp_path: Path) -> None:
    part = read_csv(written(tmp_path / "a.csv", "0,9,9,3,1\n0,8,8,4,0\n")).train
    assert part.labels.tolist() == [1, 0]


def test_a_file_that_does_not_say_where_its_labels_are_is_refused_with_the_way_to_say_it(tmp_path: Path) -> None:
    said = message(written(tmp_path / "a.csv", "1,9,9,3,1\n0,8,8,4,0\n"))
    assert "the first and the last could both be" in said
    assert "header line that calls the label's column: label" in said


def test_numbers_in_zero_to_one_stay_numbers(tmp_path: Path) -> None:
    part = read_csv(written(tmp_path / "a.csv", "label,a,b,c,d\n0,0.5,0,1,0.25\n1,0,0,0,0\n")).train
    assert part.images.tolist() == [[0.5, 0, 1, 0.25], [0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("label,a,b,c,d\n0,1,2,3,4\n1,2,3,4\n", "holds 4 values in line 3, 5 expected"),
        ("label,a,b,c,d\n0,1,2,3,4\n1,2,x,4,5\n", "holds a pixel that is not a number"),
        ("label,a,b,c,d\n", "nothing below it"),
        ("", "is empty"),
        ("a;b;c\n", "holds no comma"),
        ("label,target,a,b,c,d\n0,1,2,3,4,5\n", "more than one column of labels"),
    ],
)
def test_a_broken_table_is_refused_in_words(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in message(written(tmp_path / "a.csv", text))


def test_a_gzipped_table_cut_short_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv.gz", lines(0) * 50)
    path.write_bytes(path.read_bytes()[:-20])
    assert "is broken gzip" in message(path)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xff\xfe\x00label,1")
    assert "is not UTF-8 text" in message(path)
