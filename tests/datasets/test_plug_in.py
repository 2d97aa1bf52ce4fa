from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.datasets.catalog import DATASETS, definition_of, is_own, load, resolve
from bench.datasets.dataset import Dataset
from bench.datasets.definition import DatasetDefinition
from bench.datasets.source import Source
from bench.errors import BenchError


class Stripes(DatasetDefinition):
    """As the documentation of ``DatasetDefinition`` shows it."""

    name = "stripes"
    title = "Stripes"
    licence = "MIT"
    class_names = ("upright", "level")

    def bundled(self) -> Source:
        return Source((Path(__file__),), "computed")

    def read(self, source: Source) -> Dataset:
        labels = np.array([0, 1] * 8)
        images = np.zeros((16, 4, 4, 1), np.uint8)
        images[labels == 0, :, ::2] = 255
        return self.dataset(train=(images, labels), test=(images[:4], labels[:4]), scale=255)


def plugged(monkeypatch: pytest.MonkeyPatch, found: Any) -> None:
    monkeypatch.setitem(DATASETS._loaded, "stripes", found)


@pytest.mark.parametrize("found", [Stripes, Stripes()], ids=["class", "instance"])
def test_another_packages_data_set_is_used_like_a_built_in_one(monkeypatch: pytest.MonkeyPatch, found: Any) -> None:
    plugged(monkeypatch, found)
    cached = resolve("stripes")
    assert (cached.info.title, cached.info.train_rows, cached.info.verified) == ("Stripes", 16, False)
    assert load(cached.folder).train.images[0, 0, :, 0].tolist() == [255, 0, 255, 0]


def test_a_folder_of_its_name_in_the_working_folder_does_not_hide_it(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("stripes", f"{Stripes.__module__}:Stripes", DATASETS.group)
    monkeypatch.setitem(DATASETS.__dict__, "_external", {"stripes": entry})
    plugged(monkeypatch, Stripes)
    Path("stripes").mkdir()
    assert not is_own("stripes")
    assert resolve("stripes").info.title == "Stripes"
    assert is_own("./stripes")


def broken(**changes: Any) -> type[Stripes]:
    return type("Broken", (Stripes,), changes)


def read_with(labels: list[int], dtype: type = np.int64) -> Any:
    def read(self: Stripes, source: Source) -> Dataset:
        images = np.zeros((len(labels), 4, 4, 1), np.uint8)
        return self.dataset(train=(images, np.array(labels, dtype)), test=(images, np.array(labels, dtype)), scale=255)

    return read


def raising(self: Stripes, source: Source) -> Dataset:
    raise KeyError("a slip")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (object(), "is not a DatasetDefinition"),
        (broken(name="strips"), "calls itself 'strips'"),
        (broken(read=read_with([0, 2])), "holds training labels from 0 to 2; 0 to 1 expected"),
        (broken(read=read_with([0, 1], np.uint8)), "labels uint8 (2,); int64 (n,) expected"),
        (broken(read=read_with([])), "images and labels, 0 and 0; as many of both expected"),
        (broken(read=raising), "cannot be read: KeyError: 'a slip'"),
    ],
)
def test_a_data_set_that_breaks_the_contract_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch, found: Any, expected: str
) -> None:
    plugged(monkeypatch, found)
    with pytest.raises(BenchError) as caught:
        resolve("stripes")
    assert expected in caught.value.message


def test_a_definition_without_its_facts_is_refused_with_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nameless(DatasetDefinition):
        def read(self, source: Source) -> Dataset:
            raise NotImplementedError

    plugged(monkeypatch, Nameless)
    with pytest.raises(BenchError, match="Nameless has no name, title, licence, class_names"):
        definition_of("stripes")


def test_an_abstract_definition_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    plugged(monkeypatch, DatasetDefinition)
    with pytest.raises(BenchError, match="'stripes' is not complete"):
        definition_of("stripes")
