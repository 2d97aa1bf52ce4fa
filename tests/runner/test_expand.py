"""From a suite and a request to cases: selected, added, unable to run, or refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import bench.runner.expand
from bench.adapters.base import Installed, Probe
from bench.adapters.catalog import ADAPTERS
from bench.adapters.pytorch import PyTorchAdapter
from bench.case import Optimizer
from bench.datasets.catalog import DatasetUnavailable
from bench.errors import BenchError, UnknownName
from bench.runner.expand import Expansion, PlannedCase
from bench.runner.request import Request
from bench.suite import Suite, read_suite
from tests.runner.small import own_file, own_npz, suite_file, suite_of

ALL = ["pytorch", "keras-tensorflow", "scikit-learn"]
DIGITS = suite_of({"datasets": ["digits"], "models": ["mlp-plain", "cnn", "knn"], "frameworks": ALL})


def cases(suite: Suite, **request: Any) -> list[PlannedCase]:
    return Expansion(suite, Request(offline=True, **request), where=f"suite {suite.name!r}").cases()


def cells(suite: Suite, **request: Any) -> list[str]:
    return [planned.case.cell for planned in cases(suite, **request)]


def refusal(suite: Suite, **request: Any) -> str:
    with pytest.raises(BenchError) as refused:
        cells(suite, **request)
    assert refused.value.exit_code == 2
    assert len(str(refused.value).splitlines()) <= 2
    return str(refused.value)


def test_what_has_no_meaning_by_nature_is_no_case_and_frameworks_stand_side_by_side() -> None:
    """Nearest neighbours in PyTorch make no case; a network that scikit-learn lacks makes one, with its reason."""
    assert cells(DIGITS) == [
        "digits/mlp-plain/pytorch/cpu",
        "digits/mlp-plain/keras-tensorflow/cpu",
        "digits/mlp-plain/scikit-learn/cpu",
        "digits/cnn/pytorch/cpu",
        "digits/cnn/keras-tensorflow/cpu",
        "digits/cnn/scikit-learn/cpu",
        "digits/knn/scikit-learn/cpu",
    ]
    blocked = {planned.case.cell: (planned.blocked, planned.reason) for planned in cases(DIGITS) if planned.blocked}
    assert blocked == {"digits/cnn/scikit-learn/cpu": ("unsupported", "MLPClassifier has no convolutions.")}


@pytest.mark.parametrize("name", ["smoke", "quick", "all", "exhaustive"])
def test_every_shipped_suite_expands(name: str) -> None:
    suite = read_suite(name)
    found = cells(suite, datasets=("digits",))
    assert {cell.split("/")[2] for cell in found} == set(ADAPTERS if name == "exhaustive" else ALL)
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("asked", "frameworks"),
    [
        (("torch",), {"pytorch"}),
        (("sklearn",), {"scikit-learn"}),
        (("tensorflow",), {"keras-tensorflow"}),
        (("tf",), {"keras-tensorflow"}),
        (("keras",), {"keras-tensorflow"}),
        (("pytorch", "sklearn"), {"pytorch", "scikit-learn"}),
        (("*torch",), {"pytorch"}),
        (("*",), set(ALL)),
    ],
)
def test_frameworks_go_by_their_aliases_and_globs_too(asked: tuple[str, ...], frameworks: set[str]) -> None:
    assert {cell.split("/")[2] for cell in cells(DIGITS, frameworks=asked)} == frameworks


def test_globs_of_a_request_select_from_the_suite() -> None:
    assert cells(DIGITS, models=("*n",), frameworks=("torch",)) == [
        "digits/mlp-plain/pytorch/cpu",
        "digits/cnn/pytorch/cpu",
    ]


def test_globs_of_a_suite_stand_for_all_there_is() -> None:
    suite = suite_of({"datasets": ["digits"], "models": ["mlp-p*", "k*"], "frameworks": ["*-learn"]})
    assert cells(suite) == ["digits/mlp-plain/scikit-learn/cpu", "digits/knn/scikit-learn/cpu"]


def test_a_cell_that_two_matrices_have_is_one_case() -> None:
    matrix = {"datasets": ["digits"], "models": ["knn"]}
    suite = Suite.model_validate({"name": "mine", "matrix": [matrix, matrix, {**matrix, "train_rows": 100}]})
    assert [planned.case.train_rows for planned in cases(suite)] == [None, 100]


def test_a_model_that_the_suite_has_not_runs_in_the_suites_frameworks_or_else_wherever_it_can() -> None:
    suite = suite_of({"datasets": ["digits"], "models": ["cnn"], "frameworks": ["pytorch"]})
    assert cells(suite, models=("mlp-plain",)) == ["digits/mlp-plain/pytorch/cpu"]
    assert cells(suite, models=("majority",)) == ["digits/majority/scikit-learn/cpu"]
    assert cells(suite, models=("mlp-plain", "cnn"), frameworks=("torch",)) == [
        "digits/cnn/pytorch/cpu",
        "digits/mlp-plain/pytorch/cpu",
    ]


def test_a_framework_that_the_suite_has_not_is_added() -> None:
    suite = suite_of({"datasets": ["digits"], "models": ["mlp-plain"], "frameworks": ["pytorch"]})
    assert cells(suite, frameworks=("sklearn",)) == ["digits/mlp-plain/scikit-learn/cpu"]


def test_a_users_model_and_data_are_added_without_packaging_anything(tmp_path: Path) -> None:
    net = own_file(tmp_path, "import torch\nclass Net(torch.nn.Module): pass\n")
    data = own_npz(tmp_path)
    found = cases(DIGITS, models=(f"{net}:Net",), datasets=(str(data),))
    assert [planned.case.cell for planned in found] == ["mine/Net/pytorch/cpu"]
    planned = found[0]
    assert planned.model_reference == f"{net}:Net"
    assert planned.data_reference == str(data)
    assert str(tmp_path) not in planned.case.model_dump_json()


def test_a_users_model_runs_beside_those_of_the_suite(tmp_path: Path) -> None:
    net = own_file(tmp_path, "from sklearn.svm import SVC\ndef mine(seed): return SVC()\n")
    assert cells(DIGITS, models=("knn", f"{net}:mine")) == [
        "digits/knn/scikit-learn/cpu",
        "digits/mine/scikit-learn/cpu",
    ]


def test_a_users_model_of_two_frameworks_runs_in_both(tmp_path: Path) -> None:
    net = own_file(tmp_path, "def pytorch(shape, classes): pass\ndef scikit_learn(seed): pass\n")
    assert cells(DIGITS, models=(str(net),)) == ["digits/net/pytorch/cpu", "digits/net/scikit-learn/cpu"]


def test_a_suite_may_name_files(tmp_path: Path) -> None:
    data = own_npz(tmp_path)
    suite = suite_of({"datasets": [str(data)], "models": ["knn"]})
    assert cells(suite) == ["mine/knn/scikit-learn/cpu"]


def test_a_filter_that_leaves_nothing_is_refused_with_what_was_asked() -> None:
    said = refusal(DIGITS, models=("knn",), frameworks=("torch",))
    assert said.startswith("nothing to run: suite 'mine' has no case that matches --model knn --framework torch")


def test_a_suite_without_a_possible_case_is_refused() -> None:
    suite = suite_of({"datasets": ["digits"], "models": ["knn"], "frameworks": ["pytorch"]})
    assert "no framework can run any of its models" in refusal(suite)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"models": ("mpl",)}, "unknown model 'mpl': did you mean 'mlp'?"),
        ({"datasets": ("digit",)}, "unknown data set 'digit': did you mean 'digits'?"),
        ({"frameworks": ("pytorhc",)}, "unknown framework 'pytorhc': did you mean 'pytorch'?"),
        ({"models": ("zz*",)}, "unknown model 'zz*'"),
    ],
)
def test_a_misspelt_name_of_the_request_is_answered_with_the_nearest(request_: dict[str, Any], said: str) -> None:
    assert refusal(DIGITS, **request_).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[[matrix]]\ndatasets = ["digits"]\nmodels = ["knn", "mlpp"]',
            "unknown model 'mlpp' in mine.toml, line 3: did you mean 'mlp'?",
        ),
        (
            '[[matrix]]\ndatasets = [\n  "digits",\n  "fasion-mnist",\n]\nmodels = ["knn"]',
            "unknown data set 'fasion-mnist' in mine.toml, line 4: did you mean 'fashion-mnist'?",
        ),
        (
            '[[matrix]]\ndatasets = ["digits"]\nmodels = ["knn"]\nframeworks = ["sklern"]',
            "unknown framework 'sklern' in mine.toml, line 4",
        ),
        (
            '[[matrix]]\ndatasets = ["emnist-?x"]\nmodels = ["knn"]',
            "unknown data set 'emnist-?x' in mine.toml, line 2",
        ),
        (
            '[[matrix]]\ndatasets = ["digits"]\nmodels = ["knn"]\n[models.knm]\ntrain_rows = 3',
            "unknown model 'knm' in mine.toml, line 4: did you mean 'knn'?",
        ),
    ],
)
def test_a_misspelt_name_of_a_suite_file_is_answered_with_its_line(text: str, said: str, tmp_path: Path) -> None:
    path = suite_file(tmp_path, text)
    answer = refusal(read_suite(path), datasets=("digits",)).replace(f"{tmp_path}/", "")
    assert answer.startswith(said)


def test_a_suites_settings_for_a_model_are_its_own(tmp_path: Path) -> None:
    text = """
        [training]
        epochs = 7
        batch_size = 16
        [[matrix]]
        datasets = ["digits"]
        models = ["mlp-plain", "cnn", "knn"]
        frameworks = ["scikit-learn", "pytorch"]
        [models.cnn.training]
        epochs = 2
        optimizer = { name = "sgd", learning_rate = 0.5 }
        [models.knn]
        train_rows = 500
        parameters = { n_neighbors = 3 }
        """
    found = {planned.case.model: planned.case for planned in cases(read_suite(suite_file(tmp_path, text)))}
    assert found["mlp-plain"].training is not None
    assert found["cnn"].training is not None
    assert (found["mlp-plain"].training.epochs, found["cnn"].training.epochs) == (7, 2)
    assert found["cnn"].training.batch_size == 16
    assert found["cnn"].training.optimizer == Optimizer(name="sgd", learning_rate=0.5)
    assert (found["knn"].training, found["knn"].parameters, found["knn"].train_rows) == (None, {"n_neighbors": 3}, 500)
    assert found["mlp-plain"].parameters == {}


def test_the_requests_epochs_and_threads_are_those_of_every_case() -> None:
    found = cases(DIGITS, epochs=11, threads=3)
    assert {planned.case.threads for planned in found} == {3}
    assert {planned.case.training.epochs for planned in found if planned.case.training} == {11}


CAPS = [
    ({}, {}, "svc-rbf", None, "20,000 of its own, more than digits has"),
    ({"train_rows": 300}, {}, "svc-rbf", 300, "the matrix"),
    ({"train_rows": 300}, {"train_rows": 200}, "svc-rbf", 200, "the model's table"),
    ({"train_rows": 300}, {"train_rows": 1_000_000}, "svc-rbf", 300, "the lower of both"),
    ({"train_rows": 1437}, {}, "knn", None, "all the rows there are"),
    ({"train_rows": 1436}, {}, "knn", 1436, "one row less"),
]


@pytest.mark.parametrize(("matrix", "table", "model", "cap", "which"), CAPS, ids=[cap[-1] for cap in CAPS])
def test_the_lowest_cap_counts_and_none_where_the_data_have_no_more(
    matrix: dict[str, int], table: dict[str, int], model: str, cap: int | None, which: str
) -> None:
    suite = suite_of({"datasets": ["digits"], "models": [model], **matrix}, models={model: table})
    (planned,) = cases(suite)
    assert planned.case.train_rows == cap


def test_a_case_knows_its_data_its_model_and_its_execution() -> None:
    found = {planned.case.framework: planned for planned in cases(DIGITS, models=("mlp-plain",))}
    assert {planned.case.execution for planned in found.values()} == {"eager", "graph"}
    assert len({planned.case.data_fingerprint for planned in found.values()}) == 1
    assert len({planned.case.model_digest for planned in found.values()}) == 1
    assert len({planned.case.id for planned in found.values()}) == 3


def test_deterministic_is_an_estimator_without_a_random_state() -> None:
    suite = suite_of({"datasets": ["digits"], "models": ["knn", "random-forest", "mlp-plain"], "frameworks": ALL[2:]})
    assert {planned.case.model: planned.deterministic for planned in cases(suite)} == {
        "knn": True,
        "random-forest": False,
        "mlp-plain": False,
    }


def missing_torch(self: PyTorchAdapter) -> Installed:
    return Installed({}, ("torch", "torchvision"), "pytorch")


def test_a_missing_framework_of_the_suite_is_a_record_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(PyTorchAdapter, "installed", missing_torch)
    found = {planned.case.framework: planned for planned in cases(DIGITS, models=("mlp-plain",))}
    blocked = found["pytorch"]
    assert blocked.blocked == "unavailable"
    assert (
        blocked.reason == "pytorch needs torch and torchvision, not installed here. pip install 'bench-mnist[pytorch]'"
    )
    assert found["scikit-learn"].blocked is None


@pytest.mark.parametrize("name", ["pytorch", "torch"])
def test_a_missing_framework_named_on_the_command_line_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PyTorchAdapter, "installed", missing_torch)
    assert refusal(DIGITS, frameworks=(name,)) == (
        "pytorch needs torch and torchvision, not installed here.\n    pip install 'bench-mnist[pytorch]'"
    )


def test_a_missing_framework_that_a_glob_only_happens_to_match_is_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PyTorchAdapter, "installed", missing_torch)
    found = cases(DIGITS, frameworks=("*",), models=("cnn",))
    assert [planned.blocked for planned in found] == ["unavailable", None, "unsupported"]


def test_a_missing_framework_that_a_glob_adds_to_the_suite_is_a_record_and_the_others_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(PyTorchAdapter, "installed", missing_torch)
    suite = suite_of({"datasets": ["digits"], "models": ["mlp-plain"], "frameworks": ["scikit-learn"]})
    found = cases(suite, frameworks=("*torch",))  # neither of the two is the suite's
    assert {planned.case.framework: planned.blocked for planned in found} == {
        "pytorch": "unavailable",
        "keras-torch": None,
    }
    assert "pytorch needs torch" in refusal(suite, frameworks=("*torch", "pytorch"))


def test_data_the_suite_names_and_nobody_has_are_a_record_with_what_would_provide_them() -> None:
    suite = suite_of({"datasets": ["mnist", "digits"], "models": ["knn"]})
    found = {planned.case.dataset: planned for planned in cases(suite)}
    assert found["mnist"].blocked == "unavailable"
    assert found["mnist"].reason
    assert found["mnist"].case.data_fingerprint is None
    assert found["mnist"].data is None
    assert found["digits"].blocked is None


def test_broken_data_are_a_record_where_the_suite_names_them_and_refused_where_the_request_does(
    tmp_path: Path,
) -> None:
    """A broken data set does not stop the others; its record names no user's folder."""
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "mnist.npz").write_bytes(b"no archive")
    suite = suite_of({"datasets": ["mnist", "digits"], "models": ["knn"]})
    found = {planned.case.dataset: planned for planned in cases(suite, data_dir=tmp_path)}
    assert (found["mnist"].blocked, found["digits"].blocked) == ("unavailable", None)
    assert found["mnist"].reason.startswith("mnist: mnist.npz ")
    assert str(tmp_path) not in found["mnist"].reason
    assert "mnist: mnist.npz " in refusal(suite, datasets=("mnist",), data_dir=tmp_path)


def test_data_named_on_the_command_line_and_not_to_be_had_are_refused() -> None:
    suite = suite_of({"datasets": ["mnist", "digits"], "models": ["knn"]})
    with pytest.raises(DatasetUnavailable, match="mnist"):
        cases(suite, datasets=("mnist",))


Probed = Callable[[str], Probe]


@pytest.fixture
def _cpu_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No framework sees a device but the CPU; the real probe has tests of its own."""
    monkeypatch.setattr(bench.runner.expand, "probe", lambda framework: Probe(("cpu",), {}, {}))


@pytest.mark.usefixtures("_cpu_alone")
def test_a_device_of_the_suite_that_is_not_there_is_a_record() -> None:
    suite = suite_of({"datasets": ["digits"], "models": ["mlp-plain"], "frameworks": ALL, "devices": ["cpu", "cuda:0"]})
    found = {planned.case.cell: (planned.blocked, planned.reason) for planned in cases(suite)}
    assert found["digits/mlp-plain/pytorch/cuda:0"] == ("unavailable", "pytorch sees no device 'cuda:0'.")
    blocked, reason = found["digits/mlp-plain/scikit-learn/cuda:0"]
    assert blocked == "unsupported"
    assert reason == "scikit-learn computes on the CPU alone, not on cuda:0"
    assert found["digits/mlp-plain/pytorch/cpu"] == (None, "")


@pytest.mark.usefixtures("_cpu_alone")
def test_a_device_of_the_command_line_that_is_not_there_is_refused_with_those_that_are() -> None:
    assert refusal(DIGITS, devices=("cuda:0",), frameworks=("torch",), models=("cnn",)) == (
        "case 'digits/cnn/pytorch/cuda:0' cannot run here: pytorch sees no device 'cuda:0'.\n"
        "    Devices here: cpu   (bench list devices)"
    )


def test_what_a_framework_cannot_be_is_a_record_in_one_sentence(tmp_path: Path) -> None:
    data = own_npz(tmp_path, classes=2)
    found = cases(DIGITS, datasets=(str(data),), models=("mlp-plain",))
    assert {planned.case.framework: planned.blocked for planned in found} == {
        "pytorch": None,
        "keras-tensorflow": None,
        "scikit-learn": "unsupported",
    }


def test_a_glob_of_the_suite_that_nothing_matches_is_refused_before_any_data_are_sought() -> None:
    suite = suite_of({"datasets": ["digits"], "models": ["zz-*"]})
    with pytest.raises(UnknownName, match=r"unknown model 'zz-\*' in suite 'mine'"):
        cases(suite)


def test_all_devices_are_those_that_each_framework_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {"pytorch": ("cpu", "cuda:0"), "keras-tensorflow": ("cpu", "cuda:0", "cuda:1"), "scikit-learn": ("cpu",)}
    monkeypatch.setattr(bench.runner.expand, "probe", lambda framework: Probe(seen[framework], {}, {}))
    found = cases(DIGITS, devices=("all",), models=("mlp-plain",))
    assert [(planned.case.framework, planned.case.device) for planned in found] == [
        (framework, device) for framework, devices in seen.items() for device in devices
    ]
    suite = suite_of({"datasets": ["digits"], "models": ["knn"], "devices": ["all"]})
    assert cells(suite) == ["digits/knn/scikit-learn/cpu"]


def test_a_framework_that_is_not_installed_is_unavailable_on_all_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PyTorchAdapter, "installed", missing_torch)
    suite = suite_of({"datasets": ["digits"], "models": ["cnn"], "frameworks": ["pytorch"], "devices": ["all"]})
    assert [(planned.case.device, planned.blocked) for planned in cases(suite)] == [("cpu", "unavailable")]
