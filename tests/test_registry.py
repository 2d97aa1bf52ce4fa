"""Registries: built-in names, and names from other packages' entry points."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.errors import BenchError, UnknownName
from bench.registry import Registry

BUILTIN = {"pi": "math:pi", "sqrt": "math:sqrt"}


def registry(group: str = "bench.nothing-registers-here") -> Registry[object]:
    return Registry("constant", group, "bench list constants", BUILTIN)


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An installed package that registers a working name, a broken one, and one that is already taken."""
    (tmp_path / "greek.py").write_text("tau = 6.28\npi = 'not the built-in one'\n")
    (tmp_path / "broken_greek.py").write_text("raise OSError('libgreek.so is missing')\n")
    metadata = tmp_path / "greek_constants-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: greek-constants\nVersion: 1.0\n")
    entries = "[bench.constants]\ntau = greek:tau\npi = greek:pi\nphi = broken_greek:phi\n"
    (metadata / "entry_points.txt").write_text(entries)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "bench.constants"
    sys.modules.pop("greek", None)


def test_a_built_in_name_is_imported_when_it_is_asked_for() -> None:
    assert registry().get("pi") == pytest.approx(3.14159, abs=1e-5)


def test_listing_the_names_imports_nothing() -> None:
    unimportable = Registry[object]("thing", "bench.nothing", "bench list things", {"a": "no_such_module:a"})
    assert list(unimportable) == ["a"]
    assert "a" in unimportable


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName) as caught:
        registry().get("sqr", where="suite.toml, line 3")
    assert str(caught.value) == (
        "unknown constant 'sqr' in suite.toml, line 3: did you mean 'sqrt'?\n"
        "    known: pi, sqrt   (bench list constants)"
    )


def test_another_package_adds_a_name_by_an_entry_point(plugin: str) -> None:
    constants = registry(plugin)
    assert "tau" in constants
    assert constants.get("tau") == 6.28
    assert list(constants) == ["pi", "sqrt", "phi", "tau"]


def test_an_entry_point_cannot_replace_a_built_in_name(plugin: str) -> None:
    assert registry(plugin).get("pi") == pytest.approx(3.14159, abs=1e-5)


def test_a_plug_in_that_cannot_be_imported_is_named_with_its_package_and_its_error(plugin: str) -> None:
    with pytest.raises(BenchError) as caught:
        registry(plugin).get("phi")
    assert str(caught.value) == (
        "constant 'phi' of package 'greek-constants' cannot be imported: OSError: libgreek.so is missing\n"
        "    Fix or uninstall greek-constants."
    )
