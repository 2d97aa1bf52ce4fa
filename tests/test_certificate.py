"""A certificate is found for what was proved together, and for nothing else."""

import sys
from pathlib import Path
from typing import Any

import pytest

from bench import certificate
from bench.case import Case, Normalization, Optimizer, Schedule, Training
from bench.certificate import Certificate, Claim, Conditions, DataKind, find, key, source_digest, store, withdraw
from bench.errors import BenchError

VERSIONS = {"numpy": "2.3.0"}
SHOWN = Training(optimizer=Optimizer(name="adam"))
MNIST = DataKind(shape=(28, 28, 1), classes=10)
DIGITS = DataKind(shape=(8, 8, 1), classes=10)


class Own:
    """Stands for an adapter."""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path))


def case(**changes: Any) -> Case:
    settings: dict[str, Any] = {
        "dataset": "mnist",
        "model": "cnn",
        "framework": "own",
        "model_digest": "d1",
        "training": SHOWN,
    }
    return Case.model_validate({**settings, **changes})


def claim(training: Training = SHOWN, data: DataKind = MNIST, network: str = "d1") -> Claim:
    return Claim.of("cnn", network, training, data)


def certified(*claims: Claim, **changes: Any) -> Certificate:
    settings: dict[str, Any] = {
        "conditions": Conditions(framework="own"),
        "versions": VERSIONS,
        "source": source_digest(Own),
        "claims": claims or (claim(),),
        "largest": {"float64 loss": 1e-15},
    }
    return Certificate.model_validate({**settings, **changes})


def found_for(asked: Case, data: DataKind = MNIST, versions: dict[str, str] = VERSIONS) -> Certificate | None:
    return find(asked, data, Own(), versions)


def test_a_stored_certificate_is_found_for_its_case_on_any_data_set_of_the_same_kind() -> None:
    store(certified())
    assert found_for(case()) == certified()
    assert found_for(case(dataset="fashion-mnist", train_rows=100)) == certified()


def test_without_a_certificate_none_is_found() -> None:
    assert found_for(case()) is None


@pytest.mark.parametrize(
    "change",
    [
        {"threads": 2},
        {"device": "cuda:0"},
        {"execution": "compiled"},
        {"precision": "bfloat16"},
        {"input": "loader"},
        {"steps_per_execution": 8},
        {"channels_last": True},
        {"framework": "other"},
        {"model_digest": "d2"},
        {"track": "idiomatic"},
        {"training": None},
        {"training": Training(optimizer=Optimizer(name="sgd"))},
        {"training": Training(optimizer=Optimizer(weight_decay=0.01))},
        {"training": Training(schedule=Schedule(name="one-cycle"))},
        {"training": Training(label_smoothing=0.1)},
        {"training": Training(class_weights="balanced")},
        {"training": Training(normalize=Normalization(mean=0.1, std=0.3))},
        {"training": Training(batch_size=64)},
    ],
    ids=str,
)
def test_what_was_not_proved_is_not_covered(change: dict[str, Any]) -> None:
    store(certified())
    assert found_for(case(**change)) is None


@pytest.mark.parametrize(
    "kind",
    [
        DIGITS,
        DataKind(shape=(28, 28, 3), classes=10),
        DataKind(shape=(28, 28, 1), classes=47),
        DataKind(shape=(28, 28, 1), classes=10, floats=True),
        DataKind(shape=(28, 28, 28, 1), classes=10),
    ],
    ids=str,
)
def test_data_of_another_kind_are_not_covered(kind: DataKind) -> None:
    store(certified())
    assert found_for(case(), kind) is None


def test_two_parts_of_a_recipe_that_were_proved_apart_are_not_covered_together() -> None:
    step, smoothing = Schedule(name="step"), 0.1
    store(certified(claim(Training(schedule=step)), claim(Training(label_smoothing=smoothing)), claim()))
    assert found_for(case(training=Training(schedule=step))) is not None
    assert found_for(case(training=Training(schedule=step, label_smoothing=smoothing))) is None


def test_a_network_is_not_covered_with_an_optimiser_that_was_proved_on_another() -> None:
    sgd = Training(optimizer=Optimizer(name="sgd"))
    store(certified(claim(), claim(sgd, network="d2")))
    assert found_for(case(training=sgd)) is None


def test_a_part_of_a_recipe_is_not_covered_without_what_it_was_proved_with() -> None:
    """Smoothing that is ignored but under AdamW: the proof of AdamW says nothing of Adam."""
    adamw = Optimizer(name="adamw", weight_decay=0.01)
    store(certified(claim(Training(optimizer=adamw, label_smoothing=0.1)), claim()))
    assert found_for(case(training=Training(optimizer=adamw, label_smoothing=0.1))) is not None
    assert found_for(case(training=Training(label_smoothing=0.1))) is None


def test_a_case_is_covered_where_every_two_of_its_facts_were_proved_together() -> None:
    """Three claims of two parts each: every pair of the three parts has met, and with all the rest."""
    step, decay = Schedule(name="step"), Optimizer(weight_decay=0.01)
    claims = (
        claim(Training(schedule=step, label_smoothing=0.1)),
        claim(Training(schedule=step, optimizer=decay)),
        claim(Training(optimizer=decay, label_smoothing=0.1)),
    )
    asked = case(training=Training(schedule=step, optimizer=decay, label_smoothing=0.1))
    store(certified(*claims))
    assert found_for(asked) is not None
    store(certified(*claims[:2]))
    assert found_for(asked) is None


def test_what_was_found_wrong_is_not_covered_whatever_its_pairs() -> None:
    wrong = claim()
    store(certified(wrong, refuted=(wrong.model_copy(update={"model": "another name"}),)))
    assert found_for(case()) is None


@pytest.mark.parametrize(
    "training",
    [
        Training(epochs=12),
        Training(optimizer=Optimizer(learning_rate=0.1, epsilon=1e-8, beta_1=0.5)),
        Training(validation_rows=100, evaluations_per_epoch=3),
    ],
)
def test_constants_and_sizes_need_no_certificate_of_their_own(training: Training) -> None:
    store(certified())
    assert found_for(case(training=training)) is not None


def test_other_versions_void_a_certificate() -> None:
    store(certified())
    assert found_for(case(), versions={"numpy": "2.3.1"}) is None


def test_a_certificate_that_is_withdrawn_is_found_no_more() -> None:
    store(certified())
    withdraw(certified().id)
    withdraw(certified().id)  # there is none any more: nothing to do
    assert found_for(case()) is None


@pytest.mark.parametrize("content", [b"", b"{", b'{"format": 1}', b"\xff\xfe"])
def test_a_damaged_certificate_is_none(content: bytes) -> None:
    store(certified()).write_bytes(content)
    assert found_for(case()) is None


def test_a_certificate_under_the_name_of_another_is_none() -> None:
    path = store(certified())
    other = key(Conditions(framework="own", threads=2), VERSIONS, source_digest(Own))
    path.rename(path.with_name(f"{other}.json"))
    assert found_for(case(threads=2)) is None


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(BenchError, match="certificate cannot be written"):
        store(certified())


def test_a_claim_names_each_part_of_a_recipe() -> None:
    training = Training(
        optimizer=Optimizer(name="sgd", momentum=0.9, nesterov=True),
        schedule=Schedule(name="step"),
        label_smoothing=0.1,
        class_weights="balanced",
        normalize="train",
        batch_size=32,
    )
    assert dict(claim(training).facts) == {
        "network": "d1",
        "optimizer": "sgd",
        "momentum": True,
        "nesterov": True,
        "weight_decay": False,
        "schedule": "step",
        "label_smoothing": True,
        "class_weights": True,
        "normalize": "train",
        "batch_size": 32,
        "shape": (28, 28, 1),
        "classes": 10,
        "floats": False,
    }


def test_a_constant_that_an_optimiser_has_no_use_for_is_no_part_of_a_claim() -> None:
    assert claim(Training(optimizer=Optimizer(momentum=0.9, nesterov=True))) == claim()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of somebody else's: an adapter that imports one module at once, one late, and leaves one alone."""
    folder = tmp_path / "strange_adapter"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "adapter.py").write_text(
        "from strange_adapter import steps\nimport json\n\n\n"
        "class Strange:\n    def build(self):\n        from . import late\n        return late\n"
    )
    (folder / "steps.py").write_text("RATE = 1.0\n")
    (folder / "late.py").write_text("from .deep import DEEP\n")
    (folder / "deep.py").write_text("DEEP = 1\n")
    (folder / "alone.py").write_text("ALONE = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def digest_of_package() -> str:
    source_digest.cache_clear()
    certificate._file_of.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "strange_adapter"]:
        del sys.modules[name]
    from importlib import import_module

    return source_digest(import_module("strange_adapter.adapter").Strange)


@pytest.mark.parametrize("module", ["adapter", "steps", "late", "deep", "__init__"])
def test_editing_a_module_that_an_adapter_imports_changes_its_digest(package: Path, module: str) -> None:
    before = digest_of_package()
    assert digest_of_package() == before
    with (package / f"{module}.py").open("a") as file:
        file.write("# edited\n")
    assert digest_of_package() != before


def test_editing_a_module_that_an_adapter_does_not_import_changes_nothing(package: Path) -> None:
    before = digest_of_package()
    (package / "alone.py").write_text("ALONE = 2\n")
    assert digest_of_package() == before


def test_the_source_of_a_shipped_adapter_holds_its_modules_and_its_base_but_no_other_adapter() -> None:
    from bench.adapters.scikit_learn import ScikitLearnAdapter

    files: dict[str, bytes] = {}
    certificate._collect(ScikitLearnAdapter.__module__, files)
    assert {"bench.adapters.scikit_learn", "bench.adapters.base", "bench.models.network"} <= files.keys()
    assert not [name for name in files if name.startswith(("bench.adapters.pytorch", "bench.cli", "bench.report"))]
