"""Named things that ship with the harness or come from other packages' entry points.

A registry maps a name to ``"module:attribute"`` and imports it only when it is asked for, so that listing names
costs nothing. Entry points of the registry's group are looked up once, and only when a name is not built in or
all names are wanted.
"""

import importlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from bench.errors import BenchError, UnknownName

T = TypeVar("T")


class Registry(Generic[T]):
    """Names of one kind (``"data set"``, ``"model"``, …) and what they stand for.

    ``group`` is the entry-point group other packages use; ``listing`` the command that lists the names.
    """

    def __init__(self, kind: str, group: str, listing: str, builtin: Mapping[str, str]) -> None:
        self.kind = kind
        self.group = group
        self.listing = listing
        self._builtin = dict(builtin)
        self._loaded: dict[str, T] = {}

    @cached_property
    def _external(self) -> dict[str, EntryPoint]:
        return {entry.name: entry for entry in entry_points(group=self.group)}

    def __contains__(self, name: str) -> bool:
        return name in self._builtin or name in self._external

    def __iter__(self) -> Iterator[str]:
        yield from self._builtin
        yield from (name for name in sorted(self._external) if name not in self._builtin)

    def entry(self, name: str) -> EntryPoint | None:
        """The entry point behind ``name``, not imported; None if the name is built in or unknown."""
        return None if name in self._builtin else self._external.get(name)

    def get(self, name: str, *, where: str = "") -> T:
        """The object behind ``name``, imported now. Raises UnknownName, or BenchError if a plug-in fails to import."""
        if name not in self._loaded:
            self._loaded[name] = self._load(name, where)
        return self._loaded[name]

    def _load(self, name: str, where: str) -> T:
        if name in self._builtin:
            module, _, attribute = self._builtin[name].partition(":")
            loaded: T = getattr(importlib.import_module(module), attribute)
            return loaded
        if name not in self._external:
            raise UnknownName(self.kind, name, self, where=where, listing=self.listing)
        entry = self._external[name]
        try:
            plugged: T = entry.load()
        except Exception as error:  # another package's import may raise anything
            package = entry.dist.name if entry.dist else entry.value
            raise BenchError(
                f"{self.kind} {name!r} of package {package!r} cannot be imported: {type(error).__name__}: {error}",
                f"Fix or uninstall {package}.",
            ) from error
        return plugged
