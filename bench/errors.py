"""Errors the user can fix: shown in one or two lines, without a traceback."""

import difflib
from collections.abc import Iterable


class BenchError(Exception):
    """An error the user can fix: what is wrong and where, then what to do about it.

    ``exit_code`` 2 means that the question was wrong; a subclass whose answer is "no" sets 1.
    """

    exit_code = 2

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message}\n    {self.advice}" if self.advice else self.message


class UnknownName(BenchError):
    """A name that is not among the known ones; suggests the nearest."""

    def __init__(self, kind: str, name: str, known: Iterable[str], *, where: str = "", listing: str = "") -> None:
        names = list(known)
        self.nearest = _nearest(name, names)
        message = f"unknown {kind} {name!r}"
        if where:
            message += f" in {where}"
        if self.nearest is not None:
            message += f": did you mean {self.nearest!r}?"
        shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
        advice = f"known: {shown or 'none'}"
        if listing:
            advice += f"   ({listing})"
        super().__init__(message, advice)


def _nearest(name: str, known: list[str]) -> str | None:
    """The known name that starts with ``name``, in any case, else the most similar, else one that contains it."""
    plain = name.lower().strip("*")
    folded = {one.lower(): one for one in reversed(known)}
    beginning = [one for one in known if plain and one.lower().startswith(plain)]
    alike = difflib.get_close_matches(plain, folded, n=1, cutoff=0.6)
    holding = [one for one in known if len(plain) > 2 and plain in one.lower()]
    return next(iter([*beginning, *(folded[one] for one in alike), *holding]), None)
