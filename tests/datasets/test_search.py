import gzip
from pathlib import Path

import pytest

from bench.datasets import places
from bench.datasets.cache import CachedDataset
from bench.datasets.catalog import resolve
from bench.datasets.search import Search
from bench.datasets.source import DatasetUnavailable
from bench.errors import BenchError, UnknownName
from tests.datasets.small import Tiny, fingerprint_of, idx_bytes, write_idx, write_npz


class Spy:
    """Searches for ``Tiny`` and counts how often something was decoded."""

    def __init__(self, known: frozenset[str] = frozenset()) -> None:
        self.said: list[str] = []
        self.definition = type("Known", (Tiny,), {"fingerprints": known})()

    def run(self, data_dir: Path | None = None, foreign: frozenset[str] = frozenset()) -> CachedDataset:
        return self.search(data_dir, foreign).run()

    def search(self, data_dir: Path | None, foreign: frozenset[str] = frozenset()) -> Search:
        return Search(self.definition, data_dir, True, self.said.append, foreign)


@pytest.mark.parametrize("folder", ["tiny", "."])
@pytest.mark.parametrize("zipped", [True, False])
def test_idx_files_are_found_in_the_users_folder_and_below_it(tmp_path: Path, folder: str, zipped: bool) -> None:
    write_idx(tmp_path / "data" / folder, zipped=zipped)
    info = Spy().run(tmp_path / "data").info
    assert (info.train_rows, info.test_rows, info.shape, info.verified) == (20, 10, (28, 28, 1), False)
    assert info.source == "IDX, the user's folder"


def test_the_same_data_have_one_fingerprint_in_every_format(tmp_path: Path) -> None:
    write_idx(tmp_path / "zipped", zipped=True)
    write_idx(tmp_path / "plain", zipped=False)
    write_npz(tmp_path / "npz" / "tiny.npz")
    found = {Spy().run(tmp_path / kind).info.fingerprint for kind in ("zipped", "plain", "npz")}
    assert found == {fingerprint_of(tmp_path / "plain")}


def test_names_with_a_dot_before_idx_are_found(tmp_path: Path) -> None:
    for file in write_idx(tmp_path, zipped=False).glob("*-idx*"):
        file.rename(file.with_name(file.name.replace("-idx", ".idx")))
    assert Spy().run(tmp_path).info.train_rows == 20


def test_a_second_search_decodes_nothing(tmp_path: Path) -> None:
    write_idx(tmp_path)
    spy = Spy()
    first = spy.run(tmp_path)
    assert spy.run(tmp_path) == first
    assert spy.said == ["decoding tiny (IDX)"]


def test_published_data_in_the_cache_are_found_without_their_source(tmp_path: Path) -> None:
    spy = Spy(frozenset({fingerprint_of(write_idx(tmp_path / "data"))}))
    first = spy.run(tmp_path / "data")
    assert first.info.verified
    assert spy.run(tmp_path / "home") == first


def test_what_a_run_would_take_is_known_without_decoding(tmp_path: Path) -> None:
    """Unpublished data of a folder that is not named any more are cached, and yet not taken."""
    write_idx(tmp_path / "data")
    spy = Spy()
    assert spy.search(tmp_path / "data").ready() is None
    cached = spy.run(tmp_path / "data")
    assert spy.search(tmp_path / "data").ready() == cached
    assert spy.search(None).ready() is None
    with pytest.raises(DatasetUnavailable):
        spy.run()
    assert Spy(frozenset({cached.info.fingerprint})).search(None).ready() is not None
    write_idx(tmp_path / "other")
    assert spy.search(tmp_path / "other").ready() is None, "the named folder goes before the cache"
    assert spy.said == ["decoding tiny (IDX)"]


def test_a_fingerprint_that_becomes_known_later_verifies_what_is_cached(tmp_path: Path) -> None:
    write_idx(tmp_path / "data")
    assert not Spy().run(tmp_path / "data").info.verified
    assert Spy(frozenset({fingerprint_of(tmp_path / "data")})).run(tmp_path / "data").info.verified


@pytest.mark.parametrize(
    ("place", "label"),
    [
        ("debian/tiny", "Debian package"),
        ("home/.keras/datasets/tiny", "Keras' folder"),
        ("home/data/tiny", "torchvision's folder"),
        ("kaggle/somebodys-upload", "Kaggle input"),
        ("kaggle/somebodys-upload/tiny", "Kaggle input"),
    ],
)
def test_published_data_are_found_where_other_software_puts_them(tmp_path: Path, place: str, label: str) -> None:
    known = fingerprint_of(write_idx(tmp_path / place))
    info = Spy(frozenset({known})).run().info
    assert (info.verified, info.source) == (True, f"IDX, {label}")


def test_other_data_in_a_common_place_are_passed_over_and_published_ones_found_behind_them(tmp_path: Path) -> None:
    known = fingerprint_of(write_idx(tmp_path / "kaggle" / "upload", seed=5))
    write_idx(tmp_path / "debian" / "tiny", seed=1)
    (tmp_path / "home" / "data" / "tiny").mkdir(parents=True)
    (tmp_path / "home" / "data" / "tiny" / "tiny.npz").write_text("broken")
    assert Spy(frozenset({known})).run().info.source == "IDX, Kaggle input"


def test_what_was_passed_over_is_said_when_nothing_is_found(tmp_path: Path) -> None:
    write_idx(tmp_path / "debian" / "tiny")
    with pytest.raises(DatasetUnavailable, match=r"Debian package: other data than published"):
        Spy(frozenset({"0" * 64})).run()


def test_other_data_in_the_users_folder_are_taken_as_unverified(tmp_path: Path) -> None:
    write_idx(tmp_path / "data" / "tiny")
    assert not Spy(frozenset({"0" * 64})).run(tmp_path / "data").info.verified


def test_data_of_another_data_set_are_never_taken(tmp_path: Path) -> None:
    foreign = fingerprint_of(write_idx(tmp_path / "data"))
    with pytest.raises(DatasetUnavailable, match=r"\(the user's folder: the files of another data set\)"):
        Spy().run(tmp_path / "data", frozenset({foreign}))


def test_a_broken_file_in_the_users_folder_is_an_error_in_words(tmp_path: Path) -> None:
    folder = write_idx(tmp_path / "data" / "tiny")
    content = idx_bytes((20, 28, 28), bytes(20 * 784 - 4))
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(content))
    with pytest.raises(BenchError) as caught:
        Spy().run(tmp_path / "data")
    assert str(caught.value) == (
        "tiny: train-images-idx3-ubyte.gz holds 15,692 bytes after decompression, 15,696 expected: "
        "the file is cut short.\n    Delete it and run: bench data fetch tiny"
    )


def test_half_a_data_set_in_the_users_folder_is_an_error_in_words(tmp_path: Path) -> None:
    (write_idx(tmp_path) / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(BenchError, match=r"tiny: t10k-labels-idx1-ubyte.gz is missing"):
        Spy().run(tmp_path)


def test_images_of_another_size_are_refused(tmp_path: Path) -> None:
    folder = write_idx(tmp_path)
    (folder / "t10k-images-idx3-ubyte.gz").write_bytes(idx_bytes((10, 8, 8), bytes(640)))
    with pytest.raises(BenchError, match=r"t10k-images-idx3-ubyte.gz holds images of 8x8 pixels; 28x28 expected"):
        Spy().run(tmp_path)


def test_a_users_folder_that_is_not_there_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="the data folder 'nowhere' is not there"):
        Spy().run(tmp_path / "nowhere")


def test_the_option_goes_before_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_DATA_DIR", "from-environment")
    assert places.named_folder(tmp_path) == tmp_path
    assert places.named_folder(None) == Path("from-environment")


def test_a_misspelt_name_suggests_the_right_one() -> None:
    with pytest.raises(UnknownName, match="unknown data set 'fasion-mnist': did you mean 'fashion-mnist'"):
        resolve("fasion-mnist")


def test_digits_without_scikit_learn_say_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.datasets.digits.find_spec", lambda name: None)
    with pytest.raises(DatasetUnavailable) as caught:
        resolve("digits")
    assert str(caught.value) == (
        "data set 'digits' is not on this machine.\n"
        "    It comes with scikit-learn: pip install 'bench-mnist[scikit-learn]'"
    )
