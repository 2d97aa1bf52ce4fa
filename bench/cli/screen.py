"""The user's terminal: its width and its number of colours."""

import os
import shutil

from bench.report.terminal import WIDTH

NARROWEST = 40
"""Columns below which nothing is made to fit."""
ALL_COLORS, SAFE_COLORS = 2**24, 256


def columns() -> int:
    """Columns to write in: the terminal's, from ``NARROWEST`` to ``WIDTH``; ``WIDTH`` without a terminal."""
    return max(NARROWEST, min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns))


def colors(wanted: bool) -> int | None:
    """Colours to use: 2**24 if the terminal declares them, else 256; None if not ``wanted``."""
    if not wanted:
        return None
    return ALL_COLORS if os.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit") else SAFE_COLORS
