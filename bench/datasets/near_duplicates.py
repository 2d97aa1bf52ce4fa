"""Near duplicates: pairs of images that are one picture, shifted by a pixel or two or made a little brighter.

Candidates are rows whose low frequencies have nearly the same magnitudes: a shift changes the phases alone (the
shift theorem of the Fourier transform). A candidate is a near duplicate if its images, laid over each other at the
best small shift, correlate by at least ``CORRELATION``. Everything works in blocks; the distances of the candidates
are one matrix product a block.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Rows = NDArray[np.int64]

CORRELATION = 0.995
"""Least Pearson's r over the overlap for two images to be one picture. Copies of MNIST digits, shifted and up to 15 %
brighter or darker, reach 0.998; the highest two of its 1.8 billion other training pairs reach 0.991."""
RADIUS = 0.12
"""Largest distance of a candidate's magnitudes if a shift loses nothing; a whole spectrum has length one. At r = 0.995
the images are sqrt(2 (1 - r)) = 0.1 apart, and magnitudes never further than their images."""
MARGIN = 1.25
"""Factor for the change a shift makes to an image's own magnitudes: another shift may bring in other things."""
WIDEST = 0.6
"""Largest radius: beyond, nearly all are candidates."""
NEAREST = 8
"""Candidates compared for each image, the nearest first."""
FREQUENCIES = {1: 32, 2: 5, 3: 2}
"""The highest frequency kept along each axis, by the number of spatial axes: 66 magnitudes, or 75 for volumes."""
TAPER = 3
"""Pixels at the border that fade out, so that what a shift brings in or takes away weighs little."""
BLOCK = 2**24
"""Values in a block of work: 64 MiB as float32."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Rows of two sets of images that make a pair, ``(pairs,)`` each, with their correlation."""

    left: Rows
    right: Rows
    correlation: Floats


@dataclass(frozen=True, eq=False)
class Pictures:
    """Images ``(n, *spatial, channels)`` to be compared, of which ``rows`` take part."""

    images: NDArray[Any]
    scale: float
    rows: Rows

    def block(self, positions: Rows | slice) -> Floats:
        """Images at these positions of ``rows``, as float32 in units of ``scale``."""
        import numpy as np

        block: Floats = self.images[self.rows[positions]].astype(np.float32) / np.float32(self.scale)
        return block

    @cached_property
    def magnitudes(self) -> Floats:
        """Low-frequency magnitudes, ``(rows, k)``; NaN for an image of one colour, which is near to none."""
        return self._spectra[0]

    @cached_property
    def radii(self) -> Floats:
        """Largest distance of a candidate by image, ``(rows,)``: more if a shift changes what is in the frame.

        A digit on black keeps its magnitudes; a photograph loses something at one side and gains something at the
        other. That change is measured on the image itself, rolled around.
        """
        import numpy as np

        radii: Floats = np.minimum(RADIUS + MARGIN * self._spectra[1], WIDEST).astype(np.float32)
        return radii

    @cached_property
    def _spectra(self) -> tuple[Floats, Floats]:
        import numpy as np

        size = max(1, BLOCK // 4 // max(1, int(np.prod(self.images.shape[1:]))))
        parts = [_with_change(self.block(slice(start, start + size))) for start in range(0, len(self.rows), size)]
        if not parts:
            return np.empty((0, 1), np.float32), np.empty(0, np.float32)
        return np.concatenate([one for one, _ in parts]), np.concatenate([change for _, change in parts])


def near_pairs(left: Pictures, right: Pictures | None = None) -> Pairs:
    """The near duplicates of ``left`` in ``right``, or within ``left``; at most ``NEAREST`` for each of ``left``."""
    import numpy as np

    other = left if right is None else right
    found: list[Pairs] = []
    for mine, theirs in _candidates(left, right):
        correlation = _correlations(left, other, mine, theirs)
        near = correlation >= CORRELATION
        found.append(Pairs(left.rows[mine[near]], other.rows[theirs[near]], correlation[near]))
    nothing = np.empty(0, np.int64)
    found.append(Pairs(nothing, nothing, np.empty(0, np.float32)))
    return Pairs(*(np.concatenate([getattr(one, name) for one in found]) for name in ("left", "right", "correlation")))


def shifts(spatial: Sequence[int]) -> list[tuple[int, ...]]:
    """The shifts tried: up to two pixels either way along each axis, one if a side has fewer than 20 pixels."""
    reach = 2 if min(spatial) >= 20 else 1
    return list(itertools.product(range(-reach, reach + 1), repeat=len(spatial)))


def _with_change(images: Floats) -> tuple[Floats, Floats]:
    """Magnitudes of ``(n, *spatial, channels)``, and their change by the largest shifts."""
    import numpy as np

    grey = images.mean(axis=-1)
    own = _magnitudes(grey)
    axes = tuple(range(1, grey.ndim))
    farthest = shifts(grey.shape[1:])[-1]
    rolled = (np.roll(grey, [way * step for step in farthest], axes) for way in (1, -1))
    return own, np.max([np.linalg.norm(own - _magnitudes(one), axis=1) for one in rolled], axis=0)


def _magnitudes(grey: Floats) -> Floats:
    """Low-frequency magnitudes of ``(n, *spatial)``, scaled so that a whole spectrum has length one."""
    import numpy as np

    spatial = grey.shape[1:]
    axes = tuple(range(1, grey.ndim))
    window = _window(spatial)
    edge = _edge(spatial)
    grey = (grey - grey[:, edge].mean(axis=1).reshape(-1, *[1] * len(spatial))) * window
    length = np.sqrt((grey**2).sum(axis=axes))
    spectrum = np.abs(np.fft.rfftn(grey, axes=axes, norm="ortho"))
    kept = [min(FREQUENCIES[len(spatial)], (side - 1) // 2) for side in spatial]
    for axis, highest in zip(axes[:-1], kept, strict=False):
        spectrum = spectrum.take([*range(highest + 1), *range(-highest, 0)], axis=axis)
    spectrum = spectrum[..., : kept[-1] + 1]
    spectrum[..., 1:] *= np.sqrt(2)  # a frequency and its mirror image
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = spectrum.reshape(len(grey), -1) / np.where(length > 1e-3, length, np.nan)[:, None]
    return np.ascontiguousarray(scaled, dtype=np.float32)


def _window(spatial: Sequence[int]) -> Floats:
    """A window of 1 inside, falling to nearly 0 over the ``TAPER`` border pixels."""
    import numpy as np

    window = np.ones(tuple(spatial), np.float32)
    for axis, side in enumerate(spatial):
        depth = min(TAPER, side // 4)
        edge = np.minimum(np.arange(side), np.arange(side)[::-1])
        fade = np.sin(np.pi / 2 * np.minimum(1, (edge + 0.5) / max(depth, 0.5))) ** 2
        window *= fade.astype(np.float32).reshape([-1 if one == axis else 1 for one in range(len(spatial))])
    return window


def _edge(spatial: Sequence[int]) -> NDArray[np.bool_]:
    import numpy as np

    edge = np.ones(tuple(spatial), bool)
    edge[tuple(slice(1, -1) for _ in spatial)] = False
    return edge


def _candidates(left: Pictures, right: Pictures | None) -> Iterator[tuple[Rows, Rows]]:
    """Position pairs with magnitudes within the radius, in blocks; within ``left``, each pair once."""
    import numpy as np

    other = (left if right is None else right).magnitudes
    lengths = (other**2).sum(axis=1)
    size = max(1, BLOCK // max(1, len(other)))
    for start in range(0, len(left.rows), size):
        block = left.magnitudes[start : start + size]
        first = start if right is None else 0
        nearness = block @ other[first:].T  # in place from here on: the matrix is the largest array
        nearness *= -2
        nearness += (block**2).sum(axis=1)[:, None]
        nearness += lengths[first:]
        if right is None:
            nearness[:, : len(block)][np.tri(len(block), dtype=bool)] = np.inf
        mine, theirs = _nearest(nearness, left.radii[start : start + size] ** 2)
        yield mine + start, theirs + first


def _nearest(distance: Floats, limits: Floats) -> tuple[Rows, Rows]:
    """Row and column of the ``NEAREST`` smallest values of each row below the row's limit; none is NaN."""
    import numpy as np

    crowded = np.flatnonzero((distance < limits[:, None]).sum(axis=1) > NEAREST)
    if len(crowded):  # a third of all pairs of photographs may be within the radius: too many to sort
        limits = limits.copy()
        limits[crowded] = np.partition(distance[crowded], NEAREST, axis=1)[:, NEAREST]
    mine, theirs = np.nonzero(distance < limits[:, None])
    return mine, theirs


def _correlations(left: Pictures, right: Pictures, mine: Rows, theirs: Rows) -> Floats:
    """Pearson's r of each pair over its overlap at the best of the shifts."""
    import numpy as np

    found = np.empty(len(mine), np.float32)
    size = max(1, BLOCK // 128 // max(1, int(np.prod(left.images.shape[1:]))))  # fits a cache of the processor
    for start in range(0, len(mine), size):
        chosen = slice(start, start + size)
        found[chosen] = _correlate(left.block(mine[chosen]), right.block(theirs[chosen]))
    return found


def _correlate(left: Floats, right: Floats) -> Floats:
    import numpy as np

    considered = shifts(left.shape[1:-1])
    best = _best_shift(left, right, considered)
    found = np.zeros(len(left), np.float32)
    for index, shift in enumerate(considered):
        rows = np.flatnonzero(best == index)
        if len(rows):
            ours, other = _overlap(shift, left.shape[1:-1])
            first, second = left[rows][:, *ours], right[rows][:, *other]
            found[rows] = _pearson(first.reshape(len(rows), -1), second.reshape(len(rows), -1))
    return found


def _overlap(shift: Sequence[int], spatial: Sequence[int]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """The overlap in the left and in the right image when they are ``shift`` apart."""
    steps = list(zip(shift, spatial, strict=True))
    ours = tuple(slice(max(0, step), side + min(0, step)) for step, side in steps)
    return ours, tuple(slice(max(0, -step), side - max(0, step)) for step, side in steps)


def _best_shift(left: Floats, right: Floats, considered: Sequence[tuple[int, ...]]) -> Rows:
    """Index of the shift with the highest correlation; one pass over the pixels per shift, sums from masks."""
    import numpy as np

    axes = tuple(range(1, left.ndim))
    first, second = (one - one.mean(axis=axes, keepdims=True) for one in (left, right))
    masks = _masks(considered, left.shape[1:-1])
    letters = "ijklm"[: left.ndim]
    found = np.zeros((len(left), len(considered)), np.float32)
    sums = [_sums(values, mask) for values, mask in zip((first, second), masks, strict=True)]
    squares = [_sums(values**2, mask) for values, mask in zip((first, second), masks, strict=True)]
    for index, shift in enumerate(considered):
        ours, other = _overlap(shift, left.shape[1:-1])
        product = np.einsum(f"{letters},{letters}->i", first[:, *ours], second[:, *other])
        count = first[0, *ours].size
        (mine, theirs), (mine_squared, theirs_squared) = ((one[:, index] for one in two) for two in (sums, squares))
        spread = (mine_squared - mine**2 / count) * (theirs_squared - theirs**2 / count)
        covariance = product - mine * theirs / count
        np.divide(covariance, np.sqrt(np.maximum(spread, 0)), out=found[:, index], where=spread > 1e-12)
    best: Rows = found.argmax(axis=1)
    return best


def _masks(considered: Sequence[tuple[int, ...]], spatial: Sequence[int]) -> tuple[Floats, Floats]:
    """Masks of the overlap at each shift, for the left and right image: ones in ``(pixels, shifts)``."""
    import numpy as np

    masks = np.zeros((2, *spatial, len(considered)), np.float32)
    for index, shift in enumerate(considered):
        for mask, part in zip(masks, _overlap(shift, spatial), strict=True):
            mask[*part, index] = 1
    left, right = masks.reshape(2, -1, len(considered))
    return left, right


def _sums(values: Floats, masks: Floats) -> Floats:
    """Sums of ``(n, *spatial, channels)`` over each mask and all channels: ``(n, shifts)``."""
    summed: Floats = values.sum(axis=-1).reshape(len(values), -1) @ masks
    return summed


def _pearson(left: Floats, right: Floats) -> Floats:
    """Pearson's r by row; 0 if either is constant."""
    import numpy as np

    first, second = (one - one.mean(axis=1, keepdims=True) for one in (left, right))
    product = np.einsum("ij,ij->i", first, second)
    lengths = np.sqrt(np.einsum("ij,ij->i", first, first) * np.einsum("ij,ij->i", second, second))
    correlation: Floats = np.divide(product, lengths, out=np.zeros_like(product), where=lengths > 1e-6)
    return correlation
