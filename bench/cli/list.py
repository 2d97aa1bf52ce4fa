"""``bench list``: what there is to run, and what this machine has to run it on."""

import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from bench.cli.lazy import new_app
from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.adapters.base import Adapter

NOT_YET_RUN = "not yet run"

app = new_app(help="List suites, data sets, models, frameworks or devices.")


@app.command()
def suites() -> None:
    """List the suites that ship with bench. One of your own is given as a file: ./mine.toml."""
    from bench.suite_files import shipped_suites, suite_description

    files = shipped_suites()
    _print_rows(files, lambda name: suite_description(files[name]))


@app.command()
def datasets() -> None:
    """List the data sets by name. `bench data list` says which of them are here."""
    from bench.datasets.catalog import DATASETS, definition_of

    _print_rows(DATASETS, lambda name: definition_of(name).title)


@app.command()
def models() -> None:
    """List the models by name. One of your own is given as a file: ./net.py:ResNet."""
    from bench.models.catalog import MODELS, find_model

    _print_rows(MODELS, lambda name: find_model(name).description)


@app.command()
def frameworks() -> None:
    """List the frameworks and their versions. A missing one comes with the command that installs it."""
    from bench.adapters.catalog import ADAPTERS

    _print_rows(ADAPTERS, lambda name: _versions(ADAPTERS.get(name)()))


@app.command()
def devices() -> None:
    """List the devices each framework sees. Each is started once, in a process of its own.

    Not yet run: the framework's adapter supports it, but has never been run on one.
    """
    from bench.adapters.catalog import ADAPTERS

    _print_rows(ADAPTERS, lambda name: _devices(ADAPTERS.get(name)()))


def _versions(adapter: "Adapter") -> str:
    installed = adapter.installed()
    if installed:
        return ", ".join(f"{package} {version}" for package, version in installed.versions.items())
    return f"not installed; to install it: {installed.command}"


def _devices(adapter: "Adapter") -> str:
    from bench.runner.probe import probe

    if not adapter.installed():
        return _versions(adapter)
    seen = probe(adapter.name)
    devices = [name if _kind(name) in adapter.run_on else f"{name} ({NOT_YET_RUN})" for name in seen.devices]
    accelerators = [f"; {name}" for name in seen.accelerators]
    return ", ".join(devices) + "".join(accelerators) + _other_kinds(adapter, seen.devices)


def _other_kinds(adapter: "Adapter", seen: Iterable[str]) -> str:
    """The device kinds that the adapter supports but has never been run on, and that are not here."""
    here = {_kind(name) for name in seen}
    kinds = [kind for kind in adapter.kinds if kind not in here and kind not in adapter.run_on]
    return f"; {NOT_YET_RUN}: {', '.join(kinds)}" if kinds else ""


def _kind(device: str) -> str:
    """``cuda`` of ``cuda:0``."""
    return device.partition(":")[0]


def _print_rows(names: Iterable[str], describe: Callable[[str], str]) -> None:
    """Print one line per name as soon as it is known; an error stands in its line and hides no other name."""
    listed = list(names)
    width = max(map(len, listed), default=0)
    for name in listed:
        try:
            line = describe(name)
        except BenchError as error:
            line = error.message
        print(f"{name:<{width}}  {_wrapped(line, width + 2)}".rstrip(), flush=True)


def _wrapped(text: str, indent: int) -> str:
    """``text`` wrapped to the terminal, ``indent`` columns in; elsewhere one line, for other programs to read."""
    if not sys.stdout.isatty():
        return text
    room = max(20, shutil.get_terminal_size().columns - indent)
    return ("\n" + " " * indent).join(textwrap.wrap(text, room))
