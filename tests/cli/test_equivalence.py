"""``bench equivalence``: what is refused before anything runs, and what is shown of what was found."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.certificate import Conditions
from bench.cli.app import main
from bench.equivalence.compare import compare
from bench.equivalence.definition import DEFINITION
from bench.equivalence.proof import gradient_proof, proof
from bench.equivalence.trace import Trace
from bench.equivalence.verdict import Miss, Verdict, Verification, first_misses
from bench.report.equivalence import as_json, document
from bench.report.terminal import text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--framework", "pytroch"), "did you mean 'pytorch'"),
        (("--model", "cnn-nrom"), "did you mean 'cnn-norm'"),
        (("--model", "random-forest"), "not a neutral network"),
        (("--optimizer", "adm"), "did you mean 'adam'"),
        (("--framework", "scikit-learn", "--execution", "compiled"), "scikit-learn has no compiled execution"),
        (("--framework", "scikit-learn", "--model", "cnn"), "nothing to prove"),
        (("--suite", "quik"), "did you mean 'quick'"),
        (("--suite", "quick", "--optimizer", "adam"), "--optimizer and --suite exclude each other"),
        (("--suite", "quick", "--quick"), "--quick and --suite exclude each other"),
        (("--dataset", "digits"), "--dataset narrows or widens a suite, and none is named"),
        (("--batch-size", "64"), "--batch-size narrows or widens a suite"),
        (("--device", "all"), "--device all narrows or widens a suite"),
        (("--precision", "float8"), "float8"),
        (("--threads", "0"), "--threads"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(
    options: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["equivalence", *options]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err


def trace(factor: float = 1.0, *, first_step_only: bool = False) -> Trace:
    weights = {"dense_1/kernel": np.arange(6.0).reshape(2, 3)}
    moved = {name: value + 1 for name, value in weights.items()}
    logits = np.arange(1.0, 7.0).reshape(2, 3)
    one = Trace(initial=weights, logits=logits, repeated=logits, first=moved, parameters=6)
    if first_step_only:
        return one
    return replace(one, losses=np.full(20, 2.0) * factor, final=moved, whole=moved, after=logits)


def verdict(framework: str, factor: float = 1.0) -> Verdict:
    found = Verdict(Conditions(framework=framework, threads=2), {"own": "1.0"})
    for asked in (proof("mlp-plain", "adam"), proof("cnn-norm", "sgd")):
        found.comparisons += compare(asked, "float64", (DEFINITION, trace()), (framework, trace(factor)))
    asked = gradient_proof("mlp-plain")
    small = trace(first_step_only=True)
    found.comparisons += compare(asked, "float32", (DEFINITION, small), (framework, small))
    found.misses += [
        Miss(one, ("learning rate 1.01 times the one asked for",)) for one in first_misses(found.comparisons)
    ]
    return found


def shown(*verdicts: Verdict, **more: object) -> str:
    return text(document(Verification(list(verdicts), **more)))  # type: ignore[arg-type]


def test_tables_fit_eighty_columns_and_name_every_framework_and_limit() -> None:
    found = shown(verdict("pytorch"), verdict("keras-tensorflow"))
    assert max(map(len, found.splitlines())) <= 80
    for words in ("without BatchNorm", "with BatchNorm", "float32: logits and gradient", "1e-12", "1e-09", "1e-04"):
        assert words in found
    assert found.count("keras-tensorflow") >= 4
    assert "does not compute the same" not in found


def test_a_miss_is_told_with_its_quantity_its_limit_and_its_explanation() -> None:
    found = " ".join(shown(verdict("pytorch", 1 + 1e-6)).split())
    assert "pytorch does not compute the same" in found
    assert "mlp-plain · adam, float64: loss at step 1 differs by 1.0e-06 (limit 1e-12)" in found
    assert "explained by: learning rate 1.01 times the one asked for" in found
    assert "the same none" in found


def test_steps_in_the_precision_that_is_timed_have_a_table_of_their_own() -> None:
    one = verdict("pytorch")
    few = proof("cnn-norm", "adam", rounded=True, rows=300, steps=6)
    one.comparisons += compare(few, "float32", (DEFINITION, trace()), ("pytorch", trace()))
    found = shown(one)
    assert "float32: a few steps" in found
    assert "moved" in found
    assert max(map(len, found.splitlines())) <= 80


def test_a_table_of_networks_with_and_without_batch_norm_shows_the_wider_limit() -> None:
    """Statistics have a limit with BatchNorm alone; the loss is held to 1e-05 without it and to 2e-04 with it."""
    statistics = {"norm_1/moving_mean": np.arange(3.0)}
    normed = replace(trace(), initial=trace().initial | statistics, final=trace().final | statistics)
    one = verdict("pytorch")
    for model, found in (("mlp-plain", trace()), ("cnn-norm", normed)):
        few = proof(model, "adam", rounded=True, rows=300, steps=6)
        one.comparisons += compare(few, "float32", (DEFINITION, found), ("pytorch", found))
    _, _, table = shown(one).partition("float32: a few steps")
    limits = next(line for line in table.splitlines() if line.startswith("limit"))
    assert limits.split()[1:] == ["1e-05", "2e-04", "5e-02", "5e-02", "2e-03"]


def test_several_ways_of_a_framework_are_told_apart_and_their_paths_shown() -> None:
    plain, compiled = verdict("pytorch"), verdict("pytorch (compiled)")
    plain.way, compiled.way = "eager", "compiled"
    compiled.conditions = Conditions(framework="pytorch", threads=2, execution="compiled", input="loader")
    found = shown(replace(plain, comparisons=[]), compiled)
    assert "cpu, 2 threads · float32 · resident" in found
    assert "cpu, 2 threads · float32 · loader" in found
    assert "pytorch (compiled)" in found


def test_findings_errors_and_what_was_not_asked_are_shown() -> None:
    one = verdict("pytorch")
    one.findings = ["trains on 256 rows where 300 were given: the short last batch is dropped"]
    one.errors = ["cnn · adam, float64: RuntimeError: no memory"]
    one.unsupported = {"pytorch has no taste.": ["cnn · adam", "cnn · sgd", "mlp · sgd"]}
    missing = {
        "absent": {"keras-jax": "not installed: pip install x"},
        "blocked": {"its data are not here.": ["mnist/cnn/pytorch/cpu"]},
    }
    found = " ".join(shown(one, **missing).split())
    assert "work: trains on 256 rows" in found
    assert "failed: cnn · adam, float64: RuntimeError: no memory" in found
    assert "pytorch has no taste. (cnn · adam, cnn · sgd and 1 more)" in found
    assert "keras-jax: not installed: pip install x" in found
    assert "its data are not here. (mnist/cnn/pytorch/cpu)" in found
    assert not one.holds


def test_json_holds_every_largest_difference() -> None:
    found = as_json(Verification([verdict("pytorch", 1 + 1e-6)]))
    assert isinstance(found, dict)
    assert found["holds"] is False
    framework = found["frameworks"][0]  # type: ignore[index]
    assert framework["conditions"]["threads"] == 2  # type: ignore[index, call-overload]
    losses = [one for one in framework["differences"] if one["kind"] == "loss"]  # type: ignore[index, call-overload, union-attr]
    assert {one["proof"] for one in losses} == {"mlp-plain · adam", "cnn-norm · sgd"}  # type: ignore[index, call-overload]


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    from bench.cli.equivalence import _write
    from bench.errors import BenchError

    with pytest.raises(BenchError, match="cannot be written"):
        _write(tmp_path, Verification([verdict("pytorch")]))
