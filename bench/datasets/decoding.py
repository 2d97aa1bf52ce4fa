"""Decode a source with its definition, perhaps another package's; its errors become BenchErrors."""

from __future__ import annotations

from bench.datasets.dataset import Dataset
from bench.datasets.definition import DatasetDefinition
from bench.datasets.source import Say, Source
from bench.errors import BenchError


def decoded(definition: DatasetDefinition, source: Source, say: Say) -> tuple[Dataset, str]:
    """The data set in ``source``, and its fingerprint. Raises BenchError."""
    from bench.datasets.fingerprint import fingerprint

    say(f"decoding {definition.name} ({source.format})")
    module = type(definition).__module__
    try:
        dataset = definition.read(source)
        problem = dataset.problem()
    except BenchError:
        raise
    except Exception as error:  # read may be another package's
        raise BenchError(
            f"data set {definition.name!r} cannot be read: {type(error).__name__}: {error}",
            f"The fault is in {module}, or in its files.",
        ) from error
    if problem:
        raise BenchError(f"data set {definition.name!r}, as {module} reads it, {problem}.")
    return dataset, fingerprint(dataset)
