"""Suite files: the shipped ones are valid, and the error for a broken one names file, line and key."""

from pathlib import Path
from textwrap import dedent

import pytest

from bench.adapters.catalog import ADAPTERS
from bench.case import Training
from bench.datasets.catalog import DATASETS
from bench.errors import BenchError, UnknownName
from bench.models.catalog import MODELS, find_model
from bench.models.model import Estimator, Network
from bench.suite import Suite, matches, read_suite
from bench.suite_files import shipped_suites

SHIPPED = tuple(shipped_suites())
FRAMEWORKS = {"pytorch", "keras-tensorflow", "scikit-learn"}


def write(folder: Path, text: str, name: str = "mine.toml") -> str:
    path = folder / name
    path.write_text(dedent(text).lstrip())
    return str(path)


def refusal(folder: Path, text: str) -> str:
    """The error for a suite file, without its folder."""
    path = write(folder, text)
    with pytest.raises(BenchError) as refused:
        read_suite(path)
    assert refused.value.exit_code == 2
    said = str(refused.value)
    assert len(said.splitlines()) <= 2
    return said.replace(f"{folder}/", "")


MATRIX = '[[matrix]]\ndatasets = ["digits"]\nmodels = ["mlp"]\n'


def test_every_suite_that_is_spoken_of_ships() -> None:
    assert {"smoke", "quick", "all", "exhaustive"} <= set(SHIPPED)
    assert {"frameworks", "execution", "loading", "batch-size", "tutorials", "speedrun"} <= set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_suite_reads_under_its_own_name_and_says_what_it_is_for(name: str) -> None:
    suite = read_suite(name)
    assert suite.name == name
    assert suite.description
    assert suite.track == ("idiomatic" if name == "tutorials" else "matched")


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_suite_names_only_what_there_is(name: str) -> None:
    suite = read_suite(name)
    assert set(suite.axis("models")) <= set(MODELS)
    assert set(suite.axis("frameworks")) <= {"*", *ADAPTERS}
    assert set(suite.axis("datasets")) <= {"*", *DATASETS}
    assert suite.axis("devices") == ("cpu",)
    assert set(suite.models) <= set(suite.axis("models"))


@pytest.mark.parametrize("name", ["smoke", "quick", "all", "exhaustive"])
def test_every_general_suite_compares_all_frameworks_on_one_network_and_shows_the_floor(name: str) -> None:
    suite = read_suite(name)
    rows = [set(matrix.frameworks) for matrix in suite.matrix if "mlp-plain" in matrix.models]
    assert any(row >= FRAMEWORKS or row == {"*"} for row in rows)
    assert "majority" in suite.axis("models")


def test_all_has_the_bundled_digits_and_the_seven_of_the_family_and_exhaustive_whatever_there_is() -> None:
    assert set(read_suite("all").axis("datasets")) == {
        *("digits", "mnist", "fashion-mnist", "emnist-letters", "emnist-balanced", "3d-mnist"),
        *("sign-language-mnist", "colorectal-histology-mnist", "skin-cancer-mnist"),
    }
    assert read_suite("exhaustive").axis("datasets")[0] == "*"


def test_exhaustive_leaves_no_model_and_no_framework_out() -> None:
    suite = read_suite("exhaustive")
    assert set(suite.axis("models")) == set(MODELS)
    assert "*" in suite.axis("frameworks")


def test_frameworks_runs_the_same_networks_in_all_five() -> None:
    suite = read_suite("frameworks")
    assert set(suite.axis("frameworks")) == set(ADAPTERS)
    assert set(suite.axis("models")) == {"softmax", "mlp", "mlp-plain", "cnn", "cnn-norm"}


def test_every_published_figure_is_of_a_case_of_its_suite() -> None:
    suite = read_suite("tutorials")
    parts = [(set(part.datasets), set(part.models), set(part.frameworks)) for part in suite.matrix]
    assert len(suite.published) == 12
    for figure in suite.published:
        assert any(
            figure.dataset in datasets and figure.model in models and figure.framework in {None, *frameworks}
            for datasets, models, frameworks in parts
        )


def test_every_tutorial_has_a_published_figure() -> None:
    suite = read_suite("tutorials")
    assert {figure.model for figure in suite.published} == set(suite.axis("models"))


def test_smoke_needs_no_network() -> None:
    assert read_suite("smoke").axis("datasets") == ("digits",)


def test_exhaustive_lifts_the_cap_of_every_model_that_has_one() -> None:
    suite = read_suite("exhaustive")
    capped = [name for name in MODELS if getattr(find_model(name), "train_rows", None)]
    assert capped
    for name in capped:
        assert (suite.models[name].train_rows or 0) >= 60_000


@pytest.mark.parametrize("name", SHIPPED)
def test_the_settings_of_a_model_are_of_its_kind(name: str) -> None:
    suite = read_suite(name)
    for reference, settings in suite.models.items():
        model = find_model(reference)
        assert isinstance(model, Estimator) or not settings.parameters
        assert isinstance(model, Network) or settings.training == Training()


def test_an_unknown_suite_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"unknown suite 'quik': did you mean 'quick'\?"):
        read_suite("quik")


def test_a_suite_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(BenchError, match=r"no suite file '\./nowhere\.toml'"):
        read_suite("./nowhere.toml")


def test_a_suite_file_of_ones_own_is_called_by_its_file(tmp_path: Path) -> None:
    suite = read_suite(write(tmp_path, MATRIX, "evening.toml"))
    assert suite.name == "evening"
    assert suite.matrix[0].frameworks == ("*",)
    assert suite.training == Training()


def test_a_syntax_error_is_named_with_file_and_line(tmp_path: Path) -> None:
    assert refusal(tmp_path, 'seeds = 3\nmodels = [ "mlp"\nx = = 2\n').startswith("mine.toml: not valid TOML: ")
    assert "line 3" in refusal(tmp_path, "seeds = 3\n\nx = = 2\n")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(BenchError, match=r"mine\.toml: not UTF-8 text \(byte 8\)"):
        read_suite(str(tmp_path / "mine.toml"))


FAULTS = {
    "a misspelt key": (
        f"sedes = 3\n{MATRIX}",
        "mine.toml, line 1: unknown key 'sedes': did you mean 'seeds'?",
        "known here: description, matrix,",
    ),
    "a misspelt key of training": (
        f"{MATRIX}\n[training]\nepochs = 2\nbatchsize = 32\n",
        "mine.toml, line 7: unknown key 'training.batchsize': did you mean 'batch_size'?",
        "known here: batch_size, class_weights, epochs,",
    ),
    "a misspelt key of an inline table": (
        f'{MATRIX}\n[training]\nepochs = 2\noptimizer = {{ name = "adam", rate = 0.1 }}\n',
        "mine.toml, line 7: unknown key 'training.optimizer.rate'",
        "learning_rate",
    ),
    "a misspelt key of the second matrix": (
        f'{MATRIX}\n{MATRIX}framework = ["pytorch"]\n',
        "mine.toml, line 8: unknown key 'matrix.1.framework': did you mean 'frameworks'?",
        "known here: batch_sizes, channels_last, datasets,",
    ),
    "a misspelt key of a model": (
        f"{MATRIX}\n[models.mlp]\ntrainrows = 10\n",
        "mine.toml, line 6: unknown key 'models.mlp.trainrows': did you mean 'train_rows'?",
        "known here: parameters, train_rows, training",
    ),
    "a misspelt key of a model's training": (
        f"{MATRIX}\n[models.mlp.training]\nepoch = 10\n",
        "mine.toml, line 6: unknown key 'models.mlp.training.epoch': did you mean 'epochs'?",
        "known here: batch_size,",
    ),
    "a word for a number": (
        f'seeds = "three"\n{MATRIX}',
        "mine.toml, line 1: seeds: Input should be a valid integer",
        "(given: 'three')",
    ),
    "a number below the least": (
        f"{MATRIX}\n[training]\nepochs = 0\n",
        "mine.toml, line 6: training.epochs: Input should be greater than or equal to 1",
        "(given: 0)",
    ),
    "a name for a list": (
        '[[matrix]]\ndatasets = "digits"\nmodels = ["mlp"]\n',
        "mine.toml, line 2: matrix.0.datasets: Input should be a valid tuple",
        "(given: 'digits')",
    ),
    "a track that does not exist": (f'track = "open"\n{MATRIX}', "mine.toml, line 1: track: Input should be", "'open'"),
    "no matrix": ("seeds = 3\n", "mine.toml: matrix: Field required", ""),
    "an empty matrix": ("matrix = []\n", "mine.toml, line 1: matrix: Tuple should have at least 1 item", ""),
    "an empty axis": (
        '[[matrix]]\ndatasets = []\nmodels = ["mlp"]\n',
        "mine.toml, line 2: matrix.0.datasets: Tuple should have at least 1 item",
        "",
    ),
    "a matrix without models": (
        '[[matrix]]\ndatasets = ["digits"]\n',
        "mine.toml, line 1: matrix.0.models: Field required",
        "",
    ),
    "a name that cannot name a folder": (f'name = "../x"\n{MATRIX}', "mine.toml, line 1: name: lower-case letters", ""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_file_line_and_key(fault: str, tmp_path: Path) -> None:
    text, begins, holds = FAULTS[fault]
    said = refusal(tmp_path, text)
    assert said.startswith(begins)
    assert holds in said


def test_a_name_in_a_suite_has_a_place(tmp_path: Path) -> None:
    path = write(tmp_path, f'# about "mlp"\n{MATRIX}[models.svc-rbf]\ntrain_rows = 10\n')
    suite = read_suite(path)
    assert suite.place_of("mlp") == f"{path}, line 4"
    assert suite.place_of("svc-rbf") == f"{path}, line 5"
    assert suite.place_of("knn") == path
    assert read_suite("smoke").place_of("mlp-plain").startswith("suites/smoke.toml, line ")


def test_only_the_keys_set_for_a_model_differ_from_the_suites(tmp_path: Path) -> None:
    text = f"{MATRIX}\n[training]\nepochs = 9\nbatch_size = 16\n[models.mlp.training]\nepochs = 2\n"
    settings = read_suite(write(tmp_path, text)).models["mlp"]
    assert settings.training.model_fields_set == {"epochs"}
    assert settings.training.epochs == 2


def test_an_axis_names_each_value_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = f'{MATRIX}\n[[matrix]]\ndatasets = ["mnist", "digits"]\nmodels = ["cnn", "mlp"]\n'
    suite = read_suite(write(tmp_path, text))
    assert suite.axis("datasets") == ("digits", "mnist")
    assert suite.axis("models") == ("mlp", "cnn")


@pytest.mark.parametrize(
    ("value", "pattern", "matching"),
    [
        ("emnist-letters", "emnist-*", True),
        ("mnist", "emnist-*", False),
        ("mnist", "mnist", True),
        ("MNIST", "mnist", False),
        ("mnist", "*", True),
        ("cnn", "c?n", True),
        ("digits", "[de]*", True),
        ("net[1].npz", "net[1].npz", True),
    ],
)
def test_a_pattern_is_a_name_or_a_glob(value: str, pattern: str, matching: bool) -> None:
    assert matches(value, (pattern,)) == matching


def test_a_suite_made_in_python_needs_no_file() -> None:
    suite = Suite.model_validate({"name": "mine", "matrix": [{"datasets": ["digits"], "models": ["mlp"]}]})
    assert suite.place_of("mlp") == "suite 'mine'"


PUBLISHED = '[[published]]\ndataset = "digits"\nmodel = "mlp"\nvalue = 0.97\ntolerance = 0.01\n'


def test_a_published_figure_says_where_it_stands(tmp_path: Path) -> None:
    said = refusal(tmp_path, f"{MATRIX}\n{PUBLISHED}")
    assert said.startswith("mine.toml, line 5: published.0.source: Field required")
    suite = read_suite(write(tmp_path, f'{MATRIX}\n{PUBLISHED}source = "a paper"\n'))
    assert [(figure.value, figure.framework) for figure in suite.published] == [(0.97, None)]


def test_a_fault_of_a_published_figure_is_named_with_its_line(tmp_path: Path) -> None:
    text = f'{MATRIX}\n{PUBLISHED}source = "a paper"\n{PUBLISHED.replace("0.97", "97.0")}source = "a paper"\n'
    assert refusal(tmp_path, text).startswith("mine.toml, line 14: published.1.value")


def test_an_axis_has_at_least_one_value_and_only_such_as_there_are(tmp_path: Path) -> None:
    assert refusal(tmp_path, f"{MATRIX}executions = []\n").startswith("mine.toml, line 4: matrix.0.executions")
    said = refusal(tmp_path, f'{MATRIX}executions = ["jit"]\n')
    assert "'default', 'eager', 'graph' or 'compiled' (given: 'jit')" in said
