"""A group of commands that imports a command's module to call it, not to list it.

The help of the group needs names and one line each, so it comes from the table; starting the command then costs
the same however many subcommands there are.
"""

import importlib
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup


class Entry(NamedTuple):
    """Location of a command (``"module:attribute"``, a function or a ``typer.Typer``), and its line in the help."""

    target: str
    help: str


class LazyGroup(TyperGroup):
    """A group of the commands in ``table``; a subclass names them."""

    table: ClassVar[Mapping[str, Entry]] = {}

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, entry in self.table.items():
            self.commands[name] = TyperCommand(name, help=entry.help)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command named by the first of ``args``, imported now in place of its line in the help."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command and load(str(command.name), self.table[str(command.name)].target), rest


def load(name: str, target: str) -> Any:
    """Import ``target`` and make a command of it, called ``name``."""
    module, _, attribute = target.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        function, found = found, new_app()
        found.command(name)(function)
    return typer.main.get_command(found)


def new_app(**settings: Any) -> typer.Typer:
    """A typer application with the settings all commands share: plain help, which starts without importing rich."""
    shared: dict[str, Any] = {
        "add_completion": False,
        "no_args_is_help": True,
        "pretty_exceptions_enable": False,
        "rich_markup_mode": None,
    }
    return typer.Typer(**{**shared, **settings})
