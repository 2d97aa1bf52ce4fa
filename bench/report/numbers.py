"""Numbers as text: as many digits as are worth reading, the same in every format."""

import math

DASH = "–"
"""Marks a missing figure; the reason is beside or below it."""


def significant(value: float, digits: int = 3) -> str:
    """``value`` rounded to ``digits`` significant digits, with thousands separators: ``128,000``, ``3.10``, ``0.110``.

    More would be false precision: speeds vary by percents from trial to trial.
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:.0f}"
    rounded = float(f"{value:.{digits - 1}e}")
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    return f"{rounded:,.{decimals}f}"


def percent(share: float) -> str:
    """A share of one as percent with two decimals: ``99.02``."""
    return f"{100 * share:.2f}"


def plus_minus(half: float) -> str:
    """Half the width of an interval of a share: ``±0.08``."""
    return f"±{percent(half)}"


def ratio(value: float) -> str:
    """A ratio: two decimals near one, fewer where it is large."""
    if value >= 100:
        return significant(value)
    if value >= 9.995:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 0.0995 else significant(value, 2)


def whole(value: float) -> str:
    """``2,814``."""
    return f"{value:,.0f}"


def seconds(value: float) -> str:
    """A duration: three significant digits, but nothing below a millisecond."""
    if value < 0.001:
        return "<0.001"
    return f"{value:.3f}" if value < 0.0995 else significant(value)


def milliseconds(value: float) -> str:
    """A latency: two significant digits below one millisecond, three above."""
    return significant(value, 2 if value < 0.995 else 3)


def mebibytes(value: float) -> str:
    """Memory to the whole MiB."""
    return f"{value:,.0f}"


def between(low: str, high: str) -> str:
    """The bounds of an interval or a range: ``1.91–2.04``."""
    return f"{low}{DASH}{high}"


def count(number: int, noun: str) -> str:
    """``1 case``, ``24 cases``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
