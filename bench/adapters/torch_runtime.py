"""torch in this process, for any caller: threads, precision, compiler, devices and their memory."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
import warnings

from bench.adapters.base import DeviceMemory
from bench.case import Case

RECOMPILE_LIMIT = 64
"""Batch sizes for which a function may be compiled; beyond it torch would silently run eagerly."""


def obstacle(case: Case) -> str | None:
    """Why torch cannot run ``case`` here, in one sentence; None where it can. Called in the parent."""
    kind = case.device.partition(":")[0]
    if case.precision == "float64" and kind == "mps":
        return "mps has no float64 arithmetic."
    if case.execution == "compiled" and kind == "cpu" and shutil.which(_cpp_compiler()) is None:
        return f"torch.compile needs a C++ compiler for the CPU, and {_cpp_compiler()!r} is not to be found."
    return None


def _cpp_compiler() -> str:
    """The C++ compiler that torch.compile calls, chosen as torch does."""
    if sys.platform == "win32":
        return os.environ.get("CXX", "cl")
    return os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")


def prepare(case: Case) -> None:
    """Import torch; fix its threads, its precision and its compiler."""
    if case.execution == "compiled":
        _compile_afresh()
    import torch
    import torch._dynamo  # the first optimiser would import it, and the model be charged for it

    if case.execution == "compiled":
        torch._dynamo.config.recompile_limit = RECOMPILE_LIMIT
        torch._dynamo.config.fail_on_recompile_limit_hit = True
    torch.set_num_threads(case.threads)
    if torch.get_num_interop_threads() != 1:  # may be set once, before anything is computed
        torch.set_num_interop_threads(1)
    torch.set_float32_matmul_precision("highest")  # no TF32: float32 means float32
    torch.backends.cudnn.allow_tf32 = False
    # data sets are read-only arrays; nothing writes to them (and no filter on the clock of every call)
    warnings.filterwarnings("ignore", "The given NumPy array is not writable", UserWarning)


def debugging() -> list[str]:
    """Switches of torch that are on for debugging, or off that should be on: they change what is timed."""
    import torch

    switches = {
        "anomaly detection": torch.is_anomaly_enabled(),
        "deterministic algorithms": torch.are_deterministic_algorithms_enabled(),
        "oneDNN off": torch.backends.mkldnn.is_available() and not torch.backends.mkldnn.enabled,
    }
    return [name for name, is_on in switches.items() if is_on]


def _compile_afresh() -> None:
    """Let this process compile with a cache of its own, one kernel after another.

    With the user's cache only the first trial would compile; and torch's pool of compiler processes would live on
    while the clock runs.
    """
    folder = tempfile.mkdtemp(prefix="bench-compiled-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"


def devices() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The devices torch sees, ``cpu`` first, and the names of the accelerators among them."""
    import torch

    found, names = ["cpu"], []
    if torch.cuda.is_available():
        found += [f"cuda:{index}" for index in range(torch.cuda.device_count())]
        names += [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
        names.append("Apple GPU")
    if torch.xpu.is_available():
        found += [f"xpu:{index}" for index in range(torch.xpu.device_count())]
        names += [torch.xpu.get_device_name(index) for index in range(torch.xpu.device_count())]
    return tuple(found), tuple(names)


def threads() -> dict[str, int]:
    """The thread settings in force."""
    import torch

    return {"intra-op": torch.get_num_threads(), "inter-op": torch.get_num_interop_threads()}


def tf32() -> bool:
    """True if a float32 product may be computed in TF32."""
    import torch

    return bool(torch.backends.cudnn.allow_tf32) or torch.get_float32_matmul_precision() != "highest"


def out_of_memory(error: BaseException) -> bool:
    """True if ``error`` says that the host or the device is out of memory."""
    import torch

    return isinstance(error, MemoryError | torch.OutOfMemoryError)


def synchronize(device: str) -> None:
    """Return when ``device`` is idle."""
    if device != "cpu":
        import torch

        torch.accelerator.synchronize(torch.device(device))


def reset_device_peak(device: str) -> None:
    """Start a new peak of the device's memory, where torch keeps one."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.reset_peak_memory_stats(device)


def device_memory(device: str) -> DeviceMemory | None:
    """The allocator's peak and current bytes and the driver's view; None where the device's memory is the host's."""
    import torch

    if device.startswith("cuda"):
        free, total = torch.cuda.mem_get_info(device)
        peak = torch.cuda.max_memory_allocated(device)
        return DeviceMemory(peak, torch.cuda.memory_allocated(device), total - free)
    if device == "mps":
        return DeviceMemory(None, torch.mps.current_allocated_memory(), torch.mps.driver_allocated_memory())
    return None
