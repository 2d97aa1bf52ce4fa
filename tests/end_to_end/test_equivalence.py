"""``bench equivalence`` for real: what it proves is stamped on records, until the adapter is edited."""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.command import Bench

pytestmark = pytest.mark.slow

PACKAGE = Path(__file__).parent / "plugin_package"
SUITE = """
name = "stamped"
seeds = 1
training = { epochs = 1, batch_size = 64 }
measuring = { predict_s = 0.01, latency_s = 0.01, latency_calls = 5 }

[[matrix]]
datasets = ["digits"]
models = ["softmax", "mlp-plain"]
frameworks = ["numpy", "scikit-learn"]
"""


@pytest.fixture(scope="module")
def plugged(installed: Bench, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The command where somebody else's adapter is installed from a wheel, with a cache of its own."""
    folder = tmp_path_factory.mktemp("equivalence")
    shutil.copytree(PACKAGE, folder / "source")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=folder / "source", capture_output=True, check=True)
    (wheel,) = folder.glob("*.whl")
    site = str(folder / "site")
    install = [sys.executable, "-m", "uv", "pip", "install", "--no-index", "--no-deps", "--target", site, str(wheel)]
    subprocess.run(install, capture_output=True, check=True)
    (folder / "stamped.toml").write_text(SUITE)
    return installed.inside(folder, PYTHONPATH=site, BENCH_CACHE_DIR=str(folder / "cache"))


def stamps(bench: Bench) -> tuple[dict[str, str], str]:
    """The label of each record of a new run, by model and framework, and the command that proves the rest."""
    ended = bench("run", "--suite", "./stamped.toml", "--threads", "1")
    assert ended.returncode == 0, ended.stderr
    labels = {
        f"{record['case']['model']}/{record['case']['framework']}": record["equivalence"]
        for record in bench.records()
        if record["status"] == "ok"
    }
    told = [line for line in ended.stderr.splitlines() if line.startswith("not proved: ")]
    return labels, told[0].partition("prove them with: bench ")[2] if told else ""


ASKED = ("equivalence", "--threads", "1", "--framework", "numpy", "--framework", "scikit-learn", "--model", "softmax")


def test_what_is_proved_is_stamped_until_the_adapter_is_edited(plugged: Bench) -> None:
    before, command = stamps(plugged)
    assert set(before.values()) == {"not proved"}
    assert command == "equivalence --suite ./stamped.toml --threads 1"

    ended = plugged(*shlex.split(command), "--model", "softmax", "--json", "figures.json")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "the same" in ended.stdout
    assert max(map(len, ended.stdout.splitlines())) <= 80
    figures = json.loads((plugged.folder / "figures.json").read_text())
    assert figures["holds"] is True

    after, command = stamps(plugged)
    assert after == {**before, "softmax/numpy": "proved", "softmax/scikit-learn": "proved"}
    assert command == "equivalence --suite ./stamped.toml --threads 1 --model mlp-plain --framework scikit-learn"
    run = plugged.runs()[-1]
    named = {record["certificate"] for record in plugged.records()} - {None}
    assert {path.stem for path in (run / "certificates").iterdir()} == named
    assert len(named) == 2
    for path in (run / "certificates").iterdir():
        shown = json.loads(path.read_text())
        assert {(claim["model"], claim["batch_size"], tuple(claim["shape"])) for claim in shown["claims"]} == {
            ("softmax", 64, (8, 8, 1))
        }
        assert str(plugged.folder) not in path.read_text()

    (adapter,) = plugged.folder.glob("site/bench_numpy/adapter.py")
    adapter.write_text(adapter.read_text() + "\n# edited\n")
    edited, command = stamps(plugged)
    assert edited == {**after, "softmax/numpy": "not proved"}
    assert command == "equivalence --suite ./stamped.toml --threads 1"


def test_a_lie_ends_the_command_with_1_and_is_named(plugged: Bench) -> None:
    (adapter,) = plugged.folder.glob("site/bench_numpy/adapter.py")
    honest = adapter.read_text()
    adapter.write_text(honest.replace("rate = self._rates[self._step]", "rate = self._rates[self._step] * 1.01"))
    ended = plugged(*ASKED, "--optimizer", "adam")
    adapter.write_text(honest)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    shown = " ".join(ended.stdout.split())
    assert "numpy does not compute the same" in shown
    assert "1.01" in shown
    assert "scikit-learn does not compute the same" not in shown
