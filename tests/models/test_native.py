"""The user's own models: found by reading a file, not by running it, and built with what their builder asks for."""

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from bench.errors import BenchError
from bench.models import native
from bench.models.catalog import find_model
from bench.models.model import NativeModel
from bench.models.native import ModelFault, build, describe, from_file, from_module, is_reference, split_reference

TRAP = "raise SystemExit('this file was run')\n"
"""At the top of every file that is only to be read."""


@pytest.fixture(autouse=True)
def _forget_the_module(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test builds from a file of its own; a worker builds from one only."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    sys.modules.pop("bench_own_model", None)


def write(folder: Path, source: str, name: str = "net.py") -> Path:
    path = folder / name
    path.write_text(dedent(source))
    return path


def found(folder: Path, source: str, attribute: str) -> frozenset[str]:
    path = write(folder, TRAP + dedent(source))
    return from_file(f"{path}:{attribute}" if attribute else str(path)).builders


FILES = {
    "an nn.Module class": ("import torch\nclass Net(torch.nn.Module): pass", "Net", {"pytorch"}),
    "a class of an imported name": ("from torch import nn\nclass Net(nn.Module): pass", "Net", {"pytorch"}),
    "a class through its base": (
        "import torch.nn as n\nclass Base(n.Module): pass\nclass Net(Base): pass",
        "Net",
        {"pytorch"},
    ),
    "a torchvision builder": (
        "from torchvision.models import resnet18\ndef net(classes): return resnet18(num_classes=classes)",
        "net",
        {"pytorch"},
    ),
    "a function that returns a keras.Model": (
        "import keras\ndef net(shape, classes): return keras.Sequential([])",
        "net",
        {"keras"},
    ),
    "tf.keras": ("import tensorflow as tf\ndef net(shape, classes): return tf.keras.Sequential([])", "net", {"keras"}),
    "an import inside the function": (
        "def net(shape, classes):\n    from keras import layers\n    return layers",
        "net",
        {"keras"},
    ),
    "a pipeline as a value": (
        "from sklearn.pipeline import make_pipeline\nnet = make_pipeline(None)",
        "net",
        {"scikit_learn"},
    ),
    "a helper's framework": (
        "import torch\ndef block(): return torch.nn.ReLU()\ndef net(shape, classes): return block()",
        "net",
        {"pytorch"},
    ),
    "one of two in a file": (
        "import torch\nfrom sklearn.svm import SVC\nclass Net(torch.nn.Module): pass\ndef svc(seed): return SVC()",
        "svc",
        {"scikit_learn"},
    ),
    "a class with methods": (
        "import torch, keras\nclass Net:\n  def pytorch(shape, classes): pass\n  def keras(shape, classes): pass",
        "Net",
        {"pytorch", "keras"},
    ),
    "the file's own functions": (
        "def pytorch(shape, classes): pass\ndef scikit_learn(seed): pass",
        "",
        {"pytorch", "scikit_learn"},
    ),
}


@pytest.mark.parametrize("file", FILES)
def test_the_framework_is_read_off_the_source_without_running_it(file: str, tmp_path: Path) -> None:
    source, attribute, frameworks = FILES[file]
    assert found(tmp_path, source, attribute) == frameworks


def refusal(folder: Path, source: str, attribute: str) -> str:
    with pytest.raises(BenchError) as refused:
        found(folder, source, attribute)
    assert refused.value.exit_code == 2
    text = str(refused.value)
    assert len(text.splitlines()) <= 2
    assert str(folder) not in text
    return text


def test_a_syntax_error_is_named_with_file_and_line(tmp_path: Path) -> None:
    assert refusal(tmp_path, "x = 1\ndef net(:\n", "net").startswith("net.py, line 3: not valid Python:")


def test_a_file_with_null_bytes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_bytes(b"x = 1\0")
    with pytest.raises(BenchError, match=r"net\.py.*not valid Python"):
        from_file(f"{tmp_path / 'net.py'}:net")


def test_a_name_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    text = refusal(tmp_path, "import torch\nclass Net(torch.nn.Module): pass\ndef _inner(): pass", "Nett")
    assert text == "net.py defines no 'Nett'\n    It defines: Net"


def test_a_file_without_a_name_says_how_to_give_one(tmp_path: Path) -> None:
    text = refusal(tmp_path, "import torch\nclass Net(torch.nn.Module): pass", "")
    assert "none of the functions pytorch, keras, scikit_learn" in text
    assert "net.py:Net" in text


def test_a_builder_of_two_frameworks_is_ambiguous(tmp_path: Path) -> None:
    text = refusal(tmp_path, "import torch, keras\ndef net(shape, classes): return torch, keras", "net")
    assert "cannot tell which framework 'net' is for (keras, pytorch)" in text
    assert "pytorch(shape, classes)" in text


def test_a_builder_of_no_framework_is_refused(tmp_path: Path) -> None:
    assert "cannot tell which framework 'net' is for" in refusal(tmp_path, "def net(): return 1", "net")


def test_a_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(BenchError, match=r"no file '\./nowhere\.py' for the model '\./nowhere\.py:Net'"):
        find_model("./nowhere.py:Net")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("./net.py", ("./net.py", "")),
        ("./net.py:Net", ("./net.py", "Net")),
        ("C:\\nets\\net.py:Net", ("C:\\nets\\net.py", "Net")),
        ("C:\\nets\\net.py", ("C:\\nets\\net.py", "")),
    ],
)
def test_a_reference_is_a_file_and_what_in_it_builds_the_model(text: str, parts: tuple[str, str]) -> None:
    assert is_reference(text)
    assert split_reference(text) == parts


def test_the_name_of_a_model_is_no_reference() -> None:
    assert not is_reference("cnn")
    assert not is_reference("package:Net")


def test_the_model_is_called_by_its_attribute_else_by_its_file(tmp_path: Path) -> None:
    path = write(tmp_path, "def pytorch(shape, classes): pass\nimport torch\nclass Net(torch.nn.Module): pass")
    assert from_file(str(path)).name == "net"
    assert from_file(f"{path}:Net").name == "Net"


def test_an_edit_of_the_file_changes_the_digest(tmp_path: Path) -> None:
    path = write(tmp_path, "def pytorch(shape, classes): return 1\n")
    before = from_file(str(path)).digest
    path.write_text(path.read_text().replace("1", "2"))
    assert from_file(str(path)).digest != before


def test_a_module_is_read_and_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, TRAP + "import torch\nclass Net(torch.nn.Module): pass\nNUMBER = 3", "plugged.py")
    monkeypatch.syspath_prepend(str(tmp_path))
    model = from_module("mine", "plugged", "Net")
    assert model is not None
    assert model == NativeModel("mine", frozenset({"pytorch"}), model.digest, None, "Net", "plugged")
    assert from_module("mine", "plugged", "NUMBER") is None
    assert "plugged" not in sys.modules


BUILDERS = {
    "shape and classes by name": ("def net(shape, classes): return (shape, classes)", ((1, 8, 8), 10)),
    "other names for them": ("def net(num_classes, input_shape): return (input_shape, num_classes)", ((1, 8, 8), 10)),
    "two names of its own, in that order": ("def net(a, b): return (a, b)", ((1, 8, 8), 10)),
    "only what it asks for": ("def net(classes): return classes", 10),
    "nothing": ("def net(): return 'built'", "built"),
    "a seed by name alone": ("def net(*, random_state): return random_state", 7),
    "what has a default of its own": ("def net(classes=2, depth=3): return (classes, depth)", (10, 3)),
    "a class": (
        "class net:\n  def __init__(self, shape, classes): self.it = (shape, classes)\n  def __eq__(self, other):\n"
        "    return self.it == other",
        ((1, 8, 8), 10),
    ),
    "a class with a method for the framework": (
        "class net:\n  def pytorch(shape, classes): return classes\n  def keras(shape, classes): return 'keras'",
        10,
    ),
    "a value": ("net = 'torch value'", "torch value"),
}


@pytest.mark.parametrize("kind", BUILDERS)
def test_a_builder_gets_what_it_asks_for(kind: str, tmp_path: Path) -> None:
    source, expected = BUILDERS[kind]
    path = write(tmp_path, source)
    model = NativeModel("net", frozenset({"pytorch"}), "", path, "net")
    assert build(model, "pytorch", (1, 8, 8), 10, 7) == expected


def test_the_files_own_function_of_the_framework_is_called(tmp_path: Path) -> None:
    path = write(tmp_path, "def pytorch(shape, classes): return 'p'\ndef scikit_learn(seed): return seed")
    model = from_file(str(path))
    assert (build(model, "pytorch", (1, 8, 8), 10, 7), build(model, "scikit_learn", (8, 8, 1), 10, 7)) == ("p", 7)


def test_a_builder_that_asks_for_something_unknown_is_told_what_there_is(tmp_path: Path) -> None:
    model = NativeModel("net", frozenset({"pytorch"}), "", write(tmp_path, "def net(width): return width"), "net")
    with pytest.raises(ModelFault, match=r"a builder takes \(shape, classes\).*asks for \(width\)"):
        build(model, "pytorch", (1, 8, 8), 10, 7)


def test_a_model_may_import_its_neighbours(tmp_path: Path) -> None:
    write(tmp_path, "WIDTH = 12", "neighbour_of_net.py")
    path = write(tmp_path, "import neighbour_of_net\ndef net(): return neighbour_of_net.WIDTH")
    assert build(NativeModel("net", frozenset({"pytorch"}), "", path, "net"), "pytorch", (1, 8, 8), 10, 7) == 12


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("def inner():\n    return {}['depth']\n\ndef net():\n    return inner()\n", 2),
        ("x = 1\n{}['depth']\ndef net(): pass\n", 2),
        ("import json\ndef net():\n    {}['depth'] if json.loads('1') else 0\n", 3),
    ],
)
def test_an_error_in_the_users_code_names_the_last_line_of_theirs(source: str, line: int, tmp_path: Path) -> None:
    model = NativeModel("net", frozenset({"pytorch"}), "", write(tmp_path, source), "net")
    with pytest.raises(ModelFault) as fault:
        build(model, "pytorch", (1, 8, 8), 10, 7)
    assert str(fault.value) == f"net: KeyError: 'depth' (net.py, line {line})"


def test_an_error_below_the_users_code_names_the_line_that_called_it(tmp_path: Path) -> None:
    path = write(tmp_path, "import json\n\ndef net():\n    return json.loads('{')\n")
    model = NativeModel("net", frozenset({"pytorch"}), "", path, "net")
    with pytest.raises(ModelFault, match=r"net: JSONDecodeError: .* \(net\.py, line 4\)"):
        build(model, "pytorch", (1, 8, 8), 10, 7)


def test_an_error_that_never_met_the_users_code_names_no_line() -> None:
    try:
        raise ValueError("from elsewhere")
    except ValueError as error:
        text = describe(error, NativeModel("net", frozenset(), "", Path("net.py"), "net"))
    assert text == "ValueError: from elsewhere"


def test_the_module_of_the_user_is_run_once(tmp_path: Path) -> None:
    path = write(tmp_path, "count = []\ndef net():\n    count.append(1)\n    return len(count)\n")
    model = NativeModel("net", frozenset({"pytorch"}), "", path, "net")
    assert [build(model, "pytorch", (1, 8, 8), 10, 7) for _ in range(2)] == [1, 2]
    assert native._module(model) is sys.modules["bench_own_model"]
