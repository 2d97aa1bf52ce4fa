"""Small hostile files, drawn by hypothesis, so that what fails is shown at its smallest."""

import gzip
import io
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bench.datasets.dataset import Dataset
from bench.datasets.emnist import EmnistLetters
from bench.datasets.idx import read_idx
from bench.datasets.pixel_csv import PixelTable, read_pixel_table
from bench.datasets.source import BrokenFile
from tests.datasets.small import idx_bytes
from tests.datasets.small_emnist import lay, letters, part_files, upright, zipped

QUICK = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WHOLE = idx_bytes((2, 2, 3), bytes(range(12)))
SMALL = zipped(letters(train=3, test=3))
TABLES = st.integers(1, 5).flatmap(
    lambda pixels: st.lists(
        st.lists(st.integers(0, 255), min_size=pixels + 1, max_size=pixels + 1), min_size=1, max_size=20
    )
)


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _read_letters(folder: Path, archive: bytes) -> Dataset:
    definition = EmnistLetters()
    (source,) = definition.find(lay(folder, {"gzip.zip": archive}))
    return definition.read(source)


def _read_table(text: bytes, rows: int, pixels: int) -> PixelTable:
    return read_pixel_table(io.BytesIO(text), Path("a.csv"), rows=rows, pixels=pixels)


def _text_of(rows: list[list[int]]) -> bytes:
    header = ["label", *(f"pixel{number}" for number in range(len(rows[0]) - 1))]
    return "".join(
        ",".join(line) + "\n" for line in [header, *([str(value) for value in row] for row in rows)]
    ).encode()


@given(data=st.data())
@QUICK
def test_a_gzip_file_with_any_byte_changed_gives_the_same_values_or_one_clear_error(
    tmp_path: Path, data: st.DataObject
) -> None:
    content = bytearray(gzip.compress(WHOLE, mtime=0))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    try:
        values = read_idx(_written(tmp_path / "a.gz", bytes(content)), 3)
    except BrokenFile:
        pass  # any other error fails the test
    else:  # the change hit what carries no data: time, system, flags of the gzip header
        assert values.tobytes() == bytes(range(12))


@given(data=st.data())
@QUICK
def test_an_archive_with_bytes_changed_anywhere_gives_the_same_data_or_an_error_in_words(
    tmp_path: Path, data: st.DataObject
) -> None:
    content = bytearray(SMALL)
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        found = _read_letters(tmp_path, bytes(content))
    except BrokenFile:
        return  # any other error fails the test
    held = {"train": found.train, "test": found.test}
    whole = {"train": upright(3, 1).tobytes(), "test": upright(3, 2).tobytes()}
    if found.split.startswith("rows of"):  # the names of both parts are unhurt: so must be their content
        assert {name: part.images.tobytes() for name, part in held.items()} == whole


@given(
    shape=st.tuples(st.integers(0, 4), st.integers(26, 29), st.integers(26, 29)),
    labels=st.lists(st.integers(0, 255), max_size=5),
    pixels=st.integers(0, 4 * 29 * 29),
)
@QUICK
def test_hostile_content_well_wrapped_is_read_or_refused_in_words(
    tmp_path: Path, shape: tuple[int, int, int], labels: list[int], pixels: int
) -> None:
    files = part_files("emnist-letters", "train", upright(3, 1), [1, 2, 3])
    files["emnist-letters-test-images-idx3-ubyte.gz"] = idx_bytes(shape, bytes(pixels))
    files["emnist-letters-test-labels-idx1-ubyte.gz"] = idx_bytes((len(labels),), bytes(labels))
    try:
        data = _read_letters(tmp_path, zipped(files))
    except BrokenFile:
        return
    assert (data.test.images.shape, data.test.labels.tolist()) == (
        (shape[0], 28, 28, 1),
        [label - 1 for label in labels],
    )


@given(TABLES, st.data())
@settings(max_examples=100, deadline=None)
def test_a_table_with_one_byte_changed_is_refused_or_read_as_python_reads_it(
    rows: list[list[int]], data: st.DataObject
) -> None:
    text = bytearray(_text_of(rows))
    text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    try:
        table = _read_table(bytes(text), len(rows), len(rows[0]) - 1)
    except BrokenFile:
        return
    lines = [line for line in text.decode("utf-8", "replace").replace("\r\n", "\n").split("\n") if line]
    expected = [list(map(int, line.split(","))) for line in lines[1:]]
    assert [[label, *pixels] for label, pixels in zip(table.labels, table.pixels.tolist(), strict=True)] == expected


@given(st.binary(max_size=60))
@example(b"0,1,2\n0,256,2\n")
@example(b"0,1,2\n0,300,2\n")
@example(b"0,1,2\n0,0001,2\n")
@settings(max_examples=100, deadline=None)
def test_any_bytes_below_the_header_are_refused_or_read_as_python_reads_them(body: bytes) -> None:
    try:
        table = _read_table(b"label,a,b\n" + body, 2, 2)
    except BrokenFile:
        return
    lines = [line for line in body.replace(b"\r\n", b"\n").split(b"\n") if line.strip()]
    assert table.pixels.tolist() == [list(map(int, line.split(b",")[1:])) for line in lines]
