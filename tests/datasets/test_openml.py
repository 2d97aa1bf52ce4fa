"""OpenML's files of MNIST and Fashion-MNIST: where they are found, and what they hold."""

import gzip
import tracemalloc
from pathlib import Path

import pytest

from bench.datasets.cache import CachedDataset
from bench.datasets.catalog import definition_of, load, resolve
from bench.datasets.dataset import Dataset
from bench.datasets.mnist_like import MnistLike
from bench.datasets.search import Search
from bench.datasets.source import DatasetUnavailable
from bench.errors import BenchError
from tests.datasets.small import fingerprint_of, write_idx
from tests.datasets.small_arff import TinyArff, arff_bytes, header

CACHE = "openml/openml.org/data/v1/download"
LAYOUTS = ["4711/tiny.arff.gz", "4711.gz"]
"""Paths below scikit-learn's folder, in version 1.7 and in those before it."""
PUBLISHED_BYTES = 127_888_265
"""Size of OpenML's mnist_784.arff (SHA-256 418c0a60…7fb4b), by public notes of people who fetched it."""


def search(data_dir: Path | None = None, known: frozenset[str] = frozenset()) -> CachedDataset:
    definition = type("Known", (TinyArff,), {"fingerprints": known})()
    return Search(definition, data_dir, True, lambda line: None).run()


def write_arff(file: Path, content: bytes | None = None) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    text = arff_bytes() if content is None else content
    file.write_bytes(gzip.compress(text) if file.suffix == ".gz" else text)
    return file


@pytest.mark.parametrize("name", ["tiny.arff", "tiny.arff.gz", "tiny/tiny.arff.gz", "4711"])
def test_openmls_file_is_found_in_the_users_folder_and_below_it(tmp_path: Path, name: str) -> None:
    write_arff(tmp_path / "data" / name)
    info = search(tmp_path / "data").info
    assert (info.train_rows, info.test_rows, info.shape, info.split) == (20, 10, (28, 28, 1), "official")
    assert info.source == "OpenML ARFF, the user's folder"


def test_its_first_rows_are_the_training_part_and_the_data_those_of_the_idx_files(tmp_path: Path) -> None:
    write_arff(tmp_path / "arff" / "tiny.arff.gz")
    known = fingerprint_of(write_idx(tmp_path / "idx"))
    cached = search(tmp_path / "arff", frozenset({known}))
    assert (cached.info.verified, cached.info.fingerprint) == (True, known)
    assert load(cached.folder).test.labels.tolist() == list(range(10))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("named", [False, True])
def test_published_data_are_found_where_fetch_openml_keeps_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str, named: bool
) -> None:
    folder = tmp_path / ("elsewhere" if named else "home/scikit_learn_data")
    if named:
        monkeypatch.setenv("SCIKIT_LEARN_DATA", str(folder))
    write_arff(folder / CACHE / layout)
    info = search(known=frozenset({fingerprint_of(write_idx(tmp_path / "idx"))})).info
    assert (info.verified, info.source) == (True, "OpenML ARFF, scikit-learn's folder")


def test_that_is_where_fetch_openml_looks_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "elsewhere"))
    kept = datasets._openml._get_local_path("data/v1/download/4711/tiny.arff", f"{datasets.get_data_home()}/openml")
    assert Path(kept) == tmp_path / "elsewhere" / CACHE / LAYOUTS[0]


def test_other_data_where_fetch_openml_keeps_its_files_are_passed_over(tmp_path: Path) -> None:
    write_arff(tmp_path / "home" / "scikit_learn_data" / CACHE / LAYOUTS[0])
    with pytest.raises(DatasetUnavailable, match=r"scikit-learn's folder: other data than published"):
        search(known=frozenset({"0" * 64}))


def test_a_file_with_fewer_rows_is_an_error_in_words(tmp_path: Path) -> None:
    write_arff(tmp_path / "tiny.arff", arff_bytes()[:-3000])
    with pytest.raises(BenchError, match=r"^tiny: tiny\.arff holds .* in line 821, 785 expected"):
        search(tmp_path)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("mnist", "mnist_784.arff.gz"),
        ("mnist", "52667/mnist_784.arff.gz"),
        ("fashion-mnist", "Fashion-MNIST.arff"),
        ("fashion-mnist", "18238735/Fashion-MNIST.arff.gz"),
        ("fashion-mnist", "18238735/phpnBqZGZ.gz"),
    ],
)
def test_openmls_own_names_are_known(tmp_path: Path, name: str, file: str) -> None:
    write_arff(tmp_path / file)
    definition = definition_of(name)
    found = [source for folder in (tmp_path, (tmp_path / file).parent) for source in definition.find(folder)]
    assert {(source.files[0].name, source.format) for source in found} == {(Path(file).name, "OpenML ARFF")}
    assert str(Path(file).parent) in (".", *definition.folders)


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_the_published_file_has_60000_training_rows_and_10000_test_rows(name: str) -> None:
    definition = definition_of(name)
    assert isinstance(definition, MnistLike)
    assert (definition.rows, bool(definition.arff_files)) == ((60_000, 10_000), True)


@pytest.mark.data
def test_mnist_in_openmls_form_is_the_published_data(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = resolve("mnist", data_dir=data_dir, offline=True)
    text = as_openml_has_it(load(first.folder))
    # The rest of the published file is its header: 785 attributes in 25 bytes or so each, and a comment
    assert 785 * 24 < PUBLISHED_BYTES - (len(text) - len(header())) < 785 * 24 + 5000
    learn = tmp_path / "home" / "scikit_learn_data" / CACHE / "52667"
    learn.mkdir(parents=True)
    (learn / "mnist_784.arff.gz").write_bytes(gzip.compress(text, compresslevel=1))
    del text
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path / "other-cache"))
    tracemalloc.start()
    found = resolve("mnist", offline=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found.info.verified, found.info.source) == (True, "OpenML ARFF, scikit-learn's folder")
    assert found.info.fingerprint == first.info.fingerprint
    assert peak < 2.2 * 70_000 * 784


def as_openml_has_it(data: Dataset) -> bytes:
    """All rows of both parts, the training part's first."""
    word = [str(value).encode() for value in range(256)]
    rows = [
        b",".join([word[value] for value in image.tobytes()]) + b",%d\n" % label
        for part in (data.train, data.test)
        for image, label in zip(part.images, part.labels.tolist(), strict=True)
    ]
    return header().encode() + b"".join(rows)
