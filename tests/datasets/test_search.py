import gzip
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.datasets import places
from bench.datasets.cache import CachedDataset, load
from bench.datasets.catalog import resolve
from bench.datasets.fingerprint import fingerprint
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
    with pytest.raises(DatasetUnavailable) as caught:
        spy.run()
    assert caught.value.message == (
        "data set 'tiny' is not on this machine "
        "(decoded before from a folder you named: name it again with --data-dir)."
    )
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
    spy = Spy(frozenset({known}))
    assert spy.run().info.source == "IDX, Kaggle input"
    passed = f"passed over in {tmp_path / 'home' / 'data' / 'tiny'}: tiny.npz is not an npz archive"
    assert len([line for line in spy.said if line.startswith(passed)]) == 1


def test_why_broken_files_were_passed_over_is_said_with_one_full_stop_and_without_their_folder(tmp_path: Path) -> None:
    (tmp_path / "debian" / "tiny").mkdir(parents=True)
    (tmp_path / "debian" / "tiny" / "tiny.npz").write_text("broken")
    with pytest.raises(DatasetUnavailable) as caught:
        Spy().run()
    said = caught.value.message
    assert said.startswith("data set 'tiny' is not on this machine (Debian package: tiny.npz is not an npz archive")
    assert ".;" not in said
    assert ".)" not in said
    assert str(tmp_path) not in said


class Forms(Tiny):
    """Known in two forms, of which the one in bytes is preferred."""

    def rank(self, source: str) -> int:
        return ("npz", "IDX").index(source.partition(",")[0])


def test_of_several_forms_in_the_cache_the_preferred_one_is_taken(tmp_path: Path) -> None:
    for seed in range(4):  # whatever the order of their fingerprints
        write_idx(tmp_path / str(seed) / "idx", seed=10 + seed)
        write_npz(tmp_path / str(seed) / "npz" / "tiny.npz", seed=seed)
        definition = Forms()
        found = [Search(definition, tmp_path / str(seed) / form, True, print).run() for form in ("idx", "npz")]
        definition.fingerprints = frozenset(cached.info.fingerprint for cached in found)  # type: ignore[misc]
        for look in (Search.cached, Search.ready):
            taken = look(Search(definition, None, True, print))
            assert taken is not None
            assert taken.info.source == "npz, the user's folder"


def test_damaged_arrays_in_the_cache_are_decoded_anew_and_that_is_said_once(tmp_path: Path) -> None:
    known = fingerprint_of(write_idx(tmp_path / "debian" / "tiny"))
    spy = Spy(frozenset({known}))
    labels = spy.run().folder / "test-labels.npy"
    np.save(labels, np.zeros(10, np.int64))
    spy.said.clear()
    assert fingerprint(load(spy.run().folder)) == known
    assert spy.said == ["the cached arrays of tiny are damaged; decoding again", "decoding tiny (IDX)"]
    spy.said.clear()
    assert spy.run().info.verified
    assert spy.said == []
    np.save(labels, np.zeros(10, np.int64))
    shutil.rmtree(tmp_path / "debian")
    with pytest.raises(DatasetUnavailable, match=r"\(the cache: damaged arrays\)"):
        spy.run()


def test_a_list_does_not_look_at_the_arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = fingerprint_of(write_idx(tmp_path / "debian" / "tiny"))
    spy = Spy(frozenset({known}))
    os.utime(spy.run().folder / "test-labels.npy", ns=(1, 1))
    monkeypatch.delattr("bench.datasets.fingerprint.fingerprint")
    assert spy.search(None).ready() is not None


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
        f"the file is cut short.\n    Delete it and run: bench data fetch tiny   (in {folder})"
    )


def test_half_a_data_set_in_the_users_folder_is_an_error_in_words(tmp_path: Path) -> None:
    (write_idx(tmp_path) / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(BenchError) as caught:
        Spy().run(tmp_path)
    assert str(caught.value) == (
        "tiny: t10k-labels-idx1-ubyte.gz is missing; train-images-idx3-ubyte.gz is present without it.\n"
        f"    Put it in the same folder, or omit --data-dir.   (in {tmp_path})"
    )


def test_a_file_that_may_not_be_read_is_not_to_be_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_idx(tmp_path)
    opened = Path.open

    def refused(self: Path, *arguments: Any, **options: Any) -> Any:
        if self.name == "train-images-idx3-ubyte.gz":
            raise PermissionError(13, "Permission denied")
        return opened(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(BenchError, match=r"cannot be read: Permission denied\.") as caught:
        Spy().run(tmp_path)
    assert "Delete" not in str(caught.value)


def test_a_whole_file_of_other_data_is_not_to_be_deleted(tmp_path: Path) -> None:
    np.savez(tmp_path / "tiny.npz", X=np.zeros((4, 28, 28), np.uint8), y=np.zeros(4, np.uint8))
    with pytest.raises(BenchError, match="holds no test part") as caught:
        Spy().run(tmp_path)
    assert "Delete" not in str(caught.value)


def test_images_of_another_size_are_refused(tmp_path: Path) -> None:
    folder = write_idx(tmp_path)
    (folder / "t10k-images-idx3-ubyte.gz").write_bytes(idx_bytes((10, 8, 8), bytes(640)))
    with pytest.raises(BenchError, match=r"t10k-images-idx3-ubyte.gz holds images of 8x8 pixels; 28x28 expected"):
        Spy().run(tmp_path)


def test_a_users_folder_that_is_not_there_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for name, problem in (("none/deep/data", "is not there"), ("file", "is not a folder")):
        with pytest.raises(BenchError) as caught:
            Spy().run(tmp_path / name)
        assert caught.value.message == f"the data folder '{tmp_path / name}' {problem}."


def test_the_option_goes_before_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_DATA_DIR", "from-environment")
    assert places.named_folders(tmp_path) == (tmp_path,)
    assert places.named_folders(None) == (Path("from-environment"),)


def test_several_folders_are_searched_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    write_idx(second / "tiny")
    both = f"{first}{os.pathsep}{second}"
    monkeypatch.setenv("BENCH_DATA_DIR", both)
    assert Spy().run().info.train_rows == 20
    write_idx(first / "tiny", seed=5)
    taken = Spy().run(Path(both)).info
    assert taken.fingerprint == fingerprint_of(first / "tiny")
    with pytest.raises(BenchError, match=r"the data folder .*gone' is not there"):
        Spy().run(Path(f"{both}{os.pathsep}{tmp_path / 'gone'}"))


def test_a_folder_whose_name_holds_the_sign_between_folders_is_one(tmp_path: Path) -> None:
    folder = tmp_path / f"a{os.pathsep}b"
    write_idx(folder)
    assert places.named_folders(folder) == (folder,)
    assert Spy().run(folder).info.train_rows == 20


def test_no_user_of_a_home_is_needed_to_name_a_folder() -> None:
    assert places.named_folders(Path("~nobody-of-this-name/data")) == (Path("~nobody-of-this-name/data"),)


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
