"""``bench diff`` refuses what it cannot ask before it starts a framework."""

from pathlib import Path

import pytest

from bench.cli.app import main
from bench.cli.diff import parsed_shape
from bench.equivalence.diff import choose
from bench.errors import BenchError

TORCH = "import torch\nclass Net(torch.nn.Module): pass\ndef pytorch(shape, classes): return Net()\n"
KERAS = "import keras\ndef keras(shape, classes): return None\n"
BOTH = "def pytorch(shape, classes): pass\ndef keras(shape, classes): pass\n"
SKLEARN = "def scikit_learn(seed): pass\n"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, text in {"t.py": TORCH, "k.py": KERAS, "both.py": BOTH, "s.py": SKLEARN}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["diff", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) <= 2
    return captured.err


@pytest.mark.parametrize(
    ("text", "shape"), [("28,28,1", (28, 28, 1)), ("32x32x3", (32, 32, 3)), ("8, 1", (8, 1)), ("4,4,4,2", (4, 4, 4, 2))]
)
def test_a_shape_is_read_channels_last(text: str, shape: tuple[int, ...]) -> None:
    assert parsed_shape(text) == shape


@pytest.mark.parametrize("text", ["28", "28,28,", "a,b,c", "0,28,1", "-1,2,3", "1,2,3,4,5", "", "²,2,1"])
def test_what_is_no_shape_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BenchError, match="--shape 28,28,1"):
        parsed_shape(text)


def test_a_wrong_shape_is_refused_before_anything_runs(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "not an image shape" in refused(capsys, str(files / "t.py"), str(files / "k.py"), "--shape", "28;28")


def test_a_file_that_is_not_there_is_named(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "missing.py" in refused(capsys, str(files / "t.py"), str(files / "missing.py"))


def test_an_unknown_optimizer_is_refused_with_the_nearest(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "'adam'" in refused(capsys, str(files / "t.py"), str(files / "k.py"), "--optimizer", "adm")


def test_an_estimator_is_no_network(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no network" in refused(capsys, str(files / "t.py"), str(files / "s.py"))


def test_each_file_is_opened_in_the_framework_it_is_written_for(files: Path) -> None:
    left, right = choose(str(files / "k.py"), str(files / "t.py"))
    assert (left.builder, left.label) == ("keras", "k.py")
    assert (right.builder, right.label, right.framework) == ("pytorch", "t.py", "pytorch")


def test_a_file_for_both_is_compared_with_itself_across_frameworks(files: Path) -> None:
    file = str(files / "both.py")
    assert [side.builder for side in choose(file, file)] == ["pytorch", "keras"]
    assert [side.label for side in choose(file, file)] == ["both.py (pytorch)", "both.py (keras)"]


def test_a_file_for_both_takes_the_framework_that_the_other_has_not(files: Path) -> None:
    both, torch = str(files / "both.py"), str(files / "t.py")
    assert [side.builder for side in choose(both, torch)] == ["keras", "pytorch"]
    assert [side.builder for side in choose(torch, both)] == ["pytorch", "keras"]


def test_two_models_of_one_file_are_told_apart_by_their_names(files: Path) -> None:
    file = files / "two.py"
    file.write_text("import torch\nclass A(torch.nn.Module): pass\nclass B(torch.nn.Module): pass\n")
    assert [side.label for side in choose(f"{file}:A", f"{file}:B")] == ["two.py:A", "two.py:B"]
