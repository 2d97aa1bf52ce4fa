import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.datasets.dataset import Dataset
from bench.datasets.lesions import Lesions, check_order, resemblance
from bench.datasets.pixel_csv import PixelTable
from bench.datasets.skin_cancer import METADATA
from bench.datasets.source import BrokenFile
from tests.datasets.small_pictures import DIAGNOSES, STORED, Skin, metadata_text, noise, picture_bytes, write_skin


def read(folder: Path) -> Dataset:
    definition = Skin()
    return definition.read(next(definition.find(folder)))


def message(folder: Path) -> str:
    with pytest.raises(BrokenFile) as caught:
        read(folder)
    return str(caught.value)


@pytest.mark.parametrize(("side", "channels"), [(28, 3), (28, 1), (8, 3), (8, 1)])
def test_a_table_of_each_size_is_split_by_lesion(tmp_path: Path, side: int, channels: int) -> None:
    images = write_skin(tmp_path, side, channels)
    data = read(tmp_path)
    assert data.problem() is None
    assert data.split == "own split by lesion, version 1"
    row_of = {image.tobytes(): row for row, image in enumerate(images)}
    lesions = []
    for part in (data.train, data.test):
        rows = [row_of[image.tobytes()] for image in part.images]
        assert part.labels.tolist() == [STORED[DIAGNOSES[row]] for row in rows]
        assert part.groups is not None
        assert part.groups.tolist() == [row // 2 for row in rows]
        lesions.append({row // 2 for row in rows})
    assert lesions[0].isdisjoint(lesions[1])
    assert len(lesions[0] | lesions[1]) == 10


def test_without_the_metadata_the_table_is_half_a_data_set(tmp_path: Path) -> None:
    write_skin(tmp_path)
    (tmp_path / METADATA).unlink()
    with pytest.raises(BrokenFile, match=r"HAM10000_metadata.csv is missing: without it nothing tells") as caught:
        list(Skin().find(tmp_path))
    assert caught.value.advice == "Put it in the same folder, or omit --data-dir."


def test_metadata_in_another_order_are_not_trusted(tmp_path: Path) -> None:
    write_skin(tmp_path)
    header, *lines = metadata_text().splitlines()
    (tmp_path / METADATA).write_text("\n".join([header, *sorted(lines, key=lambda line: line.split(",")[1]), ""]))
    said = message(tmp_path)
    assert "hmnist_28_28_RGB.csv holds label 2 (bkl) in line 2, where HAM10000_metadata.csv says mel" in said
    assert "Take both files from one place" in said


def table_of(images: np.ndarray, lesions: Lesions) -> PixelTable:
    return PixelTable(images, lesions.labels, np.arange(2, len(images) + 2))


def alike_within_lesions(pairs: int) -> tuple[np.ndarray, Lesions]:
    """Two classes; each lesion's two pictures are a pattern of its own with some noise."""
    drawn = np.random.default_rng(3)
    pattern = np.repeat(drawn.integers(60, 190, (pairs, 64)), 2, axis=0)
    images = (pattern + drawn.integers(-40, 41, pattern.shape)).astype(np.uint8).reshape(-1, 8, 8, 1)
    lesions = np.repeat(np.arange(pairs), 2)
    return images, Lesions(tuple(map(str, range(2 * pairs))), lesions % 2, lesions)


def test_rows_exchanged_within_a_class_are_noticed_though_every_label_agrees(tmp_path: Path) -> None:
    images, lesions = alike_within_lesions(300)
    check_order(tmp_path / "t", tmp_path / "m", table_of(images, lesions), lesions, ("a", "b"))
    shuffled = np.arange(600)
    for class_id in (0, 1):
        rows = np.flatnonzero(lesions.labels == class_id)
        shuffled[rows] = np.random.default_rng(4).permutation(rows)
    with pytest.raises(BrokenFile, match="rows of one lesion are no more alike than others"):
        check_order(tmp_path / "t", tmp_path / "m", table_of(images[shuffled], lesions), lesions, ("a", "b"))


def test_resemblance_is_a_half_where_lesions_mean_nothing() -> None:
    _, lesions = alike_within_lesions(2000)
    share, pairs = resemblance(noise((4000, 8, 8, 1), 1), lesions)
    assert pairs == 2000
    assert 0.45 < share < 0.55  # four standard deviations of a coin thrown 2,000 times


def write_pictures(folder: Path, *, zipped: bool = False) -> dict[str, bytes]:
    (folder / METADATA).write_text(metadata_text())
    made = {}
    for row in range(20):
        name = f"ISIC_{100 - row:07}"
        part = f"HAM10000_images_part_{1 + row % 2}"
        content = picture_bytes(noise((45, 60, 3), row), "JPEG")
        made[name] = content
        if zipped:
            with zipfile.ZipFile(folder / f"{part}.zip", "a") as archive:
                archive.writestr(f"{name}.jpg", content)
        else:
            (folder / part).mkdir(exist_ok=True)
            (folder / part / f"{name}.jpg").write_bytes(content)
    return made


@pytest.mark.parametrize("zipped", [False, True])
def test_jpeg_files_give_what_pillow_scales_them_to(tmp_path: Path, zipped: bool) -> None:
    made = write_pictures(tmp_path, zipped=zipped)
    source = next(Skin().find(tmp_path))
    data = Skin().read(source)
    assert (source.format, data.train.shape) == ("JPEG as 28x28 RGB", (28, 28, 3))
    expected = {
        np.asarray(Image.open(io.BytesIO(content)).resize((28, 28), Image.Resampling.LANCZOS)).tobytes(): 100
        - int(name[5:])
        for name, content in made.items()
    }
    for part in (data.train, data.test):
        rows = [expected[image.tobytes()] for image in part.images]
        assert part.labels.tolist() == [STORED[DIAGNOSES[row]] for row in rows]


def test_jpeg_files_and_a_table_are_split_alike(tmp_path: Path) -> None:
    write_pictures(tmp_path)
    pictures = read(tmp_path)
    write_skin(tmp_path)
    table = read(tmp_path)
    assert table.test.groups is not None
    assert pictures.test.groups is not None
    assert table.test.groups.tolist() == pictures.test.groups.tolist()


def test_a_part_of_the_pictures_is_half_a_data_set_but_not_beside_a_table(tmp_path: Path) -> None:
    write_pictures(tmp_path)
    (tmp_path / "HAM10000_images_part_1" / "ISIC_0000100.jpg").unlink()
    with pytest.raises(BrokenFile, match="hold 19 pictures, 20 expected") as caught:
        list(Skin().find(tmp_path))
    assert caught.value.advice == "Add the others, or omit --data-dir."
    write_skin(tmp_path)
    assert [source.format for source in Skin().find(tmp_path)] == ["hmnist 28x28 RGB"]


def test_a_picture_that_the_metadata_name_must_be_there(tmp_path: Path) -> None:
    write_pictures(tmp_path)
    folder = tmp_path / "HAM10000_images_part_1"
    (folder / "ISIC_0000100.jpg").rename(folder / "ISIC_9999999.jpg")
    assert "names ISIC_0000100, but no such picture exists" in message(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("bkl", "bkx", "holds dx 'bkx' in line 2; one of akiec, bcc"),
        ("HAM_0000000,", ",", "names no lesion in line 2"),
        ("ISIC_0000100", "", "names no picture in line 2"),
        ("ISIC_0000100", "ISIC_0000099", "names a picture twice"),
        ("HAM_0000002", "HAM_0000000", "gives lesion 'HAM_0000000' two classes, the second in line 6"),
        ("lesion_id", "lesion", "has no column lesion_id"),
        ("HAM_0000009,ISIC_0000081,mel,histo,80.0,male,scalp\n", "", "holds 19 rows of data, 20 expected"),
    ],
)
def test_broken_metadata_are_refused_in_words(tmp_path: Path, old: str, new: str, expected: str) -> None:
    write_skin(tmp_path)
    (tmp_path / METADATA).write_text(metadata_text().replace(old, new, 1))
    assert f"{METADATA} {expected}" in message(tmp_path)


def test_metadata_that_are_no_text_are_refused(tmp_path: Path) -> None:
    write_skin(tmp_path)
    (tmp_path / METADATA).write_bytes(b"\xff\xfe\x00")
    assert "is not a text table" in message(tmp_path)


def test_metadata_with_crlf_as_on_kaggle_are_read(tmp_path: Path) -> None:
    write_skin(tmp_path)
    (tmp_path / METADATA).write_bytes(metadata_text().replace("\n", "\r\n").encode())
    assert len(read(tmp_path).train) + len(read(tmp_path).test) == 20


def test_the_licence_says_that_it_is_not_for_commercial_use() -> None:
    assert "non-commercial" in Skin.licence
    assert Skin.restricted
