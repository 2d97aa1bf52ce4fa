import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.datasets.catalog import load, resolve
from bench.datasets.stratified import OWN_SPLIT
from bench.errors import BenchError
from tests.datasets.small import write_idx


def save(path: Path, **arrays: object) -> str:
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return str(path)


def picture(path: Path, value: int, mode: str = "L", size: tuple[int, int] = (3, 2)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(path)


def message(name: str) -> str:
    with pytest.raises(BenchError) as caught:
        resolve(name)
    return str(caught.value)


def test_an_npz_without_a_test_part_is_split_by_the_harness_and_says_so(tmp_path: Path) -> None:
    labels = np.array([3, 5] * 10)
    images = np.arange(20)[:, None, None] * np.ones((20, 4, 4))
    info = resolve(save(tmp_path / "mine.npz", images=images, labels=labels)).info
    assert (info.name, info.title, info.verified) == ("mine", "mine.npz (the user's own)", False)
    assert (info.train_rows, info.test_rows, info.split) == (16, 4, OWN_SPLIT)
    assert (info.shape, info.class_names) == ((4, 4, 1), ("3", "5"))


def test_cached_arrays_that_were_changed_are_decoded_anew_and_that_is_said(tmp_path: Path) -> None:
    name = save(tmp_path / "mine.npz", X=np.arange(320).reshape(20, 4, 4) % 7, y=[3, 5] * 10)
    folder = resolve(name).folder
    labels = load(folder).test.labels.tolist()
    np.save(folder / "test-labels.npy", np.full(4, 99))
    said: list[str] = []
    assert load(resolve(name, say=said.append).folder).test.labels.tolist() == labels
    assert said == ["the cached arrays of mine are damaged; decoding again", "decoding mine.npz (npz)"]


def test_train_and_test_parts_are_kept_as_they_are(tmp_path: Path) -> None:
    x_train, x_test = np.full((6, 4, 4), 200, np.uint8), np.full((2, 4, 4), 100, np.uint8)
    cached = resolve(save(tmp_path / "a.npz", x_train=x_train, y_train=[1, 2] * 3, x_test=x_test, y_test=[2, 1]))
    data = load(cached.folder)
    assert cached.info.split == "the user's"
    assert data.train.labels.tolist() == [0, 1, 0, 1, 0, 1]
    assert data.test.labels.tolist() == [1, 0]
    np.testing.assert_array_equal(data.test.images[..., 0], x_test)
    assert data.train.scale == 255


@pytest.mark.parametrize(
    ("images", "dtype", "scale"),
    [
        (np.linspace(0, 1, 160).reshape(10, 4, 4), np.float32, 1),
        (np.arange(160.0).reshape(10, 4, 4), np.uint8, 255),
        (np.arange(160).reshape(10, 4, 4) % 17, np.uint8, 16),
        (np.arange(160).reshape(10, 4, 4) % 2 == 0, np.uint8, 1),
    ],
    ids=["floats", "whole floats", "17 grey levels", "binary"],
)
def test_the_type_and_the_scale_follow_from_the_values(
    tmp_path: Path, images: np.ndarray, dtype: type, scale: float
) -> None:
    data = load(resolve(save(tmp_path / "a.npz", X=images, y=[0, 1] * 5)).folder)
    assert data.train.images.dtype == dtype
    assert data.train.scale == scale


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((10, 16), (4, 4, 1)),
        ((10, 48), (4, 4, 3)),
        ((10, 5, 4), (5, 4, 1)),
        ((10, 5, 4, 3), (5, 4, 3)),
        ((10, 3, 5, 4), (5, 4, 3)),
    ],
)
def test_the_shape_is_understood(tmp_path: Path, shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert resolve(save(tmp_path / "a.npz", X=np.ones(shape, np.uint8), y=[0, 1] * 5)).info.shape == expected


def test_channels_first_become_channels_last(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 3, 5, 6), dtype=np.uint8)
    parts = {"x_train": images, "y_train": [0, 1, 0, 1], "x_test": images, "y_test": [0, 1, 0, 1]}
    data = load(resolve(save(tmp_path / "a.npz", **parts)).folder)
    assert data.train.images[1, 2, 3, 0] == images[1, 0, 2, 3]


@pytest.mark.parametrize(
    ("images", "labels", "expected"),
    [
        (np.ones((10, 4, 4)), [0, 1] * 4, "holds 10 images, but 8 labels"),
        (np.full((10, 4, 4), np.nan), [0, 1] * 5, "not finite"),
        (np.full((10, 4, 4), -1), [0, 1] * 5, "values from -1 to -1"),
        (np.full((10, 4, 4), 1.5), [0, 1] * 5, "values from 1.5 to 1.5"),
        (np.ones((10, 15)), [0, 1] * 5, "15 values an image, which make no square"),
        (np.ones((10, 2, 2, 2, 2, 2)), [0, 1] * 5, "(n, height, width)"),
        (np.array([["a"] * 4] * 10), [0, 1] * 5, "numbers expected"),
        (np.ones((0, 4, 4)), [], "nothing in them"),
        (np.ones((10, 4, 4)), [0] * 10, "one value only"),
        (np.ones((10, 4, 4)), [0.5, 1] * 5, "not whole numbers"),
        (np.ones((10, 4, 4)), range(10), "10 distinct values in 10 rows"),
        (np.ones((10, 4, 4)), np.eye(10), "one label a row"),
    ],
)
def test_arrays_that_make_no_data_set_are_refused_in_words(
    tmp_path: Path, images: object, labels: object, expected: str
) -> None:
    said = message(save(tmp_path / "a.npz", X=images, y=np.array(labels)))
    assert expected in said
    assert said.startswith("a.npz holds")


def test_a_test_label_that_was_never_trained_on_is_refused(tmp_path: Path) -> None:
    images = np.ones((4, 4, 4))
    said = message(save(tmp_path / "a.npz", x_train=images, y_train=list("abab"), x_test=images, y_test=list("abac")))
    assert "labels that hold 'c' in the test part, but not in the training part" in said


def test_words_become_class_names_in_alphabetical_order(tmp_path: Path) -> None:
    path = tmp_path / "pets.csv"
    path.write_text("label,a,b,c,d\n" + "dog,1,2,3,4\ncat,5,6,7,8\n" * 5)
    cached = resolve(str(path))
    assert (cached.info.name, cached.info.class_names, cached.info.shape) == ("pets", ("cat", "dog"), (2, 2, 1))


def test_numbers_as_labels_keep_numerical_order(tmp_path: Path) -> None:
    info = resolve(save(tmp_path / "a.npz", X=np.ones((6, 4, 4)), y=[10, 9, 2] * 2)).info
    assert info.class_names == ("2", "9", "10")


def test_a_folder_of_images_is_labelled_by_its_folders(tmp_path: Path) -> None:
    for part, rows in (("train", 3), ("test", 1)):
        for label, value in (("cat", 10), ("dog", 200)):
            for row in range(rows):
                picture(tmp_path / "pets" / part / label / f"{row}.png", value + row)
    cached = resolve(str(tmp_path / "pets"))
    data = load(cached.folder)
    assert (cached.info.train_rows, cached.info.test_rows, cached.info.shape) == (6, 2, (2, 3, 1))
    assert data.train.images[:, 0, 0, 0].tolist() == [10, 11, 12, 200, 201, 202]
    assert data.train.labels.tolist() == [0, 0, 0, 1, 1, 1]


def test_one_colour_image_gives_all_images_three_channels(tmp_path: Path) -> None:
    for row in range(3):
        picture(tmp_path / "pets" / "cat" / f"{row}.png", 10)
        picture(tmp_path / "pets" / "dog" / f"{row}.png", 0x0000FF, "RGB")  # Pillow's integers are BGR
    data = load(resolve(str(tmp_path / "pets")).folder)
    assert data.train.images[data.train.labels == 1][0, 0, 0].tolist() == [255, 0, 0]
    assert data.train.images[data.train.labels == 0][0, 0, 0].tolist() == [10, 10, 10]


def test_images_of_different_size_are_refused_with_both_sizes(tmp_path: Path) -> None:
    picture(tmp_path / "pets" / "cat" / "a.png", 1)
    picture(tmp_path / "pets" / "dog" / "b.png", 1, size=(4, 4))
    assert "b.png has 4x4 pixels, but a.png has 3x2" in message(str(tmp_path / "pets"))


def test_a_file_that_is_no_image_is_refused(tmp_path: Path) -> None:
    picture(tmp_path / "pets" / "cat" / "a.png", 1)
    (tmp_path / "pets" / "cat" / "b.png").write_text("no image")
    assert "b.png cannot be read as an image" in message(str(tmp_path / "pets"))


def test_an_image_cut_short_is_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    (tmp_path / "pets" / "cat").mkdir(parents=True)
    Image.fromarray(noise).save(tmp_path / "pets" / "cat" / "a.png")
    whole = (tmp_path / "pets" / "cat" / "a.png").read_bytes()
    (tmp_path / "pets" / "cat" / "b.png").write_bytes(whole[:1000])
    assert "b.png cannot be decoded" in message(str(tmp_path / "pets"))


def test_a_folder_without_images_is_refused_with_the_layout(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "train/<class>/*.png and test/<class>/*.png (or training/ and testing/)" in message(str(tmp_path / "empty"))


def test_parts_may_be_called_training_and_testing(tmp_path: Path) -> None:
    for part, rows in (("training", 3), ("testing", 1)):
        for label in ("0", "1"):
            for row in range(rows):
                picture(tmp_path / "mine" / part / label / f"{row}.png", row)
    info = resolve(str(tmp_path / "mine")).info
    assert (info.train_rows, info.test_rows, info.class_names, info.split) == (6, 2, ("0", "1"), "the user's")


def test_a_training_folder_with_another_part_than_test_is_refused(tmp_path: Path) -> None:
    picture(tmp_path / "pets" / "train" / "cat" / "a.png", 1)
    picture(tmp_path / "pets" / "val" / "cat" / "a.png", 1)
    assert "holds train/ beside val/, but no test/" in message(str(tmp_path / "pets"))


@pytest.mark.parametrize("unreadable", ["own", "a"])
def test_a_folder_that_may_not_be_read_is_an_error_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unreadable: str
) -> None:
    (tmp_path / "own" / "a").mkdir(parents=True)
    listed = Path.iterdir

    def refusing(folder: Path) -> Iterator[Path]:
        if folder.name == unreadable:
            raise PermissionError(13, "Permission denied")  # as root meets nowhere
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", refusing)
    with pytest.raises(BenchError, match=f"^{unreadable} cannot be read: Permission denied"):
        resolve(str(tmp_path / "own"))


def test_names_of_a_foreign_folder_are_said_without_control_characters(tmp_path: Path) -> None:
    if os.name != "posix":
        pytest.skip("such names are POSIX systems' only")
    (tmp_path / "own" / "a").mkdir(parents=True)
    (tmp_path / "own" / "a" / "1\x1b]0;owned\x07.png").write_text("none")
    with pytest.raises(BenchError) as caught:
        resolve(str(tmp_path / "own"))
    assert str(caught.value).startswith(r"1\x1b]0;owned\x07.png cannot be read as an image.")


def test_a_folder_of_idx_files_is_a_data_set(tmp_path: Path) -> None:
    info = resolve(str(write_idx(tmp_path / "ours"))).info
    assert (info.name, info.train_rows, info.test_rows, info.shape) == ("ours", 20, 10, (28, 28, 1))


def test_a_file_named_like_a_catalogued_data_set_is_not_taken_for_it(tmp_path: Path) -> None:
    path = save(tmp_path / "digits.npz", X=np.ones((10, 4, 4)), y=[0, 1] * 5)
    assert resolve(path).info.name == "own-digits"


def test_a_folder_named_like_a_catalogued_data_set_does_not_hide_it() -> None:
    Path("digits").mkdir()
    assert resolve("digits").info.verified


def test_a_changed_file_is_read_anew_and_an_unchanged_one_is_not(tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "a.npz"
    save(path, X=np.ones((10, 4, 4)), y=[0, 1] * 5)
    first = resolve(str(path), say=said.append)
    assert resolve(str(path), say=said.append) == first
    assert said == ["decoding a.npz (npz)"]
    save(path, X=np.ones((10, 5, 5)), y=[0, 1] * 5)
    assert resolve(str(path), say=said.append).info.shape == (5, 5, 1)
    assert len(said) == 2


@pytest.mark.parametrize("name", ["./nothing.npz", "nothing.csv", "some/where/else"])
def test_a_path_that_leads_nowhere_is_an_error_in_words(name: str) -> None:
    assert f"data set {Path(name).name!r}: no such file or folder" in message(name)


def test_an_unknown_format_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("")
    assert "a.parquet is of no known format" in message(str(tmp_path / "a.parquet"))


def test_nothing_that_is_kept_of_a_data_set_names_the_users_folders(tmp_path: Path) -> None:
    cached = resolve(save(tmp_path / "a.npz", X=np.ones((10, 4, 4)), y=[0, 1] * 5))
    assert str(tmp_path) not in cached.info.note().model_dump_json() + cached.info.source
    assert str(tmp_path) not in (cached.folder / "info.json").read_text()
