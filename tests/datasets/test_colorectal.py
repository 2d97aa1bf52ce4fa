import hashlib
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.datasets.colorectal import CLASS_FOLDERS, TILES, ColorectalHistology, slide_ids
from bench.datasets.dataset import Dataset
from bench.datasets.download import Bundle, RemoteFile
from bench.datasets.hmnist import GREY_8, RGB_8, RGB_28
from bench.datasets.search import Search
from bench.datasets.skin_cancer import SkinCancer
from bench.datasets.source import BrokenFile, DatasetUnavailable
from bench.datasets.stratified import OWN_SPLIT
from tests.datasets.small_pictures import PER_CLASS, Tissue, hmnist_bytes, noise, picture_bytes, tile_name, write_tiles

LABELS = np.repeat([2, 5, 7, 6, 8, 1, 4, 3], PER_CLASS)
"""As stored, in the order of the classes in the published tables."""


class Tiles150(Tissue):
    """The tiles as they are."""

    from bench.datasets.colorectal import TILE_FORM

    forms = (TILE_FORM,)


def read(folder: Path) -> Dataset:
    definition = Tissue()
    return definition.read(next(definition.find(folder)))


def write_table(folder: Path, side: int, mode: str, labels: np.ndarray = LABELS) -> np.ndarray:
    images = noise((len(labels), side, side, 3 if mode == "RGB" else 1), side)
    (folder / f"hmnist_{side}_{side}_{mode}.csv").write_bytes(hmnist_bytes(images, labels))
    return images


@pytest.mark.parametrize(("side", "mode"), [(28, "RGB"), (28, "L"), (64, "L"), (8, "RGB"), (8, "L")])
def test_a_table_of_each_size_is_read_with_labels_from_0_and_split_by_class(
    tmp_path: Path, side: int, mode: str
) -> None:
    images = write_table(tmp_path, side, mode)
    data = read(tmp_path)
    assert data.problem() is None
    assert (data.split, data.title) == (OWN_SPLIT, f"Colorectal Histology MNIST, {side}x{side} {mode}")
    assert np.bincount(data.train.labels).tolist() == [8] * 8
    assert np.bincount(data.test.labels).tolist() == [2] * 8
    held = {
        image.tobytes(): label
        for part in (data.train, data.test)
        for image, label in zip(part.images, part.labels, strict=True)
    }
    assert held == {image.tobytes(): label - 1 for image, label in zip(images, LABELS, strict=True)}


def test_28x28_in_colour_goes_before_other_sizes_and_larger_ones_before_smaller(tmp_path: Path) -> None:
    for side, mode in ((8, "L"), (8, "RGB"), (64, "L"), (28, "L"), (28, "RGB")):
        write_table(tmp_path, side, mode)
    assert [source.format for source in Tissue().find(tmp_path)] == [
        "hmnist 28x28 RGB",
        "hmnist 64x64 L",
        "hmnist 28x28 L",
        "hmnist 8x8 RGB",
        "hmnist 8x8 L",
    ]


def test_tiles_are_scaled_by_lanczos_and_no_slide_is_on_both_sides(tmp_path: Path) -> None:
    made = write_tiles(tmp_path)
    definition = Tissue()
    source = next(definition.find(tmp_path))
    data = definition.read(source)
    assert (source.format, data.split) == ("TIFF tiles as 28x28 RGB", "own split by slide, version 1")
    expected = {
        np.asarray(Image.fromarray(pixels).resize((28, 28), Image.Resampling.LANCZOS)).tobytes(): path
        for path, pixels in made.items()
    }
    slides = []
    for part in (data.train, data.test):
        paths = [expected[image.tobytes()] for image in part.images]
        assert [CLASS_FOLDERS[label] for label in part.labels] == [path.split("/")[0] for path in paths]
        slides.append({path.split("HE-")[1][:2] for path in paths})
        assert part.groups is not None
        assert [f"{group + 1:02}" for group in part.groups] == [path.split("HE-")[1][:2] for path in paths]
    assert slides[0].isdisjoint(slides[1])
    assert len(data.test) == 16


@pytest.mark.parametrize("layout", ["the zip", "Kaggle's folder in a folder", "the folder itself"])
def test_tiles_in_other_layouts_give_the_same_data(tmp_path: Path, layout: str) -> None:
    write_tiles(tmp_path / "a")
    expected = read(tmp_path / "a")
    where, other = tmp_path / "a" / TILES, tmp_path / "b"
    if layout == "the zip":
        other.mkdir()
        with zipfile.ZipFile(other / f"{TILES}.zip", "w") as archive:
            archive.writestr(f"__MACOSX/{CLASS_FOLDERS[0]}/._shadow.tif", "no picture")
            for file in where.rglob("*.tif"):
                archive.write(file, f"{TILES}/{file.relative_to(where).as_posix()}")
    elif layout == "the folder itself":
        other = where
    else:
        other.mkdir()
        (other / TILES).mkdir()
        where.rename(other / TILES / TILES)
    data = read(other)
    assert np.array_equal(data.train.images, expected.train.images)
    assert np.array_equal(data.test.labels, expected.test.labels)


def zip_tiles(folder: Path, tiles: Path) -> Path:
    """The tiles as Zenodo has them."""
    folder.mkdir()
    with zipfile.ZipFile(folder / f"{TILES}.zip", "w") as archive:
        for file in sorted(tiles.rglob("*.tif")):
            archive.write(file, f"{TILES}/{file.relative_to(tiles).as_posix()}")
    return folder / f"{TILES}.zip"


def test_the_published_zip_is_verified_by_its_hash_and_another_is_not(tmp_path: Path) -> None:
    write_tiles(tmp_path)
    packed = zip_tiles(tmp_path / "data", tmp_path / TILES)
    for content, verified in ((packed.read_bytes(), True), (b"other", False)):
        published = RemoteFile(
            packed.name, ("http://nowhere/",), packed.stat().st_size, hashlib.sha256(content).hexdigest()
        )
        name = f"tissue-{verified}"
        definition = type("Published", (Tissue,), {"name": name, "downloads": (Bundle((published,)),)})()
        assert Search(definition, packed.parent, True, print).run().info.verified is verified


def test_tables_of_unknown_sizes_are_taken_in_common_places_and_other_data_in_a_known_one_are_not(
    tmp_path: Path,
) -> None:
    place = tmp_path / "kaggle" / "colorectal-histology-mnist"  # what the tests' conftest calls Kaggle's input
    place.mkdir(parents=True)
    write_table(place, 8, "RGB")
    with pytest.raises(DatasetUnavailable, match="other data than published"):
        Search(Tissue(), None, True, print).run()
    write_table(place, 28, "RGB")
    info = Search(Tissue(), None, True, print).run().info
    assert (info.shape, info.verified, info.source) == ((28, 28, 3), False, "hmnist 28x28 RGB, Kaggle input")


def test_tiles_whose_names_tell_no_slide_are_split_by_class(tmp_path: Path) -> None:
    write_tiles(tmp_path, slide=False)
    data = read(tmp_path)
    assert (data.split, data.train.groups) == (OWN_SPLIT, None)


def test_tiles_can_be_had_as_they_are(tmp_path: Path) -> None:
    made = write_tiles(tmp_path)
    definition = Tiles150()
    data = definition.read(next(definition.find(tmp_path)))
    held = [image.tobytes() for part in (data.train, data.test) for image in part.images]
    assert sorted(held) == sorted(pixels.tobytes() for pixels in made.values())


def test_grey_is_the_scaled_colour_with_its_brightness_cut_off(tmp_path: Path) -> None:
    made = write_tiles(tmp_path)
    definition = type("Grey", (Tissue,), {"forms": (GREY_8,)})()
    data = definition.read(next(definition.find(tmp_path)))
    scaled = [np.asarray(Image.fromarray(pixels).resize((8, 8), Image.Resampling.LANCZOS)) for pixels in made.values()]
    expected = [np.floor(pixels @ np.array([0.299, 0.587, 0.114]) + 1e-4).astype(np.uint8) for pixels in scaled]
    held = np.concatenate([data.train.images, data.test.images])
    assert sorted(held.reshape(-1, 64).sum(axis=1).tolist()) == sorted(int(grey.sum()) for grey in expected)


def test_a_slide_is_read_from_a_tiles_name() -> None:
    names = ["1A11_CRC-Prim-HE-07_022.tif_Row_601_Col_151.tif", "1A3D_CRC-Prim-HE-02_copy.tif_Row_151_Col_301.tif"]
    ids = slide_ids(names)
    assert ids is not None
    assert ids.tolist() == [1, 0]
    assert slide_ids([*names, "tile.tif"]) is None


def test_a_few_tiles_are_half_a_data_set_but_not_beside_a_table(tmp_path: Path) -> None:
    file = tmp_path / TILES / tile_name(0, 0)
    file.parent.mkdir(parents=True)
    file.write_bytes(picture_bytes(noise((150, 150, 3), 0), "TIFF"))
    with pytest.raises(BrokenFile, match=f"{TILES} holds 1 tiles, 80 expected"):
        list(Tissue().find(tmp_path))
    write_table(tmp_path, 8, "RGB")
    assert [source.format for source in Tissue().find(tmp_path)] == ["hmnist 8x8 RGB"]


def test_forms_are_ranked_as_they_are_preferred() -> None:
    """Whatever they were read from: a source's format, alone or with its place behind it."""
    preferred = [
        "hmnist 28x28 RGB, Kaggle input",
        "TIFF tiles as 64x64 L, fetched from zenodo.org, zenodo.org",
        "hmnist 28x28 L",
        "hmnist 8x8 RGB, the user's folder",
        "hmnist 8x8 L",
    ]
    assert sorted(reversed(preferred), key=ColorectalHistology().rank) == preferred
    skins = ["JPEG as 28x28 RGB", "hmnist 28x28 L", "hmnist 8x8 RGB, x", "hmnist 8x8 L"]
    assert sorted(reversed(skins), key=SkinCancer().rank) == skins


def test_a_label_outside_1_to_8_and_a_class_of_the_wrong_size_are_refused(tmp_path: Path) -> None:
    write_table(tmp_path, 8, "RGB", np.array([*LABELS[:-1], 0]))
    with pytest.raises(BrokenFile, match="holds label 0 in line 81; 1 to 8 expected"):
        read(tmp_path)
    write_table(tmp_path, 8, "RGB", np.array([*LABELS[:-1], 1]))
    with pytest.raises(BrokenFile, match="holds 11 images of class tumor, 10 expected"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (picture_bytes(noise((149, 150, 3), 0), "TIFF"), "has 150x149 pixels; 150x150 expected"),
        (picture_bytes(noise((150, 150, 3), 0), "PNG"), "cannot be decoded as TIFF"),
        (picture_bytes(noise((150, 150, 4), 0), "TIFF"), "has the mode RGBA; 8-bit RGB expected"),
        (picture_bytes(noise((150, 150, 3), 0), "TIFF")[:5000], "cannot be decoded as TIFF"),
        (b"", "cannot be decoded as TIFF"),
        (bytes(1 << 24) + b"1", "holds more than 4,194,304 bytes"),
    ],
    ids=["size", "format", "mode", "cut short", "empty", "huge"],
)
def test_a_broken_tile_is_refused_by_name(tmp_path: Path, content: bytes, expected: str) -> None:
    write_tiles(tmp_path)
    (tmp_path / TILES / tile_name(3, 4)).write_bytes(content)
    with pytest.raises(BrokenFile) as caught:
        read(tmp_path)
    assert expected in str(caught.value)
    assert str(caught.value).startswith("1A04_CRC-Prim-HE-05_03.tif_Row_1_Col_4.tif ")


def test_a_tile_with_any_bytes_changed_is_refused_in_words_or_decoded(tmp_path: Path) -> None:
    write_tiles(tmp_path)
    tile = tmp_path / TILES / tile_name(0, 0)
    good = tile.read_bytes()
    from bench.datasets.colorectal import TIFF
    from bench.datasets.pictures import Picture, decoded

    drawn = np.random.default_rng(5)
    tags = drawn.integers(len(good) - 300, len(good), 100)  # where Pillow writes the tags of a TIFF, at its end
    for place in [*range(16), *tags.tolist()]:
        changed = bytearray(good)
        changed[place] ^= int(drawn.integers(1, 256))
        tile.write_bytes(changed)
        try:
            pictures = list(decoded([Picture(tile)], TIFF, (28, 28), "RGB"))
        except BrokenFile:
            continue
        assert pictures[0].shape == RGB_28.shape


def test_tables_are_named_by_size_and_mode() -> None:
    assert [form.table for form in (RGB_8, GREY_8)] == ["hmnist_8_8_RGB.csv", "hmnist_8_8_L.csv"]
