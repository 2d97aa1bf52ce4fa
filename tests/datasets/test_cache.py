import dataclasses
import itertools
import json
import mmap
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.datasets import cache
from bench.datasets.cache import Shelf, cache_root, load
from bench.datasets.dataset import Dataset, DatasetInfo, Split
from bench.datasets.fingerprint import fingerprint
from bench.errors import BenchError


def made(rows: int = 4) -> Dataset:
    images = np.arange(rows * 6, dtype=np.uint8).reshape(rows, 2, 3, 1)
    part = Split(images, (np.arange(rows) % 2).astype(np.int64), 16.0, 2)
    return Dataset("a", "A", part, part, ("no", "yes"), "own")


def stored(dataset: Dataset) -> Path:
    info = DatasetInfo.of(dataset, fingerprint(dataset), verified=False, source="test")
    return Shelf("a").store(dataset, info).folder


def test_arrays_and_facts_come_back() -> None:
    again = load(stored(made()))
    assert (again.name, again.title, again.class_names, again.split) == ("a", "A", ("no", "yes"), "own")
    assert fingerprint(again) == fingerprint(made())
    assert again.train.scale == 16.0


def test_opened_arrays_are_read_only_views_of_the_file() -> None:
    images = load(stored(made())).train.images
    base: object = images
    while isinstance(base, np.ndarray):
        base = base.base
    assert type(images) is np.ndarray
    assert isinstance(base, mmap.mmap)
    assert not images.flags.writeable


def test_what_is_on_the_shelf_is_found_by_fingerprint_without_numpy(tmp_path: Path) -> None:
    stored(made())
    code = (
        "import sys; from bench.datasets.cache import Shelf; "
        f"found = Shelf('a').find({fingerprint(made())!r}); print(found.info.shape, 'numpy' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert printed.stdout.split("\n")[0] == "(2, 3, 1) False"


ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("damage", ["cut short", "gone", "info gone", "info broken"])
def test_a_damaged_entry_is_not_found_and_is_made_anew(damage: str) -> None:
    folder = stored(made())
    array = folder / "test-labels.npy"
    if damage == "cut short":
        array.write_bytes(array.read_bytes()[:-1])
    elif damage == "gone":
        array.unlink()
    elif damage == "info gone":
        (folder / "info.json").unlink()
    else:
        (folder / "info.json").write_text("{")
    assert Shelf("a").find(fingerprint(made())) is None
    assert fingerprint(load(stored(made()))) == fingerprint(made())


def test_opening_a_damaged_entry_is_an_error_in_words() -> None:
    folder = stored(made())
    (folder / "train-images.npy").write_bytes(b"")
    with pytest.raises(BenchError) as caught:
        load(folder)
    assert str(caught.value) == "the cached arrays of a are damaged.\n    Run: bench data remove a"


@pytest.mark.parametrize("resident", [True, False])
def test_no_byte_of_a_header_can_be_damaged_so_that_opening_ends_in_the_words_of_a_library(resident: bool) -> None:
    folder = stored(made())
    file = folder / "test-labels.npy"
    right = file.read_bytes()
    said: set[str] = set()
    for place, wrong in itertools.product(range(0, 80, 2), (0x00, 0xFF)):
        file.write_bytes(right[:place] + bytes([wrong]) + right[place + 1 :])
        try:
            load(folder, resident=resident)
        except BenchError as error:
            said.add(error.message)
    assert said == {"the cached arrays of a are damaged."}


def with_groups() -> Dataset:
    data = made()
    part = dataclasses.replace(data.train, groups=np.arange(4))
    return dataclasses.replace(data, train=part, test=part)


def changed(file: Path, array: NDArray[Any]) -> None:
    """Write another array of the same size over a cached one."""
    size = file.stat().st_size
    np.save(file, array)
    assert file.stat().st_size == size


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("test-labels", np.zeros(4, np.int64)),
        ("test-labels", np.full(4, 99)),
        ("test-labels", np.zeros((2, 2), np.int64)),
        ("train-images", np.zeros((4, 2, 3, 1), np.uint8)),
        ("test-groups", np.zeros(4, np.int64)),
    ],
)
def test_arrays_that_somebody_changed_are_not_found_and_are_made_anew(name: str, array: NDArray[Any]) -> None:
    folder = stored(with_groups())
    changed(folder / f"{name}.npy", array)
    said: list[str] = []
    assert Shelf("a").find(fingerprint(made()), said.append) is None
    assert said == ["the cached arrays of a are damaged; decoding again"]
    again = load(stored(with_groups()))
    assert fingerprint(again) == fingerprint(made())
    assert again.test.groups is not None
    assert again.test.groups.tolist() == [0, 1, 2, 3]
    assert Shelf("a").find(fingerprint(made()), said.append) is not None
    assert len(said) == 1


@pytest.mark.parametrize("forgotten", [True, False])
def test_arrays_of_other_times_are_hashed_once_and_then_trusted(
    monkeypatch: pytest.MonkeyPatch, forgotten: bool
) -> None:
    """As those of a cache that was copied, and those that an older version left, which kept no times."""
    folder = stored(with_groups())
    hashed: list[Dataset] = []

    def counted(data: Dataset) -> str:
        hashed.append(data)
        return fingerprint(data)

    monkeypatch.setattr("bench.datasets.fingerprint.fingerprint", counted)
    if forgotten:
        info = json.loads((folder / "info.json").read_text())
        (folder / "info.json").write_text(json.dumps({k: v for k, v in info.items() if k not in ("times", "groups")}))
    else:
        os.utime(folder / "test-images.npy", ns=(1, 1))
    expected = fingerprint(made())
    assert Shelf("a").glimpse(expected) is not None
    assert len(hashed) == 0
    for _ in range(3):
        assert Shelf("a").find(expected) is not None
    assert len(hashed) == 1


def test_right_arrays_are_found_in_a_cache_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = stored(made())
    os.utime(folder / "test-images.npy", ns=(1, 1))

    def refused(*arguments: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(cache, "write_text_whole", refused)
    assert Shelf("a").find(fingerprint(made())) is not None


def test_what_a_killed_process_left_behind_is_cleared_away(tmp_path: Path) -> None:
    left = Shelf("a").folder / "0123456789abcdef.partial"
    left.mkdir(parents=True)
    folder = stored(made())
    assert not left.exists()
    assert sorted(entry.name for entry in folder.parent.iterdir() if entry.is_dir()) == [folder.name]


def test_several_writers_leave_one_whole_entry() -> None:
    folders: list[Path] = []
    writers = [threading.Thread(target=lambda: folders.append(stored(made(200)))) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(folders) == 4
    assert fingerprint(load(folders[0])) == fingerprint(made(200))


def test_a_damaged_index_is_forgotten() -> None:
    shelf = Shelf("a")
    shelf.remember("key", "print")
    assert shelf.fingerprint_of("key") == "print"
    for damaged in ("[", "[1]", '"words"', '{"key": 5}', "\u0000"):
        (shelf.folder / "index.json").write_text(damaged)
        assert shelf.fingerprint_of("key") is None
        shelf.remember("other", "print")


def test_a_cache_that_cannot_be_written_is_an_error_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with pytest.raises(BenchError, match="the cache of data sets cannot be written: Not a directory") as caught:
        stored(made())
    assert str(tmp_path / "file" / "cache") in caught.value.advice


def test_a_user_without_a_home_is_told_to_name_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(*arguments: object, **options: object) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("BENCH_CACHE_DIR")
    monkeypatch.setattr("platformdirs.user_cache_path", homeless)
    with pytest.raises(BenchError, match="this user has no home folder") as caught:
        cache_root()
    assert caught.value.advice == "Set BENCH_CACHE_DIR to a folder that can be written."


def test_the_info_is_plain_json() -> None:
    info = json.loads((stored(made()) / "info.json").read_text())
    assert (info["train_rows"], info["shape"], info["verified"]) == (4, [2, 3, 1], False)


@pytest.mark.parametrize("damage", ["{", "[]", '"words"', '{"fingerprint": 5}'])
def test_one_damaged_entry_hides_no_other_version(damage: str) -> None:
    whole, broken = stored(made()), stored(made(6))
    (broken / "info.json").write_text(damage)
    assert [cached.folder for cached in Shelf("a").versions()] == [whole]


def test_versions_come_newest_first() -> None:
    first, second = stored(made()), stored(made(6))
    os.utime(first / "info.json", ns=(2, 2))
    os.utime(second / "info.json", ns=(1, 1))
    assert [cached.folder for cached in Shelf("a").versions()] == [first, second]


def test_what_fails_under_the_lock_is_not_blamed_on_the_cache() -> None:
    with pytest.raises(FileNotFoundError, match="elsewhere"), Shelf("a").lock():
        raise FileNotFoundError(2, "No such file or directory", "elsewhere")


def test_a_full_disk_is_an_error_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(BenchError, match="the cache of data sets cannot be written: No space left on device"):
        stored(made())


def test_removing_what_another_process_holds_is_said_and_done_once_it_is_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cache, "PATIENCE_S", 0.05)
    folder = stored(made())
    (folder.parent / ".index.json.1.tmp").write_text("")  # of a process that was killed
    said = threading.Event()
    with Shelf("a").lock():
        remover = threading.Thread(target=lambda: Shelf("a").remove(said.set))
        remover.start()
        assert said.wait(20)
        assert folder.exists()
    remover.join(20)
    assert [entry.name for entry in folder.parent.iterdir() if entry.suffix != ".lock"] == []
