"""Class ids ``0..classes-1`` and class names from a user's labels, numbers or words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.datasets.source import printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def class_ids(train: NDArray[Any], test: NDArray[Any] | None) -> tuple[list[NDArray[np.int64]], tuple[str, ...]]:
    """The ids of both parts (of one, without a test part) and the class names, numbers in numerical order.

    The distinct labels are numbered in order, so labels that begin at 1 or leave a number out become ``0..k-1``.
    Raises ValueError, whose text begins with a verb: ``take …``.
    """
    import numpy as np

    parts = [_plain(part) for part in (train, test) if part is not None]
    if len({part.dtype.kind for part in parts}) > 1:
        raise ValueError("are words in one part and numbers in the other")
    distinct = np.unique(parts[0])
    if len(distinct) < 2:
        raise ValueError(f"take one value only ({printable(str(distinct[0]))}): there is nothing to tell apart")
    if len(distinct) > len(parts[0]) / 2:
        raise ValueError(f"take {len(distinct):,} distinct values in {len(parts[0]):,} rows: these are not classes")
    for part in parts[1:]:
        unknown = np.setdiff1d(part, distinct)
        if len(unknown):
            raise ValueError(f"hold {str(unknown[0])!r} in the test part, but not in the training part")
    return [np.searchsorted(distinct, part).astype(np.int64) for part in parts], tuple(str(name) for name in distinct)


def _plain(labels: NDArray[Any]) -> NDArray[Any]:
    """``(n,)`` as int64 or str."""
    import numpy as np

    flat = labels.reshape(-1) if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if flat.ndim != 1:
        raise ValueError(f"have the shape {labels.shape}; one label a row, (n,), expected")
    if flat.dtype.kind == "S":
        return np.char.decode(flat, "utf-8", "replace")
    if flat.dtype.kind == "U":
        return flat
    if flat.dtype.kind not in "buif":
        raise ValueError(f"have the type {flat.dtype}; numbers or words expected")
    with np.errstate(invalid="ignore"):  # values too large for int64 fail below
        numbers: NDArray[Any] = flat.astype(np.int64) if np.isfinite(flat).all() else flat
    if not ((numbers == flat) & np.isfinite(flat)).all():
        raise ValueError("are not whole numbers")
    return numbers
