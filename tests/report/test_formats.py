"""Formats are found by name, and other packages may bring theirs."""

import importlib.metadata
from collections.abc import Callable

import pytest

from bench.errors import UnknownName
from bench.registry import Registry
from bench.report.formats import REPORTS, Renderer
from tests.report.builder import realistic


def test_the_formats_that_ship_are_there() -> None:
    assert {"terminal", "markdown", "csv", "json"} <= set(REPORTS)


def test_a_misspelt_format_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="unknown report format 'markdwon': did you mean 'markdown'"):
        REPORTS.get("markdwon")


def count_cases(results: object, **options: object) -> str:
    """A format of somebody else's."""
    return f"{len(results.summaries)} cases\n"  # type: ignore[attr-defined]


def test_a_format_of_another_package_is_used_like_one_that_ships(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = importlib.metadata.EntryPoint("count", f"{__name__}:count_cases", REPORTS.group)
    monkeypatch.setattr(importlib.metadata.EntryPoint, "load", lambda self: count_cases)
    registry: Registry[Renderer] = Registry("report format", REPORTS.group, "", {})
    registry.__dict__["_external"] = {"count": entry}
    render: Callable[..., str] = registry.get("count")
    assert render(realistic().results(), view="all") == "28 cases\n"
