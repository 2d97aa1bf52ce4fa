"""Cases: identity, and the seeds that follow from it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import bench.case
from bench.case import (
    Case,
    Measuring,
    Optimizer,
    Schedule,
    Training,
    derive_seed,
    framework_seed,
    order_seed,
    weights_seed,
)

CASE = Case(dataset="mnist", model="mlp", framework="pytorch", data_fingerprint="ab" * 32, training=Training())

CHANGES: list[dict[str, Any]] = [
    {"dataset": "digits"},
    {"model": "cnn"},
    {"framework": "keras-tensorflow"},
    {"device": "cuda:0"},
    {"track": "idiomatic"},
    {"data_fingerprint": "cd" * 32},
    {"data_fingerprint": None},
    {"model_digest": "ef" * 32},
    {"training": None},
    {"training": Training(epochs=4)},
    {"training": Training(batch_size=64)},
    {"training": Training(validation_rows=1)},
    {"training": Training(optimizer=Optimizer(name="sgd"))},
    {"training": Training(optimizer=Optimizer(learning_rate=0.002))},
    {"training": Training(optimizer=Optimizer(beta_1=0.8))},
    {"training": Training(optimizer=Optimizer(beta_2=0.99))},
    {"training": Training(optimizer=Optimizer(epsilon=1e-8))},
    {"training": Training(optimizer=Optimizer(momentum=0.9))},
    {"training": Training(optimizer=Optimizer(nesterov=True))},
    {"training": Training(optimizer=Optimizer(rho=0.95))},
    {"training": Training(optimizer=Optimizer(weight_decay=0.01))},
    {"training": Training(schedule=Schedule(name="one-cycle"))},
    {"training": Training(label_smoothing=0.1)},
    {"training": Training(class_weights="balanced")},
    {"training": Training(normalize="train")},
    {"training": Training(validation_rows=1, validation_part="last")},
    {"training": Training(validation_rows=1, evaluations_per_epoch=2)},
    {"training": Training(validation_rows=1, target_accuracy=0.9)},
    {"parameters": {"C": 2.0}},
    {"train_rows": 1000},
    {"execution": "compiled"},
    {"precision": "bfloat16"},
    {"input": "loader"},
    {"steps_per_execution": 32},
    {"channels_last": True},
    {"threads": 2},
    {"measuring": Measuring(predict_batch_size=10)},
    {"measuring": Measuring(latency_calls=10)},
]


def test_every_field_that_changes_what_is_computed_or_timed_changes_the_identity() -> None:
    ids = {CASE.model_copy(update=change).id for change in CHANGES}
    assert len(ids) == len(CHANGES)
    assert CASE.id not in ids


def test_no_field_of_a_case_is_forgotten_by_the_changes_tried_here() -> None:
    assert {field for change in CHANGES for field in change} == set(Case.model_fields)


def test_another_protocol_gives_another_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    before = CASE.id
    monkeypatch.setattr(bench.case, "PROTOCOL_VERSION", 999)
    assert CASE.id != before


def test_a_changed_copy_does_not_keep_the_identity_of_the_original() -> None:
    before = CASE.id
    assert CASE.model_copy(update={"threads": 2}).id == Case(**{**CASE.model_dump(), "threads": 2}).id != before


def test_the_identity_is_the_same_in_another_process_with_other_hashes() -> None:
    code = f"from bench.case import Case; print(Case.model_validate_json({CASE.model_dump_json()!r}).id)"
    root = Path(bench.case.__file__).parents[1]
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env={"PYTHONHASHSEED": "12345", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == CASE.id
    assert len(CASE.id) == 16


def test_the_order_of_an_estimators_parameters_does_not_change_the_identity() -> None:
    one = CASE.model_copy(update={"parameters": {"C": 1.0, "tol": 0.1}})
    other = CASE.model_copy(update={"parameters": {"tol": 0.1, "C": 1.0}})
    assert one.id == other.id


def test_a_case_survives_json() -> None:
    assert Case.model_validate_json(CASE.model_dump_json()) == CASE


def test_a_case_cannot_be_changed_and_refuses_unknown_settings() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        CASE.threads = 3
    with pytest.raises(ValidationError, match="Extra inputs"):
        Case.model_validate({**CASE.model_dump(), "batchsize": 3})


def test_the_label_shows_a_cap_on_the_rows() -> None:
    assert CASE.model_copy(update={"model": "svc-rbf", "train_rows": 10_000}).model_label == "svc-rbf (10,000 rows)"
    assert CASE.model_label == "mlp"
    assert CASE.cell == "mnist/mlp/pytorch/cpu"


def test_no_seed_of_data_or_weights_depends_on_the_framework() -> None:
    # A seed derives from its arguments alone, and no function of seeds takes a framework.
    for function in (order_seed, weights_seed, framework_seed, bench.case.sample_seed):
        assert "framework" not in function.__annotations__
    assert order_seed("ab", 0, 1) == derive_seed("order", "ab", 0, 1)


@settings(max_examples=100)
@given(st.integers(0, 1000), st.integers(0, 1000))
def test_seeds_of_different_indices_epochs_and_layers_differ(first: int, second: int) -> None:
    same = first == second
    assert (order_seed("ab", first, 0) == order_seed("ab", second, 0)) is same
    assert (order_seed("ab", 0, first) == order_seed("ab", 0, second)) is same
    assert (weights_seed(0, "mlp", f"dense-{first}") == weights_seed(0, "mlp", f"dense-{second}")) is same


@settings(max_examples=100)
@given(st.lists(st.one_of(st.text(), st.integers()), max_size=5))
def test_a_seed_fits_in_32_bits_and_comes_out_the_same_again(axes: list[str | int]) -> None:
    assert 0 <= derive_seed(*axes) < 2**32
    assert derive_seed(*axes) == derive_seed(*axes)


def test_a_seed_is_what_sha256_of_its_axes_as_json_begins_with() -> None:
    import hashlib

    expected = hashlib.sha256(b'["order","ab",0,1]').digest()[:4]
    assert order_seed("ab", 0, 1) == int.from_bytes(expected, "big")


def test_the_number_1_and_the_text_1_are_different_axes() -> None:
    assert derive_seed("order", 1) != derive_seed("order", "1")


@pytest.mark.parametrize(
    ("rows", "epochs"),
    [(60_000, 6), (10_000, 26), (1_437, 167), (100, 2_000)],  # batches an epoch: 469, 79, 12, 1
)
def test_epochs_are_added_until_training_takes_the_steps_asked_for(rows: int, epochs: int) -> None:
    assert Training(epochs=6, min_steps=2_000).epochs_over(rows) == epochs


def test_a_validation_part_is_given_in_rows_or_as_a_share() -> None:
    assert Training(validation_share=0.1).validation_count(1_437) == 144
    assert Training(validation_rows=200, validation_share=0.1).validation_count(1_437) == 200
    assert Training().validation_count(1_437) == 0


def test_a_target_may_be_looked_for_on_a_share_of_the_rows() -> None:
    assert Training(target_accuracy=0.9, validation_share=0.1).target_accuracy == 0.9
