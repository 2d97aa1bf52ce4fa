"""Quality of a model's answers on the test part. Pure numpy, in float64.

The class of a sample is the model's own decision (``predicted``); the values behind it serve the log loss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bench.record import ScoreKind, Scores

if TYPE_CHECKING:
    from numpy.typing import NDArray


PROBABILITY_FLOOR = float(np.finfo(np.float32).eps)
"""Probabilities are clipped to ``[floor, 1 - floor]`` before the logarithm: one sample costs at most 15.9 nats.

2**-23, as in ``sklearn.metrics.log_loss`` for float32 probabilities. Without it a single 0 (``knn`` gives many)
would make the mean infinite.
"""

SUM_TOLERANCE = 1e-3
"""Tolerance for the sum of a row of probabilities: far above float32's rounding, far below any logits."""


class Diverged(Exception):
    """A model's answers hold NaN or infinity; the message is one sentence."""


def score(
    truth: NDArray[np.int64],
    predicted: NDArray[Any],
    values: NDArray[np.floating[Any]] | None,
    kind: ScoreKind | None,
    classes: int,
) -> Scores:
    """Accuracy, balanced accuracy, macro F1, log loss and confusion of ``n`` samples.

    ``truth`` and ``predicted`` are labels ``(n,)`` in ``0..classes-1``, ``values`` ``(n, classes)`` or None. The log
    loss is natural, in nats: from logits by log-softmax, from probabilities after clipping to
    ``PROBABILITY_FLOOR``; None for margins, which are not probabilities.

    Raises Diverged if an answer is NaN or infinite, ValueError if shapes, labels or probabilities are
    impossible; each message is a sentence that can stand as a record's reason.
    """
    _check_finite(predicted, "labels")
    labels = _labels(predicted, len(truth), classes)
    if values is not None:
        _check_finite(values, kind or "values")
        if values.shape != (len(truth), classes):
            raise ValueError(f"the model gave values of shape {values.shape}, expected {(len(truth), classes)}.")
    table = confusion(truth, labels, classes)
    return Scores(
        rows=len(truth),
        accuracy=float(np.trace(table) / table.sum()),
        balanced_accuracy=balanced_accuracy(table),
        macro_f1=macro_f1(table),
        log_loss=None if values is None else log_loss(truth, values, kind),
        confusion=tuple(tuple(row) for row in table.tolist()),
    )


def confusion(truth: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Counts ``(classes, classes)``: rows are true classes, columns predicted ones."""
    counts = np.bincount(truth * classes + predicted, minlength=classes * classes)
    return counts.astype(np.int64).reshape(classes, classes)


def balanced_accuracy(table: NDArray[np.int64]) -> float:
    """Mean recall over the classes that occur in the truth (Brodersen et al. 2010), from a confusion table."""
    support = table.sum(axis=1)
    present = support > 0
    return float(np.mean(np.diag(table)[present] / support[present]))


def macro_f1(table: NDArray[np.int64]) -> float:
    """Mean F1 over the classes that occur in the truth or among the predictions, from a confusion table.

    F1 of one class is ``2 TP / (2 TP + FP + FN)``; the mean is over classes, not of precision and recall apart
    (Opitz and Burst 2019, "Macro F1 and Macro F1"), as in ``sklearn.metrics.f1_score(average="macro")``.
    """
    either = table.sum(axis=0) + table.sum(axis=1)
    present = either > 0
    return float(np.mean(2 * np.diag(table)[present] / either[present]))


def log_loss(truth: NDArray[np.int64], values: NDArray[np.floating[Any]], kind: ScoreKind | None) -> float | None:
    """Mean negative log-likelihood of the true class in nats; None where ``values`` are margins.

    Raises ValueError if ``values`` are called probabilities and are not.
    """
    rows = np.arange(len(truth))
    wide = values.astype(np.float64)
    if kind == "logits":
        shifted = wide - wide.max(axis=1, keepdims=True)
        return float(np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[rows, truth]))
    if kind == "probabilities":
        _check_probabilities(wide)
        likelihood = np.clip(wide[rows, truth], PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR)
        return float(-np.mean(np.log(likelihood)))
    return None


def _check_finite(answers: NDArray[Any], what: str) -> None:
    if not np.issubdtype(answers.dtype, np.floating) or np.isfinite(answers).all():
        return
    bad = ~np.isfinite(answers)
    rows = int(bad.reshape(len(answers), -1).any(axis=1).sum())
    what = f"{what} with NaN" if np.isnan(answers).any() else f"infinite {what}"
    raise Diverged(f"the model gave {what} for {rows:,} of {len(answers):,} samples.")


def _labels(predicted: NDArray[Any], rows: int, classes: int) -> NDArray[np.int64]:
    if rows == 0:
        raise ValueError("no samples to score.")
    if predicted.shape != (rows,):
        raise ValueError(f"the model gave labels of shape {predicted.shape}, expected {(rows,)}.")
    labels = predicted.astype(np.int64)
    if not np.array_equal(labels, predicted):
        raise ValueError("the model gave labels that are not whole numbers.")
    if labels.min() < 0 or labels.max() >= classes:
        wrong = int(labels.min() if labels.min() < 0 else labels.max())
        raise ValueError(f"the model gave label {wrong}, but the classes are 0 to {classes - 1}.")
    return labels


def _check_probabilities(values: NDArray[np.float64]) -> None:
    if values.min() < -SUM_TOLERANCE:
        raise ValueError(f"the model gave a probability of {values.min():.3g}, below 0.")
    sums = values.sum(axis=1)
    worst = sums[np.argmax(np.abs(sums - 1))]
    if abs(worst - 1) > SUM_TOLERANCE:
        raise ValueError(f"the model's probabilities for one sample sum to {worst:.3g}, expected 1.")
