"""A trial can be run again by the command its record gives, and comes out the same to the last bit."""

import json
import shlex
from typing import Any

import jsonschema
import pytest

from tests.end_to_end.command import Bench, Json, cells, read_predictions

pytestmark = pytest.mark.slow

MODELS = ("mlp", "majority", "random-forest")
REPEATED = (
    "digits/mlp/keras-jax",
    "digits/mlp/keras-tensorflow",
    "digits/mlp/keras-torch",
    "digits/mlp/pytorch",
    "digits/random-forest/scikit-learn",
)
ONCE = ("digits/majority/scikit-learn",)
UNSUPPORTED = ("digits/mlp/scikit-learn",)
"""Dropout is nothing that scikit-learn has: one record says so."""


@pytest.fixture(scope="module")
def once(installed: Bench, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A part of ``smoke``, and a network with dropout, run as the second seed."""
    bench = installed.inside(tmp_path_factory.mktemp("once"))
    frameworks = {cell.rpartition("/")[2] for cell in (*REPEATED, *ONCE)}
    chosen = [word for model in MODELS for word in ("--model", model)]
    chosen += [word for framework in sorted(frameworks) for word in ("--framework", framework)]
    ended = bench("run", "--suite", "smoke", "--seed", "1", *chosen)
    assert ended.returncode == 0, ended.stderr
    assert sorted(cells(bench.records())) == sorted((*REPEATED, *ONCE, *UNSUPPORTED))
    return bench


def of_trials(bench: Bench) -> list[Json]:
    """The records that a trial left."""
    found = [record for record in bench.records() if record["status"] == "ok"]
    assert len(found) == len((*REPEATED, *ONCE))
    return found


@pytest.fixture(scope="module")
def again(once: Bench) -> dict[str, tuple[Json, Json]]:
    """Records, each with that of its own command in another folder, by the case's name."""
    elsewhere = once.inside(once.folder / "elsewhere")
    elsewhere.folder.mkdir()
    pairs = {}
    for cell, record in zip(cells(once.records()), once.records(), strict=True):
        if cell not in REPEATED:
            continue
        words = shlex.split(record["command"])
        assert words[0] == "bench"
        ended = elsewhere(*words[1:])
        assert ended.returncode == 0, ended.stderr
        (repeated,) = elsewhere.records()
        pairs[cell] = record, repeated
    return pairs


@pytest.mark.parametrize("cell", REPEATED)
def test_the_command_of_a_record_runs_the_same_trial_to_the_same_result(
    cell: str, again: dict[str, tuple[Json, Json]]
) -> None:
    record, repeated = again[cell]
    assert (repeated["case_id"], repeated["seed_index"]) == (record["case_id"], record["seed_index"])
    assert repeated["scores"] == record["scores"]
    assert repeated["model"] == record["model"]  # the hashes of weights and predictions among it
    assert repeated["model"]["predictions_sha256"]


def test_the_stored_predictions_give_the_recorded_accuracy(once: Bench) -> None:
    for record in of_trials(once):
        arrays = read_predictions(once.runs()[-1], record)
        assert len(arrays["truth"]) == 360
        assert (arrays["truth"] == arrays["labels"]).mean() == pytest.approx(record["scores"]["accuracy"], abs=1e-12)


@pytest.mark.parametrize(("of", "file"), [("record", "records.jsonl"), ("manifest", "run.json")])
def test_what_a_run_stores_is_what_the_schema_says(of: str, file: str, once: Bench) -> None:
    printed = once("schema", "--of", of)
    assert printed.returncode == 0, printed.stderr
    schema: dict[str, Any] = json.loads(printed.stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    text = (once.runs()[-1] / file).read_text()
    stored = text.splitlines() if file.endswith("l") else [text]
    for line in stored:
        jsonschema.validate(json.loads(line), schema)
    assert len(stored) == (len((*REPEATED, *ONCE, *UNSUPPORTED)) if of == "record" else 1)


def test_the_environment_a_run_stores_is_what_the_schema_says(once: Bench) -> None:
    schema = json.loads(once("schema", "--of", "environment").stdout)
    files = list((once.runs()[-1] / "environments").glob("*.json"))
    for file in files:
        jsonschema.validate(json.loads(file.read_text()), schema)
    assert {record["environment"] for record in of_trials(once)} == {file.stem for file in files}
