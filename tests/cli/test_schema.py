"""``bench schema`` describes what a run folder really holds."""

import json

import jsonschema
import pytest

from bench.case import Case
from bench.cli.app import main
from bench.manifest import RunManifest
from bench.record import Environment, EpochFigures, Phases, Record

CASE = Case(dataset="mnist", model="cnn", framework="pytorch", threads=2)
PHASES = Phases(import_s=2.3, load_s=0.1, build_s=0.2, epochs=(EpochFigures(seconds=3.0, samples=60_000, loss=0.2),))
EXAMPLES = {
    "record": Record(case_id=CASE.id, case=CASE, status="ok", phases=PHASES, settings={"threads": 2}),
    "manifest": RunManifest(bench_version="0.1.0", name="2026-11-22T10-15-00-quick", suite="quick", cases=(CASE,)),
    "environment": Environment(cpu="x", cores=2, memory_gib=24.0, system="Linux 6", machine="x86_64", python="3.11.7"),
}


def printed_schema(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    assert main(["schema", *arguments]) == 0
    schema: dict[str, object] = json.loads(capsys.readouterr().out)
    return schema


@pytest.mark.parametrize("kind", EXAMPLES)
def test_what_is_written_satisfies_the_schema(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    schema = printed_schema(["--of", kind], capsys)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(EXAMPLES[kind].model_dump_json()), schema)


@pytest.mark.parametrize("change", [{"status": "fine"}, {"case_id": None}, {"speed": 3}, {"seed_index": -1}])
def test_a_record_that_is_none_does_not_satisfy_it(
    change: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    schema = printed_schema([], capsys)
    record = json.loads(EXAMPLES["record"].model_dump_json())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(record | change, schema)
