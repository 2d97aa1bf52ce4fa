"""All data sets by name, and ``resolve``, the way to get one: named, found, decoded, cached."""

import os
from contextlib import suppress
from pathlib import Path

from bench.datasets.cache import CachedDataset, load
from bench.datasets.definition import DatasetDefinition
from bench.datasets.own import is_path, resolve_own
from bench.datasets.search import Search
from bench.datasets.source import DatasetUnavailable, Say
from bench.datasets.transfer import Watch
from bench.errors import BenchError
from bench.registry import Registry

__all__ = [
    "DATASETS",
    "CachedDataset",
    "DatasetUnavailable",
    "definition_of",
    "is_own",
    "load",
    "resolve",
    "search_for",
    "shared_downloads",
]

BUILTIN = {
    "digits": "bench.datasets.digits:Digits",
    "mnist": "bench.datasets.mnist:Mnist",
    "fashion-mnist": "bench.datasets.fashion_mnist:FashionMnist",
    "3d-mnist": "bench.datasets.mnist_3d:Mnist3d",
    "emnist-letters": "bench.datasets.emnist:EmnistLetters",
    "emnist-balanced": "bench.datasets.emnist:EmnistBalanced",
    "emnist-digits": "bench.datasets.emnist:EmnistDigits",
    "emnist-byclass": "bench.datasets.emnist:EmnistByclass",
    "emnist-bymerge": "bench.datasets.emnist:EmnistBymerge",
    "emnist-mnist": "bench.datasets.emnist:EmnistMnist",
    "kmnist": "bench.datasets.kmnist:Kmnist",
    "qmnist": "bench.datasets.qmnist:Qmnist",
    "sign-language-mnist": "bench.datasets.sign_language:SignLanguage",
    "colorectal-histology-mnist": "bench.datasets.colorectal:ColorectalHistology",
    "colorectal-histology-mnist-8x8": "bench.datasets.colorectal:ColorectalHistology8",
    "colorectal-histology-mnist-8x8-grey": "bench.datasets.colorectal:ColorectalHistology8Grey",
    "colorectal-histology-mnist-28x28-grey": "bench.datasets.colorectal:ColorectalHistology28Grey",
    "colorectal-histology-mnist-64x64-grey": "bench.datasets.colorectal:ColorectalHistology64Grey",
    "colorectal-histology-mnist-150x150": "bench.datasets.colorectal:ColorectalHistology150",
    "skin-cancer-mnist": "bench.datasets.skin_cancer:SkinCancer",
    "skin-cancer-mnist-8x8": "bench.datasets.skin_cancer:SkinCancer8",
    "skin-cancer-mnist-8x8-grey": "bench.datasets.skin_cancer:SkinCancer8Grey",
    "skin-cancer-mnist-28x28-grey": "bench.datasets.skin_cancer:SkinCancer28Grey",
}

DATASETS: Registry[type[DatasetDefinition] | DatasetDefinition] = Registry(
    "data set", "bench.datasets", "bench data list", BUILTIN
)
"""Definitions, as classes or instances; ``definition_of`` gives the instance."""


def resolve(
    name_or_path: str,
    *,
    data_dir: Path | None = None,
    offline: bool = False,
    say: Say | None = None,
    watch: Watch | None = None,
) -> CachedDataset:
    """The named data set, or the user's own at a path (``./mine.npz``, ``mine.csv``, a folder), cached.

    ``data_dir`` is ``--data-dir`` (default: ``BENCH_DATA_DIR``); ``offline``, or ``BENCH_OFFLINE``, forbids the
    network; ``say`` takes lines of progress, and ``watch`` shows the progress of a download. A data set resolved before
    is found again without decoding and without numpy. Raises UnknownName, DatasetUnavailable, or BenchError for a
    broken file.
    """
    if is_own(name_or_path):
        return resolve_own(Path(name_or_path), frozenset(DATASETS), say or _silent)
    return search_for(name_or_path, data_dir=data_dir, offline=offline, say=say, watch=watch).run()


def is_own(name: str) -> bool:
    """True if ``name`` means the user's file or folder; a catalogued name, built in or plugged in, never does."""
    return name not in DATASETS and is_path(name)


def search_for(
    name: str,
    *,
    data_dir: Path | None = None,
    offline: bool = False,
    say: Say | None = None,
    watch: Watch | None = None,
) -> Search:
    """A search for a catalogued data set, not yet run. Raises UnknownName."""
    forbidden = offline or os.environ.get("BENCH_OFFLINE", "0") not in ("", "0")
    return Search(definition_of(name), data_dir, forbidden, say or _silent, _fingerprints_of_others(name), watch)


def definition_of(name: str) -> DatasetDefinition:
    """The definition of a catalogued data set. Raises UnknownName, or BenchError for an invalid plug-in."""
    found = DATASETS.get(name)
    definition = found
    if isinstance(found, type) and issubclass(found, DatasetDefinition):
        try:
            definition = found()
        except TypeError as error:
            raise BenchError(f"data set {name!r} is not complete: {error}") from error
    if not isinstance(definition, DatasetDefinition):
        raise BenchError(f"data set {name!r} is not a DatasetDefinition (bench.datasets.definition), but {found!r}.")
    missing = [fact for fact in ("name", "title", "licence", "class_names") if not hasattr(definition, fact)]
    if missing:
        raise BenchError(f"data set {name!r} is not complete: {type(definition).__name__} has no {', '.join(missing)}.")
    if definition.name != name:
        raise BenchError(f"data set {name!r} calls itself {definition.name!r}: its entry point must have its name.")
    return definition


def shared_downloads(name: str) -> dict[str, tuple[str, ...]]:
    """The shared download folders of a data set, each with the names of the other data sets read from it."""
    readers: dict[str, list[str]] = {bundle.shared: [] for bundle in definition_of(name).downloads if bundle.shared}
    for other in DATASETS:
        with suppress(BenchError):  # a broken plug-in reads nothing
            for bundle in definition_of(other).downloads:
                if bundle.shared in readers and other != name:
                    readers[bundle.shared].append(other)
    return {shared: tuple(others) for shared, others in readers.items()}


def _fingerprints_of_others(name: str) -> frozenset[str]:
    others = (DATASETS.get(other) for other in BUILTIN if other != name)
    return frozenset(fingerprint for other in others for fingerprint in other.fingerprints)


def _silent(line: str) -> None:
    """Ignores a line of progress."""
