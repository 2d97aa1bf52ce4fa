"""The training rows that a trial gets: the cap of a slow model, the validation part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from bench.case import sample_seed
from bench.datasets.dataset import Split
from bench.datasets.grouped import grouped_sample

if TYPE_CHECKING:
    from numpy.typing import NDArray


def capped(train: Split, rows: int | None, fingerprint: str) -> Split:
    """``rows`` rows of ``train``, stratified, in their order; all of them if ``rows`` is None or too many.

    The sample is the same for every seed, so that a deterministic estimator stays one. Groups may be split: dropped
    rows are not tested, and the rows kept carry their groups.
    """
    if rows is None or rows >= len(train):
        return train
    chosen = stratified_sample(train.labels, rows, sample_seed(fingerprint, 0, "train_rows"))
    return train.take(chosen)


def cut_validation(
    train: Split, rows: int, fingerprint: str, seed_index: int, part: Literal["sample", "last"] = "sample"
) -> tuple[Split, Split]:
    """``train`` without ``rows`` rows, and those rows.

    A stratified sample drawn by the seed index, or the last rows, as in Keras' ``validation_split``. If rows belong
    together (pictures of one lesion, copies of one digit), the sample is of whole groups, so that none is on both
    sides, and its size is only about ``rows``; the last rows are taken as they come, as tutorials do.

    Raises ValueError if nothing would be left to train on.
    """
    if rows >= len(train):
        raise ValueError(f"{rows} validation rows leave none of {len(train)} to train on")
    if part == "last":
        chosen = np.arange(len(train) - rows, len(train))
    else:
        seed = sample_seed(fingerprint, seed_index, "validation")
        if train.groups is None:
            chosen = stratified_sample(train.labels, rows, seed)
        else:
            generator = np.random.Generator(np.random.PCG64(seed))
            chosen = grouped_sample(train.labels, train.groups, rows, generator)
            if len(chosen) == len(train):
                raise ValueError(f"{rows} validation rows, cut by group, leave none of {len(train)} to train on")
    rest = np.setdiff1d(np.arange(len(train)), chosen, assume_unique=True)
    return train.take(rest), train.take(chosen)


def stratified_sample(labels: NDArray[np.int64], rows: int, seed: int) -> NDArray[np.int64]:
    """``rows`` row numbers in ascending order, each class in proportion (largest remainders first)."""
    generator = np.random.Generator(np.random.PCG64(seed))
    classes, counts = np.unique(labels, return_counts=True)
    exact = counts * rows / len(labels)
    quota = np.floor(exact).astype(np.int64)
    for index in np.argsort(quota - exact, kind="stable")[: rows - int(quota.sum())]:
        quota[index] += 1
    chosen = [
        generator.choice(np.flatnonzero(labels == label), size, replace=False)
        for label, size in zip(classes, quota, strict=True)
    ]
    return np.sort(np.concatenate(chosen))
