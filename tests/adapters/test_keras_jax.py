"""Keras' adapter on JAX: the contract of Keras on every backend, and what is JAX's own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.adapters import keras_jax
from bench.adapters.keras_jax import KerasJaxAdapter
from bench.measure.threads import clean_environment
from bench.models.networks import CNN
from tests.adapters.keras_contract import KerasContract
from tests.adapters.small import NETWORKS, case, images, learner

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def adapter() -> KerasJaxAdapter:
    adapter = KerasJaxAdapter()
    adapter.prepare(case(adapter))
    return adapter


class TestContract(KerasContract):
    networks = tuple(NETWORKS)
    trained = ("mlp", "cnn", "odd")
    strange = frozenset({"tensorflow", "torch", "torchvision"})


def test_threads_are_those_of_the_case(adapter: KerasJaxAdapter) -> None:
    learner(adapter, CNN, images(40))
    probe = adapter.probe()
    assert probe.threads == {"intra-op": 1}
    assert probe.devices == ("cpu",)
    assert set(probe.versions) == {"keras", "jax"}


def test_a_worker_starts_with_the_backend_the_threads_and_the_precision_in_its_environment(
    adapter: KerasJaxAdapter,
) -> None:
    found = adapter.environment(case(adapter, precision="float64", threads=3))
    assert (found["KERAS_BACKEND"], found["JAX_ENABLE_X64"], found["PJRT_NPROC"]) == ("jax", "1", "3")
    assert found["JAX_PLATFORMS"] == "cpu"
    assert "JAX_PLATFORMS" not in adapter.environment(case(adapter, "cuda:0"))


def test_of_the_users_xla_flags_only_the_number_of_devices_is_kept(
    adapter: KerasJaxAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag = "--xla_force_host_platform_device_count=2"
    monkeypatch.setenv("XLA_FLAGS", f"--xla_cpu_enable_fast_math=true {flag}")
    assert adapter.environment(case(adapter))["XLA_FLAGS"] == flag
    monkeypatch.delenv("XLA_FLAGS")
    assert "XLA_FLAGS" not in adapter.environment(case(adapter))


TWO_DEVICES = """
import json, sys
import numpy as np
from bench.adapters import keras_jax
from bench.adapters.keras_jax import KerasJaxAdapter
from bench.models.networks import MLP_PLAIN
from tests.adapters.small import case, images, learner, loss_of

adapter = KerasJaxAdapter()
adapter.prepare(case(adapter, "cpu:1"))
found = {"devices": adapter.probe().devices, "used": {}, "losses": []}
for device in ("cpu", "cpu:1"):
    built = learner(adapter, MLP_PLAIN, images(70), axes={"device": device})
    found["losses"].append(loss_of(built, np.arange(70)))
    built.predictor(16)(images(20).images)
    built.synchronize()
    places = {f"{place.platform}:{place.id}" for weight in built._model.variables for place in weight.value.devices()}
    found["used"][device] = sorted(places)
print(json.dumps(found))
"""


def test_a_forced_second_device_is_listed_and_used(adapter: KerasJaxAdapter) -> None:
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    environment = clean_environment(1, adapter.environment(case(adapter, "cpu:1")) | flags)
    ended = subprocess.run(
        [sys.executable, "-c", TWO_DEVICES], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    found = json.loads(ended.stdout.splitlines()[-1])
    assert found["devices"] == ["cpu", "cpu:1"]
    assert found["used"] == {"cpu": ["cpu:0"], "cpu:1": ["cpu:1"]}
    assert found["losses"][0] == pytest.approx(found["losses"][1], rel=1e-6)


def test_a_network_is_compiled(adapter: KerasJaxAdapter) -> None:
    settings = learner(adapter, CNN, images(40)).settings()
    assert (settings["execution"], settings["jit_compile"], settings["tf32"]) == ("compiled", True, False)
    assert settings["x64"] is False
    assert os.environ["JAX_ENABLE_X64"] == "0"


def test_no_memory_left_is_told_from_other_errors(adapter: KerasJaxAdapter) -> None:
    import jax

    assert adapter.out_of_memory(jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating"))
    assert adapter.out_of_memory(MemoryError())
    assert not adapter.out_of_memory(jax.errors.JaxRuntimeError("INVALID_ARGUMENT: shapes do not fit"))


def test_a_thread_that_ends_while_threads_are_counted_is_none(tmp_path: Path) -> None:
    assert keras_jax._thread_name(tmp_path / "ended") == ""
