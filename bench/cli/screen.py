"""The user's terminal: how wide it is, and how many colours it shows."""

import os
import shutil

from bench.report.terminal import WIDTH

NARROWEST = 40
"""Columns below which nothing is made to fit."""
ALL_COLORS, SAFE_COLORS = 2**24, 256


def columns() -> int:
    """Columns to write in: those of the terminal, ``WIDTH`` at most, and ``WIDTH`` where there is no terminal."""
    return max(NARROWEST, min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns))


def colors(wanted: bool) -> int | None:
    """How many the terminal shows: it says so itself, or 256 are safe; None where none are wanted."""
    if not wanted:
        return None
    return ALL_COLORS if os.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit") else SAFE_COLORS
