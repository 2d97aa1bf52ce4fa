"""A package of somebody else adds a framework, two models and a data set, and they run like what ships."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.command import Bench, Json, cells

pytestmark = pytest.mark.slow

PACKAGE = Path(__file__).parent / "plugin_package"


@pytest.fixture(scope="module")
def plugged(installed: Bench, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The command where the package is installed, from a wheel of it and without a network."""
    folder = tmp_path_factory.mktemp("plugged")
    shutil.copytree(PACKAGE, folder / "source")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    built = subprocess.run(build, cwd=folder / "source", capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("*.whl")
    site = str(folder / "site")
    install = [sys.executable, "-m", "uv", "pip", "install", "--no-index", "--no-deps", "--target", site, str(wheel)]
    put = subprocess.run(install, capture_output=True, text=True, check=False)
    assert put.returncode == 0, put.stderr
    return installed.inside(folder, PYTHONPATH=site)


@pytest.fixture(scope="module")
def records(plugged: Bench) -> list[Json]:
    """One run with all of the package's and some of what ships."""
    models = ("softmax", "mlp-plain", "small-tree", "lda", "majority")
    ended = plugged(
        *("run", "--suite", "smoke", "--dataset", "stripes", "--framework", "numpy", "--framework", "scikit-learn"),
        *(word for model in models for word in ("--model", model)),
    )
    assert ended.returncode == 0, ended.stderr
    assert "stripes" in ended.stdout
    assert "small-tree" in ended.stdout
    return plugged.records()


@pytest.mark.parametrize(
    ("listed", "line"),
    [
        ("frameworks", "numpy"),
        ("models", "small-tree"),
        ("models", "lda"),
        ("datasets", "stripes"),
    ],
)
def test_what_a_package_adds_is_listed_beside_what_ships(plugged: Bench, listed: str, line: str) -> None:
    ended = plugged("list", listed)
    assert ended.returncode == 0, ended.stderr
    names = [line.split()[0] for line in ended.stdout.splitlines()]
    assert line in names
    assert len(names) > 3


def test_what_a_package_adds_is_listed_with_its_own_words(plugged: Bench) -> None:
    assert "linear discriminant analysis" in plugged("list", "models").stdout
    assert "Stripes" in plugged("list", "datasets").stdout


def test_a_packages_framework_models_and_data_set_run_beside_what_ships(records: list[Json]) -> None:
    ok = [record for record in records if record["status"] == "ok"]
    assert sorted(cells(ok)) == [
        "stripes/lda/scikit-learn",
        "stripes/majority/scikit-learn",
        "stripes/mlp-plain/scikit-learn",
        "stripes/small-tree/scikit-learn",
        "stripes/softmax/numpy",
        "stripes/softmax/scikit-learn",
    ]


def test_what_a_packages_framework_cannot_run_is_a_record_with_its_reason(records: list[Json]) -> None:
    (refused,) = (record for record in records if record["status"] != "ok")
    assert cells([refused]) == ["stripes/mlp-plain/numpy"]
    assert (refused["status"], refused["reason"]) == ("unsupported", "numpy computes softmax regression alone")


def test_a_packages_framework_learns_from_the_same_weights_in_the_same_order_as_another(records: list[Json]) -> None:
    softmax = [record for record in records if record["case"]["model"] == "softmax"]
    losses = [[epoch["loss"] for epoch in record["phases"]["epochs"]] for record in softmax]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert softmax[0]["scores"]["accuracy"] == softmax[1]["scores"]["accuracy"]


def test_a_packages_data_set_is_described_in_the_runs_manifest(plugged: Bench, records: list[Json]) -> None:
    text = (plugged.runs()[-1] / "run.json").read_text()
    assert '"title": "Stripes"' in text
    (floor,) = (record for record in records if record["case"]["model"] == "majority")
    assert floor["scores"]["accuracy"] == pytest.approx(1 / 3)  # three classes, equally many test images of each
    assert (floor["train_rows"], floor["test_rows"]) == (240, 60)
