"""Threads: a worker starts with what the harness sets, whatever the user's shell holds."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import bench.measure.threads
from bench.measure.threads import clean_environment, thread_environment, thread_settings

ROOT = Path(bench.measure.threads.__file__).parents[2]

DROPPED = {
    "OMP_NUM_THREADS": "7",
    "OMP_WAIT_POLICY": "passive",
    "GOMP_SPINCOUNT": "3",
    "KMP_AFFINITY": "compact",
    "MKL_DEBUG_CPU_TYPE": "5",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "XLA_FLAGS": "--xla_cpu_enable_fast_math=true",
    "KERAS_BACKEND": "jax",
    "KERAS_HOME": "mine",
    "PYTORCH_CUDA_ALLOC_CONF": "x",
    "TORCHINDUCTOR_CACHE_DIR": "x",
    "NVIDIA_TF32_OVERRIDE": "1",
    "CUBLAS_WORKSPACE_CONFIG": ":16:8",
    "LD_PRELOAD": "libjemalloc.so",
    "MALLOC_ARENA_MAX": "1",
    "PYTHONHASHSEED": "99",
    "PYTHONSTARTUP": "x",
    "SKLEARN_WORKING_MEMORY": "1",
    "JAX_ENABLE_X64": "1",
}
KEPT = {"PATH": "bin", "HOME": "home", "LD_LIBRARY_PATH": "lib", "CUDA_VISIBLE_DEVICES": "1", "BENCH_DATA_DIR": "data"}


def test_what_of_the_users_shell_would_change_a_figure_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**DROPPED, **KEPT}.items():
        monkeypatch.setenv(name, value)
    environment = clean_environment(2)
    assert {name: environment[name] for name in KEPT} == KEPT
    ours = {**thread_environment(2), "PYTHONHASHSEED": "0"}
    assert {name: environment.get(name) for name in DROPPED} == {name: ours.get(name) for name in DROPPED}


def test_what_an_adapter_asks_for_comes_last() -> None:
    environment = clean_environment(2, {"KERAS_BACKEND": "tensorflow", "TF_NUM_INTEROP_THREADS": "1"})
    assert environment["KERAS_BACKEND"] == "tensorflow"
    assert environment["TF_NUM_INTEROP_THREADS"] == "1"
    assert environment["TF_NUM_INTRAOP_THREADS"] == "2"


def test_no_thread_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 thread"):
        thread_environment(0)


def test_a_variable_left_unset_is_told_as_unset() -> None:
    told = thread_settings(clean_environment(3, {"OMP_PROC_BIND": "true"}))
    assert told["OMP_NUM_THREADS"] == "3"
    assert told["OMP_WAIT_POLICY"] == "unset"
    assert told["OMP_PROC_BIND"] == "true"


@pytest.mark.parametrize("threads", [1, 2])
def test_the_threads_asked_for_are_in_force_inside_the_worker(threads: int) -> None:
    code = "import json, numpy; from bench.measure.threads import thread_settings_in_force as f; print(json.dumps(f()))"
    environment = clean_environment(threads, {"PYTHONPATH": str(ROOT)})
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    counts = json.loads(result.stdout)
    if not counts:
        pytest.skip("numpy's BLAS here has no threads to set")
    assert set(counts.values()) == {threads}


def test_libraries_are_told_apart_where_their_threads_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    import threadpoolctl  # type: ignore[import-untyped]

    loaded = [("libgomp", 2), ("libopenblas", 2), ("libgomp", 2), ("libgomp", 1), ("libgomp", 4)]
    found = [{"prefix": prefix, "num_threads": count, "filepath": "/home/anna/lib.so"} for prefix, count in loaded]
    monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: found)
    assert bench.measure.threads.thread_settings_in_force() == {
        "libgomp": 2,
        "libopenblas": 2,
        "libgomp 2": 1,
        "libgomp 3": 4,
    }
