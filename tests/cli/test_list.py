"""``bench list`` prints each name on a line with its description."""

import importlib.metadata
import tomllib
from pathlib import Path

import pytest

from bench.cli.app import main
from bench.suite_files import suite_description

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def listed(capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> dict[str, str]:
    """Output of ``bench list KIND``: the rest of each line by its name."""
    assert main(["list", request.param]) == 0
    lines = capsys.readouterr().out.splitlines()
    return {name: rest.strip() for name, _, rest in (line.partition(" ") for line in lines)}


@pytest.mark.parametrize("listed", ["suites"], indirect=True)
def test_every_suite_file_is_listed_with_its_description(listed: dict[str, str]) -> None:
    files = {path.stem: tomllib.loads(path.read_text()) for path in (ROOT / "suites").glob("*.toml")}
    assert {"smoke", "quick", "all"} <= files.keys()
    assert listed == {name: suite["description"] for name, suite in files.items()}


@pytest.mark.parametrize("listed", ["datasets"], indirect=True)
def test_the_data_sets_are_listed(listed: dict[str, str]) -> None:
    assert {"digits", "mnist", "fashion-mnist"} <= listed.keys()
    assert all(listed.values())


@pytest.mark.parametrize("listed", ["models"], indirect=True)
def test_the_models_are_listed_networks_and_estimators_alike(listed: dict[str, str]) -> None:
    assert {"softmax", "mlp", "mlp-plain", "cnn", "random-forest", "knn", "majority"} <= listed.keys()
    assert all(listed.values())


@pytest.mark.parametrize("listed", ["frameworks"], indirect=True)
def test_an_installed_framework_is_listed_with_the_version_of_its_package(listed: dict[str, str]) -> None:
    packages = {"pytorch": "torch", "keras-tensorflow": "tensorflow", "scikit-learn": "scikit-learn"}
    assert packages.keys() <= listed.keys()
    for framework, package in packages.items():
        try:
            expected = f"{package} {importlib.metadata.version(package)}"
        except importlib.metadata.PackageNotFoundError:
            expected = f"not installed; to install it: pip install 'bench-mnist[{framework}]'"
        assert expected in listed[framework]


def test_a_missing_framework_is_listed_with_the_command_that_installs_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench.adapters.catalog import ADAPTERS

    monkeypatch.setattr(ADAPTERS.get("pytorch"), "packages", ("no-such-distribution",))
    assert main(["list", "frameworks"]) == 0
    assert "pip install 'bench-mnist[pytorch]'" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("listed", ["devices"], indirect=True)
def test_every_installed_framework_sees_the_cpu(listed: dict[str, str]) -> None:
    assert {"pytorch", "keras-tensorflow", "scikit-learn"} <= listed.keys()
    for devices in listed.values():
        assert devices.startswith(("cpu", "not installed"))


def test_a_plug_in_that_cannot_be_imported_says_so_and_hides_no_other(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench.models.catalog import MODELS

    entry = importlib.metadata.EntryPoint("broken", "no_such_module:Model", "bench.models")
    monkeypatch.setattr(MODELS, "_external", {"broken": entry}, raising=False)
    assert main(["list", "models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("broken ") and "no_such_module" in line for line in lines)
    assert any(line.startswith("cnn ") for line in lines)


def test_a_suite_file_that_is_not_toml_is_named_with_the_line(tmp_path: Path) -> None:
    from bench.errors import BenchError

    (tmp_path / "broken.toml").write_text('name = "broken"\nseeds = \n')
    with pytest.raises(BenchError, match=r"broken\.toml is not valid TOML: .*line 2"):
        suite_description(tmp_path / "broken.toml")


def test_a_device_that_nobody_has_run_on_is_labelled_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import bench.runner.probe
    from bench.adapters.base import Probe
    from bench.adapters.catalog import ADAPTERS

    seen = Probe(("cpu", "cuda:0", "mps"), {}, {}, ("Some GPU",))
    monkeypatch.setattr(bench.runner.probe, "probe", lambda name: seen)
    monkeypatch.setattr(ADAPTERS.get("pytorch"), "run_on", ("cpu", "cuda"))
    monkeypatch.setattr(ADAPTERS.get("pytorch"), "kinds", ("cpu", "cuda", "mps", "xpu"))
    assert main(["list", "devices"]) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert lines["pytorch"] == "cpu, cuda:0, mps (not yet run); Some GPU; not yet run: xpu"
