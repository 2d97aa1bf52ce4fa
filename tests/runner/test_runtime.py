"""The memory of a framework's runtime: measured on a softmax in a process of its own, once on a machine."""

from pathlib import Path

import pytest

import bench.runner.runtime
from bench.adapters.base import Adapter
from bench.adapters.catalog import find_adapter
from bench.case import Case
from bench.runner.runtime import Runtimes, runtime_case


def case(**settings: object) -> Case:
    return Case.model_validate({"dataset": "mnist", "model": "cnn", "framework": "scikit-learn", **settings})


def test_scikit_learn_takes_next_to_nothing_at_its_first_use(tmp_path: Path) -> None:
    found = Runtimes(tmp_path / "runtimes.json").of(find_adapter("scikit-learn"), case(), "here")
    assert found is not None
    assert 0.0 <= found < 15.0


def test_it_is_measured_once_for_a_machine_and_its_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Case] = []

    def measured(adapter: Adapter, case: Case) -> float:
        asked.append(case)
        return 12.345

    monkeypatch.setattr(bench.runner.runtime, "_measured", measured)
    adapter, path = find_adapter("scikit-learn"), tmp_path / "kept" / "runtimes.json"
    first = Runtimes(path)
    assert [first.of(adapter, case(), "here"), first.of(adapter, case(model="mlp"), "here")] == [12.35, 12.35]
    assert Runtimes(path).of(adapter, case(), "here") == 12.35
    assert len(asked) == 1
    Runtimes(path).of(adapter, case(), "there")
    Runtimes(path).of(adapter, case(threads=2), "here")
    assert len(asked) == 3


def test_what_cannot_be_measured_is_asked_once_a_run_and_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Case] = []
    monkeypatch.setattr(bench.runner.runtime, "_measured", lambda adapter, case: asked.append(case))
    path = tmp_path / "runtimes.json"
    runtimes = Runtimes(path)
    found = [runtimes.of(find_adapter("scikit-learn"), case(), "here") for _ in range(2)]
    assert found == [None, None]
    assert len(asked) == 1
    assert not path.exists()


def test_a_damaged_cache_is_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.runner.runtime, "_measured", lambda adapter, case: 3.0)
    path = tmp_path / "runtimes.json"
    for damage in ("", "{", "[1]", '{"a": "b"}'):
        path.write_text(damage)
        assert Runtimes(path).of(find_adapter("scikit-learn"), case(), "here") == 3.0


def test_the_runtime_is_that_of_the_way_a_case_is_run() -> None:
    found = runtime_case(case(execution="compiled", precision="bfloat16", threads=3, device="cuda:0"))
    assert (found.model, found.execution, found.precision, found.threads) == ("softmax", "compiled", "bfloat16", 3)
    assert found.device == "cuda:0"
