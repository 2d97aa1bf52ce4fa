"""Records: what came out, through JSON and back."""

import json
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bench.case import Case, Training
from bench.manifest import RunManifest
from bench.record import (
    FAILED,
    NOT_RUN,
    Environment,
    EpochFigures,
    FirstStep,
    Memory,
    ModelFigures,
    Noise,
    Phases,
    PredictPass,
    Record,
    Scores,
    Status,
)

CASE = Case(dataset="digits", model="mlp", framework="pytorch", training=Training())

FULL = Record(
    case_id=CASE.id,
    case=CASE,
    status="ok",
    seed_index=2,
    round=3,
    started_at="2026-11-22T10:15:00Z",
    wall_s=4.25,
    environment="0123456789ab",
    train_rows=1437,
    test_rows=360,
    phases=Phases(
        import_s=1.5,
        load_s=0.01,
        build_s=0.2,
        first_steps=(FirstStep(samples=128, seconds=0.1), FirstStep(samples=29, seconds=0.05)),
        epochs=(EpochFigures(seconds=0.5, samples=1280, loss=0.7), EpochFigures(seconds=0.4, samples=1437)),
        predict=(PredictPass(samples=360, seconds=0.01),),
        latency_us=(81.5, 79.25),
    ),
    scores=Scores(rows=2, accuracy=0.5, balanced_accuracy=0.5, macro_f1=1 / 3, confusion=((1, 0), (1, 0))),
    memory=Memory(method="VmHWM", after_import_mib=500.5, peak_rss_mib=612.25, phase_peak_mib={"load": 510.0}),
    noise=Noise(steal_percent=0.1, marks=("other processes used 40 % of a core",)),
    model=ModelFigures(parameters=8970, flops_per_sample=17_000),
    settings={"optimizer": {"epsilon": 1e-7, "fused": False}, "threads": 2, "jit": None},
    command="bench run …",
)


def test_a_record_survives_json() -> None:
    assert Record.model_validate_json(FULL.model_dump_json()) == FULL


@settings(max_examples=100)
@given(
    reason=st.none() | st.text(),
    stderr=st.lists(st.text(), max_size=3),
    wall=st.floats(0, 1e9),
    latency=st.lists(st.floats(0, 1e12), max_size=4),
    status=st.sampled_from(get_args(Status)),
)
def test_any_text_and_figure_survives_json_on_one_line(
    reason: str | None, stderr: list[str], wall: float, latency: list[float], status: Status
) -> None:
    assert FULL.phases is not None
    record = FULL.model_copy(
        update={
            "reason": reason,
            "stderr_tail": tuple(stderr),
            "wall_s": wall,
            "status": status,
            "phases": FULL.phases.model_copy(update={"latency_us": tuple(latency)}),
        }
    )
    text = record.model_dump_json()
    assert b"\n" not in text.encode()
    assert Record.model_validate_json(text) == record


def test_training_seconds_are_first_steps_and_every_epoch() -> None:
    assert FULL.phases is not None
    assert FULL.phases.train_s == pytest.approx(0.1 + 0.05 + 0.5 + 0.4)


def test_memory_above_the_import_is_the_difference() -> None:
    assert FULL.memory is not None
    assert FULL.memory.above_import_mib == 111.75


def test_a_status_that_does_not_exist_and_a_negative_seed_are_refused() -> None:
    fine = FULL.model_dump()
    with pytest.raises(ValidationError, match="status"):
        Record.model_validate({**fine, "status": "fine"})
    with pytest.raises(ValidationError, match="seed_index"):
        Record.model_validate({**fine, "seed_index": -1})


def test_failed_and_not_run_are_statuses_and_do_not_overlap() -> None:
    assert set(get_args(Status)) >= FAILED | NOT_RUN
    assert not FAILED & NOT_RUN
    assert "ok" not in FAILED | NOT_RUN


def test_an_environments_hash_changes_with_a_version_and_with_nothing_else() -> None:
    one = Environment(
        cpu="a cpu",
        cores=2,
        memory_gib=8,
        system="Linux 6",
        machine="x86_64",
        python="3.11.7",
        packages={"numpy": "2.0", "torch": "2.5"},
    )
    reordered = one.model_copy(update={"packages": {"torch": "2.5", "numpy": "2.0"}})
    assert one.hash == reordered.hash == Environment.model_validate_json(one.model_dump_json()).hash
    assert one.hash != one.model_copy(update={"packages": {"numpy": "2.1", "torch": "2.5"}}).hash


def test_a_manifest_survives_json() -> None:
    manifest = RunManifest(bench_version="0.1", name="2026-quick", suite="quick", cases=(CASE,), labels={"branch": "x"})
    assert RunManifest.model_validate_json(manifest.model_dump_json()) == manifest


def test_the_schema_accepts_a_real_record_and_refuses_an_unknown_key() -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed (extra: dev)")
    validator = jsonschema.Draft202012Validator(Record.model_json_schema())
    record = json.loads(FULL.model_dump_json())
    assert list(validator.iter_errors(record)) == []
    assert list(validator.iter_errors({**record, "acuracy": 1.0})) != []


def test_memory_of_the_model_leaves_out_the_import_the_runtime_and_what_was_held_while_loading() -> None:
    phases = {"import": 150.0, "load": 400.0, "build": 180.0, "train": 250.0, "predict": 240.0}
    memory = Memory(method="VmHWM", after_import_mib=100.0, peak_rss_mib=400.0, runtime_mib=30.0, phase_peak_mib=phases)
    assert memory.model_mib == 250 - 100 - 30
    assert memory.above_import_mib == 300
