"""Which values of a suite's axes a request selects, and which it adds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bench.errors import UnknownName
from bench.suite import matches


@dataclass(frozen=True)
class Selection:
    """One axis of a request: patterns that select from the suite, and names that the suite does not have."""

    patterns: tuple[str, ...]
    added: tuple[str, ...]
    asked: tuple[str, ...]
    """The names, globs and files as given; empty selects all the suite has."""

    def of(self, values: Iterable[str]) -> tuple[str, ...]:
        """The suite's ``values`` that are selected."""
        return tuple(value for value in values if not self.asked or matches(value, self.patterns))

    def names(self, value: str) -> bool:
        """True if ``value`` itself was asked for, and not by a glob that it happens to match."""
        return value in self.asked


def select(
    kind: str,
    asked: Iterable[str],
    in_suite: Iterable[str],
    known: Iterable[str],
    *,
    listing: str,
    is_file: Callable[[str], bool] = lambda _: False,
) -> Selection:
    """Resolve what was ``asked`` for on one axis against the suite's values and all ``known`` names.

    Raises UnknownName for a name or glob that neither has.
    """
    asked, in_suite, known = tuple(asked), tuple(in_suite), tuple(known)
    patterns: list[str] = []
    added: list[str] = []
    for name in asked:
        if is_file(name):
            added.append(name)
        elif any(matches(value, (name,)) for value in in_suite):
            patterns.append(name)
        elif found := [value for value in known if matches(value, (name,))]:
            added += found
        else:
            raise _unknown(kind, name, known, listing)
    return Selection(tuple(patterns), tuple(dict.fromkeys(added)), asked)


def expand_globs(
    kind: str,
    names: Iterable[str],
    known: Iterable[str],
    *,
    where: Callable[[str], str],
    listing: str,
    is_file: Callable[[str], bool] = lambda _: False,
) -> tuple[str, ...]:
    """A suite's own names with its globs replaced by what they match.

    Raises UnknownName, with the place of the name in the suite, for a name or glob that nothing known matches.
    """
    known = tuple(known)
    found: list[str] = []
    for name in names:
        matching = [name] if is_file(name) else [value for value in known if matches(value, (name,))]
        if not matching:
            raise _unknown(kind, name, known, listing, where(name))
        found += matching
    return tuple(dict.fromkeys(found))


def _unknown(kind: str, name: str, known: Iterable[str], listing: str, where: str = "") -> UnknownName:
    return UnknownName(kind, name, known, where=where, listing=listing)
