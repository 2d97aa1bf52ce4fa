"""The user's own models: what a Python file builds, found without running it, and built inside a worker.

A file (or an entry point) names a builder: an ``nn.Module`` class or a function that returns one, the same for a
``keras.Model``, a scikit-learn estimator or pipeline or a function that returns one; or a class (or the file itself)
with any of the functions ``pytorch(shape, classes)``, ``keras(shape, classes)``, ``scikit_learn(seed)``.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from bench.errors import BenchError
from bench.models.model import NativeModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BUILDERS = ("pytorch", "keras", "scikit_learn")
_PACKAGES = {"torch": "pytorch", "torchvision": "pytorch", "keras": "keras", "tensorflow": "keras"}
_PACKAGES["sklearn"] = "scikit_learn"


SUM_TOLERANCE = 1e-2
"""Error of a sum of probabilities computed with the 8 bits of bfloat16."""
LOOKED_AT = 8
"""Rows whose outputs are looked at."""
LEAST_PROBABILITY = 1e-7
"""Keras' own lower bound of a probability, so that its logarithm is finite."""


class ModelFault(Exception):
    """The user's model could not be built or used; the message says where and why."""


def gives_probabilities(outputs: NDArray[np.floating[Any]]) -> bool:
    """True where outputs ``(n, k)`` are probabilities: each between 0 and 1, with a sum of 1 in every row.

    Logits do not meet this by chance in every one of a few rows. The logarithms of probabilities are logits: their
    softmax gives the probabilities back.
    """
    import numpy as np

    values = np.asarray(outputs, np.float64)
    if values.ndim != 2 or values.shape[1] < 2 or not np.isfinite(values).all():
        return False
    summed = np.abs(values.sum(axis=1) - 1.0).max(initial=0.0)
    return bool(values.min(initial=0.0) >= -SUM_TOLERANCE and summed <= SUM_TOLERANCE)


def is_reference(text: str) -> bool:
    """True if ``text`` names a Python file (``./net.py`` or ``./net.py:ResNet``) rather than a known model."""
    return split_reference(text)[0].endswith(".py")


def split_reference(text: str) -> tuple[str, str]:
    """``net.py:ResNet`` as its file and its attribute (empty where none is named)."""
    file, colon, attribute = text.rpartition(":")
    return (file, attribute) if colon and file.endswith(".py") else (text, "")


def from_file(text: str) -> NativeModel:
    """The model that ``./net.py:ResNet`` names, its frameworks read off the source; nothing is run.

    Raises BenchError where the file is not there, does not parse, or does not say what it builds.
    """
    file, attribute = split_reference(text)
    path = Path(file)
    if not path.is_file():
        raise BenchError(f"no file {file!r} for the model {text!r}", "Give the path of a Python file: ./net.py:NAME")
    source = path.read_bytes()
    builders = _builders(source, path.name, attribute)
    name = attribute or path.stem
    return NativeModel(name, builders, hashlib.sha256(source).hexdigest(), path.resolve(), attribute)


def from_module(name: str, module: str, attribute: str) -> NativeModel | None:
    """The model an entry point names, its frameworks read off the module's source; None where it builds nothing.

    None means that the attribute is a ``Network`` or an ``Estimator``, to be imported as it is.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    source = Path(spec.origin).read_bytes()
    tree = ast.parse(source)
    if attribute and not isinstance(_definition(tree, attribute), ast.ClassDef | ast.FunctionDef):
        return None
    builders = _builders(source, f"{module}.py", attribute)
    return NativeModel(name, builders, hashlib.sha256(source).hexdigest(), None, attribute, module)


def _builders(source: bytes, file: str, attribute: str) -> frozenset[str]:
    try:
        tree = ast.parse(source, file)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f"{file}, line {line}" if line else file
        raise BenchError(f"{where}: not valid Python: {getattr(error, 'msg', error)}") from error
    if not attribute:
        return _of_functions(tree.body) or _refuse_unnamed(tree, file)
    definition = _definition(tree, attribute)
    if definition is None:
        names = ", ".join(_public_names(tree)) or "nothing"
        raise BenchError(f"{file} defines no {attribute!r}", f"It defines: {names}")
    if isinstance(definition, ast.ClassDef) and (methods := _of_functions(definition.body)):
        return methods
    found = _of_references(tree, definition)
    if len(found) != 1:
        raise BenchError(
            f"{file}: cannot tell which framework {attribute!r} is for"
            + (f" ({', '.join(sorted(found))})" * bool(found)),
            "Make it a class with any of the functions pytorch(shape, classes), keras(shape, classes), "
            "scikit_learn(seed).",
        )
    return found


def _refuse_unnamed(tree: ast.Module, file: str) -> frozenset[str]:
    names = _public_names(tree)
    example = names[0] if names else "NAME"
    raise BenchError(
        f"{file} has none of the functions pytorch, keras, scikit_learn",
        f"Name what builds the model: {file}:{example}   (it defines: {', '.join(names) or 'nothing'})",
    )


def _of_functions(body: list[ast.stmt]) -> frozenset[str]:
    return frozenset(node.name for node in body if isinstance(node, ast.FunctionDef) and node.name in BUILDERS)


def _definition(tree: ast.Module, attribute: str) -> ast.stmt | None:
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == attribute:
            return node
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == attribute for target in node.targets):
            return node
    return None


def _public_names(tree: ast.Module) -> list[str]:
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
    ]


def _of_references(tree: ast.Module, definition: ast.stmt) -> frozenset[str]:
    """Builder kinds of the packages whose names ``definition`` uses, directly or through the file's other names."""
    packages = dict(_imported_packages(tree))
    seen: set[str] = set()
    found: set[str] = set()
    pending: list[ast.AST] = [definition]
    while pending:
        for node in ast.walk(pending.pop()):
            if not isinstance(node, ast.Name) or node.id in seen:
                continue
            seen.add(node.id)
            if node.id in packages:
                found.add(packages[node.id])
            elif (other := _definition(tree, node.id)) is not None:
                pending.append(other)
    if not found:
        found = {kind for _, kind in _imported_packages(definition)} or set(packages.values())
    return frozenset(found)


def _imported_packages(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                kind = _PACKAGES.get(alias.name.partition(".")[0])
                if kind:
                    yield alias.asname or alias.name.partition(".")[0], kind
        elif isinstance(node, ast.ImportFrom) and node.module:
            kind = _PACKAGES.get(node.module.partition(".")[0])
            for alias in node.names if kind else ():
                yield alias.asname or alias.name, cast(str, kind)


def build(model: NativeModel, kind: str, shape: tuple[int, ...], classes: int, seed: int) -> object:
    """Build the model in a worker. ``shape`` is one image's, in the framework's own layout.

    Raises ModelFault where the user's code raises, with the exception's text and the line in the user's file.
    """
    try:
        owner = _module(model)
        target: object = getattr(owner, model.attribute) if model.attribute else owner
        target = getattr(target, kind, target)
        if (
            not callable(target)
            or isinstance(target, ModuleType)
            or (hasattr(target, "fit") and not inspect.isclass(target))
        ):
            return target
        return _call(target, {"shape": shape, "classes": classes, "seed": seed})
    except Exception as error:  # the user's code may raise anything
        raise ModelFault(f"{model.name}: {describe(error, model)}") from error


def describe(error: BaseException, model: NativeModel) -> str:
    """``ValueError: … (net.py, line 12)``: an exception of the user's code, with its last line in their file.

    If a framework wrapped the exception that line raised, the original's text is given. Of many lines of text the
    first two are kept, on one.
    """
    line = _own_line(error, model)
    raised = link = error
    seen = {id(error)}
    while (inner := link.__cause__ or link.__context__) and id(inner) not in seen:
        link = inner
        seen.add(id(link))
        if line and _own_line(link, model) == line:
            raised = link
    rows = [words for row in _COLOUR.sub("", str(raised)).splitlines() if (words := row.strip())]
    text = f"{type(raised).__name__}: {' '.join(rows[:2])}".removesuffix(": ")
    return f"{text} ({_file(model)}, line {line})" if line else text


def _own_line(error: BaseException, model: NativeModel) -> int | None:
    """The last line of the user's file that ``error`` came through."""
    line = None
    traceback = error.__traceback__
    while traceback:
        frame = traceback.tb_frame
        own = frame.f_globals.get("__name__") in (model.module, _OWN_MODULE)
        if own or Path(frame.f_code.co_filename).name == _file(model):
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def _file(model: NativeModel) -> str:
    return model.path.name if model.path else (model.module or "")


_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
"""A terminal's colour codes, which frameworks write into their messages."""


_OWN_MODULE = "bench_own_model"


def _module(model: NativeModel) -> ModuleType:
    if model.path is None:
        return importlib.import_module(cast(str, model.module))
    if _OWN_MODULE in sys.modules:
        return sys.modules[_OWN_MODULE]
    sys.path.insert(0, str(model.path.parent))  # so that the file may import its neighbours
    spec = importlib.util.spec_from_file_location(_OWN_MODULE, model.path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[_OWN_MODULE] = module
    spec.loader.exec_module(module)
    return module


_ARGUMENTS = {
    "shape": "shape",
    "input_shape": "shape",
    "classes": "classes",
    "num_classes": "classes",
    "n_classes": "classes",
    "seed": "seed",
    "random_state": "seed",
}


def _call(builder: Callable[..., object], values: dict[str, object]) -> object:
    """Call ``builder`` with those of shape, classes and seed that its signature asks for, by name or in that order."""
    parameters = [
        parameter
        for parameter in inspect.signature(builder).parameters.values()
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    ]
    named = {
        parameter.name: values[_ARGUMENTS[parameter.name]]
        for parameter in parameters
        if parameter.name in _ARGUMENTS and parameter.kind is not parameter.POSITIONAL_ONLY
    }
    required = [parameter for parameter in parameters if parameter.default is parameter.empty]
    if all(parameter.name in named for parameter in required):
        return builder(**named)
    if len(required) == 2:
        return builder(values["shape"], values["classes"])
    raise TypeError(
        f"a builder takes (shape, classes), or arguments named so; this one asks for "
        f"({', '.join(parameter.name for parameter in required)})"
    )
