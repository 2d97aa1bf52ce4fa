"""Threads: the environment a worker starts with, and its effect inside."""

from __future__ import annotations

import os
from collections.abc import Mapping

_THREAD_COUNTS = (
    "OMP_NUM_THREADS",  # OpenMP: torch, scikit-learn
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",  # Accelerate on macOS
    "NUMEXPR_NUM_THREADS",
    "NUMEXPR_MAX_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",  # equal to the other: TensorFlow's default on a machine with that many cores
    "LOKY_MAX_CPU_COUNT",  # joblib
)

_LEFT_UNSET = ("OMP_WAIT_POLICY", "OMP_PROC_BIND", "OMP_DYNAMIC", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "MKL_DYNAMIC")
"""Left to each framework, as its users leave them; they decide how it handles contention, so they are noted."""

_KEPT = frozenset(
    {
        # where programs, libraries and the user's files lie
        "PATH", "HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP", "PYTHONPATH", "PYTHONHOME", "PYTHONPYCACHEPREFIX",
        "VIRTUAL_ENV", "CONDA_PREFIX", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH",
        "CUDA_HOME", "CUDA_PATH", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR",
        "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA",
        "PROGRAMFILES", "HOMEDRIVE", "HOMEPATH", "PROCESSOR_ARCHITECTURE",
        # user and locale; torch needs the user's name to place its caches
        "USER", "LOGNAME", "USERNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ",
        # visible devices
        "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES",
        "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES",
        # network access, for a user's model that loads weights
        "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
    }
)  # fmt: skip

_KEPT_PREFIX = "BENCH_"


def thread_environment(threads: int) -> dict[str, str]:
    """Variables that hold every known thread pool to ``threads`` threads. Raises ValueError below 1."""
    if threads < 1:
        raise ValueError(f"a worker needs at least 1 thread, not {threads}")
    return dict.fromkeys(_THREAD_COUNTS, str(threads))


def clean_environment(threads: int, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The whole environment of a worker: what it needs of this process's, ``threads`` for all pools, then ``extra``.

    Everything else is dropped: ``OMP_*``, ``TF_*``, ``XLA_*``, ``KERAS_*``, ``PYTORCH_*``, ``LD_PRELOAD`` and the
    like of the user's shell would change what is computed or timed. Hashes are not randomised, so that the order
    of a set is the same in every trial.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.upper() in _KEPT or name.upper().startswith(_KEPT_PREFIX)
    }
    return {**kept, **thread_environment(threads), "PYTHONHASHSEED": "0", **(extra or {})}


def thread_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Thread-related variables of a worker's ``environment``, for the record; ``unset`` for those left unset."""
    return {name: environment.get(name, "unset") for name in (*_THREAD_COUNTS, *_LEFT_UNSET)}


def thread_settings_in_force() -> dict[str, int]:
    """Threads of every BLAS and OpenMP library loaded in this process, by the library's name.

    Two copies of a library that differ are numbered: ``libgomp``, ``libgomp 2``.
    """
    from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

    counts: dict[str, int] = {}
    for library in threadpool_info():
        name, threads, copy = str(library["prefix"]), int(library["num_threads"]), 1
        key = name
        while counts.get(key, threads) != threads:
            copy += 1
            key = f"{name} {copy}"
        counts[key] = threads
    return counts
