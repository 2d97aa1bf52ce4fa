import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.datasets import pixel_csv
from bench.datasets.arff import read_arff
from bench.datasets.pixel_csv import PixelTable
from bench.datasets.source import BrokenFile
from tests.datasets.hostile_bytes import zeros
from tests.datasets.small_arff import NOMINAL, arff_bytes, header, lines, table

ROWS = [[7, 255, 3], [0, 10, 9], [100, 4, 0]]
TABLES = st.integers(1, 5).flatmap(
    lambda pixels: st.lists(
        st.tuples(st.lists(st.integers(0, 255), min_size=pixels, max_size=pixels), st.integers(0, 9)),
        min_size=1,
        max_size=20,
    )
)


def read(file: Path, text: str | bytes, *, rows: int = 3, pixels: int = 2, classes: int = 10) -> PixelTable:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_arff(file, rows=rows, pixels=pixels, classes=classes)


def refused(file: Path, text: str | bytes) -> str:
    with pytest.raises(BrokenFile) as caught:
        read(file, text)
    said = str(caught.value)
    assert said.replace("\n", "").isprintable()
    return said


@given(
    drawn=TABLES,
    quote=st.sampled_from(["", "'", '"']),
    between=st.sampled_from([",", ", ", " ,\t"]),
    end=st.sampled_from(["\n", "\r\n", " \n", "\n\n", "\n% no row\n"]),
    classes=st.sampled_from([NOMINAL, "{'0', '1', '2', '3', '4', '5', '6', '7', '8', '9'}", "INTEGER"]),
    chunk=st.integers(1, 200),
)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_are_read_as_they_were_written_whatever_stands_round_the_values(
    tmp_path: Path, drawn: list[tuple[list[int], int]], quote: str, between: str, end: str, classes: str, chunk: int
) -> None:
    pixels = len(drawn[0][0])
    data = "".join(between.join([*map(str, row), f"{quote}{label}{quote}"]) + end for row, label in drawn)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pixel_csv, "CHUNK", chunk)
        found = read(tmp_path / "a.arff", header(pixels, classes=classes) + data, rows=len(drawn), pixels=pixels)
    assert found.pixels.tolist() == [row for row, _ in drawn]
    assert found.labels.tolist() == [label for _, label in drawn]


@pytest.mark.parametrize("packed", [False, True])
def test_another_parser_reads_the_same_from_the_same_file(tmp_path: Path, packed: bool) -> None:
    arff = pytest.importorskip("scipy.io.arff", reason="scipy, which comes with scikit-learn, is not installed")
    (tmp_path / "plain.arff").write_bytes(arff_bytes())
    values, meta = arff.loadarff(tmp_path / "plain.arff")
    content = gzip.compress(arff_bytes()) if packed else arff_bytes()
    found = read(tmp_path / "a.arff.gz", content, rows=30, pixels=784)
    assert found.pixels.tolist() == [[int(value) for value in list(row)[:-1]] for row in values]
    assert found.labels.tolist() == [int(label) for label in values["class"]]
    assert len(meta.names()) == 785


@pytest.mark.parametrize(
    "declared",
    [
        header(2).lower(),
        header(2).upper(),
        header(2).replace("\n", "\r\n"),
        header(2).replace("real", "NUMERIC").replace(" ", "\t"),
        header(2).replace("pixel1", "'pixel 1, of % two'").replace("pixel2", '"it\\"s {2}"'),
        header(2).replace("class {", '"class"{'),
        header(2).replace("mnist_784", "'a name'").replace("\n@", "\n % once more\n\n  @"),
    ],
)
def test_a_header_may_be_written_in_several_ways(tmp_path: Path, declared: str) -> None:
    found = read(tmp_path / "a.arff", declared + lines(ROWS))
    assert np.column_stack([found.pixels, found.labels]).tolist() == ROWS


HEAD, GOOD = header(2), lines(ROWS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "ends before a line @DATA: it is cut short, or no ARFF file"),
        (HEAD[:-8], "ends before a line @DATA"),
        ("label,a,b\n0,1,2\n", "holds 'label,a,b' in line 1; @RELATION, @ATTRIBUTE or @DATA expected"),
        ("\x1b[2J\n", r"holds '\x1b[2j' in line 1"),
        (HEAD.replace("@ATTRIBUTE class", "@ATRIBUTE class") + GOOD, "holds '@atribute' in line 8"),
        (header(1) + GOOD, "declares 2 attributes, 3 expected: 2 pixels and a class"),
        (header(3) + GOOD, "declares more than 3 attributes, 3 expected"),
        (header(2, kind="STRING") + GOOD, "declares attribute 'pixel1' as 'STRING'; a number expected"),
        (header(2, kind="{0,255}") + GOOD, "declares attribute 'pixel1' as '{0,255}'; a number expected"),
        (HEAD.replace("pixel2 real", "'pixel2 real") + GOOD, "declares no attribute in line 7"),
        (HEAD.replace("class", "pixel3") + GOOD, "calls its last attribute 'pixel3'; class expected"),
        (header(2, classes="STRING") + GOOD, "declares the class as 'STRING'; a number or {0,1,…} expected"),
        (header(2, classes="{Coat,Bag}") + GOOD, "declares a class 'Coat'; 0 to 9 expected"),
        (header(2, classes="{0,1,10}") + GOOD, "declares a class '10'; 0 to 9 expected"),
        (header(2, classes="{0,9}") + GOOD.replace("3\n", "4\n"), "holds label 4 in line 11; one of 0, 9 expected"),
        (header(2, classes="REAL") + GOOD.replace("3\n", "10\n"), "holds label 10 in line 11; one of 0, 1, 2"),
        (HEAD + GOOD[:8], "holds 1 rows of data, 3 expected: the file is cut short"),
        (HEAD, "holds 0 rows of data, 3 expected"),
        (HEAD + GOOD + "1,2,3\n", "holds more than 3 rows of data, 3 expected"),
        (HEAD + GOOD.replace("7,255,3", "7,3"), "holds 2 values in line 11, 3 expected"),
        (HEAD + GOOD.replace("7,255,3", "7,255,3,3"), "holds 4 values in line 11, 3 expected"),
        (HEAD + GOOD.replace("255", "256"), "holds '256' in line 11, column 2; a whole number from 0 to 255 expected"),
        (HEAD + GOOD.replace("255", "-1"), "holds '-1' in line 11, column 2"),
        (HEAD + GOOD.replace("255", "0.5"), "holds '0.5' in line 11, column 2"),
        (HEAD + GOOD.replace("255", "?"), "holds '?' in line 11, column 2"),
        (HEAD + GOOD.replace("255", "'5'"), "holds \"'5'\" in line 11, column 2"),
        (HEAD + GOOD.replace("255", "2 5"), "holds '2 5' in line 11, column 2"),
        (HEAD + GOOD.replace("255,3", "255,Bag"), "holds 'Bag' in line 11, column 3"),
        (HEAD + "% a comment\n\n" + GOOD.replace("10,9", "10,x"), "holds 'x' in line 14, column 3"),
        (HEAD + "{0 7, 1 255, 2 3}\n" + GOOD, "holds sparse rows, as {number value, …}; dense ones expected"),
    ],
)
def test_a_broken_file_is_refused_in_words(tmp_path: Path, text: str, expected: str) -> None:
    assert refused(tmp_path / "a.arff", text).startswith(f"a.arff {expected}")


def test_sparse_rows_are_refused_with_what_to_do(tmp_path: Path) -> None:
    said = refused(tmp_path / "a.arff", HEAD + "{2 3}\n" * 3)
    assert said.endswith("\n    Save it with every value of every row.")


@pytest.mark.parametrize("before", [b"", b"% \n" * 500_000, HEAD.encode(), (HEAD + GOOD).encode()])
def test_a_file_that_would_unpack_to_very_much_is_given_up(tmp_path: Path, before: bytes) -> None:
    said = refused(tmp_path / "a.arff.gz", zeros(64, 31, before))
    assert said.startswith(("a.arff.gz grows to more than 100 times", "a.arff.gz holds a line of more than 524,288"))


def test_attributes_without_end_are_given_up(tmp_path: Path) -> None:
    text = "@ATTRIBUTE pixel real\n" * 1_000_000
    assert refused(tmp_path / "a.arff", text).startswith("a.arff declares more than 3 attributes, 3 expected")


@pytest.mark.parametrize("harm", ["cut", "flipped"])
def test_a_damaged_gzip_is_refused_in_words(tmp_path: Path, harm: str) -> None:
    packed = bytearray(gzip.compress(arff_bytes()))
    if harm == "cut":
        del packed[-9:]
    else:
        packed[len(packed) // 2] ^= 255
    (tmp_path / "a.arff.gz").write_bytes(packed)
    with pytest.raises(BrokenFile):
        read_arff(tmp_path / "a.arff.gz", rows=len(table()), pixels=784, classes=10)
