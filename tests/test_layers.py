"""Imports point one way, frameworks stay in their adapters, and the command starts without what it does not need."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "bench"
SOURCES = {path.relative_to(PACKAGE.parent).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}

LAYERS = (
    {"errors", "durable", "child"},
    {"registry", "suite_files"},
    {"case"},
    {"record", "schedule"},
    {"manifest"},
    {"datasets", "models", "score"},
    {"suite"},
    {"store", "measure", "adapters", "certificate"},
    {"runs"},
    {"runner"},
    {"equivalence"},
    {"stats"},
    {"report", "gate"},
    {"api"},
    {"__init__"},
    {"cli"},
    {"__main__"},
)
"""Lowest first: a module may import its own part and those of lower layers. All may ask ``bench`` for its version."""

FRAMEWORKS = {"jax", "keras", "sklearn", "tensorflow", "torch", "torchvision"}
FRAMEWORK_NAMES = {"pytorch", "keras-tensorflow", "keras-torch", "keras-jax", "scikit-learn", "torch", "tensorflow"}
SLOW_TO_IMPORT = {"numpy", "pandas", "scipy", "PIL", "rich", "pooch", "psutil", "threadpoolctl", *FRAMEWORKS}
STARTS = (
    "__init__",
    "__main__",
    "case",
    "child",
    "cli",
    "durable",
    "errors",
    "manifest",
    "record",
    "registry",
    "runs",
    "store",
    "suite",
    "suite_files",
)
"""Parts that the command imports before it knows what it needs."""


def layer(part: str) -> int:
    found = [index for index, parts in enumerate(LAYERS) if part in parts]
    assert found, f"bench.{part} has no layer: name it in LAYERS"
    return found[0]


def part_of(source: str) -> str:
    """``cli`` of ``bench/cli/app.py``, ``case`` of ``bench/case.py``."""
    return source.split("/")[1].removesuffix(".py")


def imports(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Every import with the dotted name of what is imported; ``from bench import report`` gives ``bench.report``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: imports within bench are written in full"
            below = node.module == "bench"
            yield from ((node, f"bench.{alias.name}" if below else str(node.module)) for alias in node.names)


def upward_imports(source: str, text: str) -> list[str]:
    """The imports of ``source`` that point to its own layer or a higher one, and not to its own part."""
    own = part_of(source)
    wrong = []
    for node, name in imports(ast.parse(text)):
        parts = name.split(".")
        if parts[0] != "bench" or name == "bench.__version__":
            continue
        other = parts[1] if len(parts) > 1 else "__init__"
        if other != own and layer(other) >= layer(own):
            wrong.append(f"{source}:{node.lineno} imports {name}")
    return wrong


def eager_imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The imports that run when the module is imported: not in a function, not under TYPE_CHECKING."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((found.lineno, name) for found, name in imports(node))
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from eager_imports(ast.Module(node.orelse, []))
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from eager_imports(node)


def names_in_decisions(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The strings in the condition of an ``if``, a ``while``, a conditional expression, or in a ``case``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If | ast.While | ast.IfExp):
            asked: ast.AST = node.test
        elif isinstance(node, ast.match_case):
            asked = node.pattern
        else:
            continue
        for part in ast.walk(asked):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.lineno, part.value


def names_in_constants(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The strings that alone are the value of a variable or of an argument: what a decision would then ask for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr):
            values = [node.value]
        elif isinstance(node, ast.arguments):
            values = [*node.defaults, *node.kw_defaults]
        else:
            continue
        for value in values:
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.lineno, value.value


@pytest.mark.parametrize("source", SOURCES)
def test_imports_point_to_lower_layers(source: str) -> None:
    assert upward_imports(source, SOURCES[source].read_text()) == []


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("bench/case.py", "from bench.record import Record"),
        ("bench/datasets/idx.py", "import bench.models.model"),
        ("bench/store.py", "def late():\n    from bench.runner import plan"),
        ("bench/stats/summary.py", "from bench import report"),
        ("bench/runner/plan.py", "from bench.cli.app import main"),
    ],
)
def test_an_import_that_points_up_or_aside_is_found(source: str, text: str) -> None:
    assert len(upward_imports(source, text)) == 1


@pytest.mark.parametrize("source", [source for source in SOURCES if not source.startswith("bench/adapters/")])
def test_no_module_but_an_adapter_imports_a_framework(source: str) -> None:
    found = [
        f"{source}:{node.lineno} {name}"
        for node, name in imports(ast.parse(SOURCES[source].read_text()))
        if name.split(".")[0] in FRAMEWORKS
    ]
    assert found == []


@pytest.mark.parametrize("source", [source for source in SOURCES if source.startswith("bench/adapters/")])
def test_importing_an_adapter_imports_no_framework(source: str) -> None:
    tree = ast.parse(SOURCES[source].read_text())
    assert [name for _, name in eager_imports(tree) if name.split(".")[0] in FRAMEWORKS] == []


@pytest.mark.parametrize("source", [source for source in SOURCES if part_of(source) in STARTS])
def test_what_the_command_imports_at_start_is_quick_to_import(source: str) -> None:
    tree = ast.parse(SOURCES[source].read_text())
    assert [f"line {line}: {name}" for line, name in eager_imports(tree) if name.split(".")[0] in SLOW_TO_IMPORT] == []


@pytest.mark.parametrize("source", [source for source in SOURCES if not source.startswith("bench/adapters/")])
def test_no_decision_outside_an_adapter_depends_on_the_name_of_a_framework(source: str) -> None:
    tree = ast.parse(SOURCES[source].read_text())
    found = [*names_in_decisions(tree), *names_in_constants(tree)]
    assert [f"line {line}: {name}" for line, name in found if name in FRAMEWORK_NAMES] == []


def test_a_decision_by_the_name_of_a_framework_is_found() -> None:
    tree = ast.parse("x = 1 if framework == 'pytorch' else 2\nmatch framework:\n    case 'scikit-learn': pass")
    assert list(names_in_decisions(tree)) == [(1, "pytorch"), (3, "scikit-learn")]


def test_the_name_of_a_framework_that_a_decision_asks_for_by_another_name_is_found() -> None:
    tree = ast.parse('FIRST = "pytorch"\nLAST: str = "keras-jax"\ndef run(framework="torch", *, other="x"): ...')
    assert sorted(names_in_constants(tree)) == [(1, "pytorch"), (2, "keras-jax"), (3, "torch"), (3, "x")]


def test_an_import_inside_a_class_or_a_try_runs_at_import_and_one_inside_a_function_does_not() -> None:
    text = (
        "class A:\n  import torch\ntry:\n  import keras\nexcept ImportError:\n  import jax\ndef f():\n  import sklearn"
    )
    assert [name for _, name in eager_imports(ast.parse(text))] == ["torch", "keras", "jax"]
