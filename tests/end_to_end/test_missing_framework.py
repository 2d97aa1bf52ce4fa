"""If a framework is not installed, its cases say how to install it and the rest runs."""

import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.end_to_end.command import Bench, assert_refused, cells

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="links to folders need rights on Windows"),
]

INSTALL = "pip install 'bench-mnist[pytorch]'"


@pytest.fixture(scope="module")
def without_torch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment like this one, but without torch."""
    folder = tmp_path_factory.mktemp("without-torch")
    venv.create(folder, with_pip=False)
    (site,) = folder.glob("lib/python*/site-packages")
    for source in Path(sysconfig.get_path("purelib")).iterdir():
        if not source.name.startswith(("torch", "functorch")):
            (site / source.name).symlink_to(source)
    return folder / "bin" / "python"


@pytest.fixture
def bench(bench: Bench, without_torch: Path) -> Bench:
    """The command of that environment, in an empty folder."""
    return Bench(bench.folder, bench.environment, (str(without_torch), "-P", "-m", "bench"))


def test_a_missing_framework_that_a_suite_names_is_a_record_and_the_rest_runs(bench: Bench) -> None:
    ended = bench("run", "--suite", "smoke", "--model", "mlp-plain", "--model", "majority", "--framework", "*[!w]")
    assert ended.returncode == 0, ended.stderr
    statuses = dict(zip(cells(bench.records()), [record["status"] for record in bench.records()], strict=True))
    assert statuses == {
        "digits/mlp-plain/pytorch": "unavailable",
        "digits/mlp-plain/scikit-learn": "ok",
        "digits/majority/scikit-learn": "ok",
    }
    assert "torch" in ended.stdout
    assert INSTALL in " ".join(ended.stdout.split())


@pytest.mark.parametrize("name", ["pytorch", "torch"])
def test_a_missing_framework_that_is_named_is_refused_with_the_command_that_installs_it(
    name: str, bench: Bench
) -> None:
    ended = bench("run", "--suite", "smoke", "--model", "mlp-plain", "--framework", name)
    assert_refused(ended, "pytorch needs torch", "not installed here", INSTALL)
    assert not (bench.folder / "results").exists()


def test_a_missing_framework_is_listed_with_the_command_that_installs_it(bench: Bench) -> None:
    ended = bench("list", "frameworks")
    assert ended.returncode == 0, ended.stderr
    (line,) = (line for line in ended.stdout.splitlines() if line.startswith("pytorch"))
    assert INSTALL in line


def test_a_plan_shows_what_cannot_run_with_its_reason(bench: Bench) -> None:
    ended = bench("run", "--suite", "smoke", "--dry-run")
    assert ended.returncode == 0, ended.stderr
    assert INSTALL in ended.stdout
    assert "digits/mlp-plain/pytorch/cpu, digits/cnn/pytorch/cpu" in ended.stdout
    assert not (bench.folder / "results").exists()
