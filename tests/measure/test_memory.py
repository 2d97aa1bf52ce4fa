"""Memory: every phase is charged for its own peak, and for no other."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import bench.measure.memory
from bench.measure.memory import PhaseMemory
from bench.measure.resident import MIB, LinuxCounter, ResidentCounter, RusageCounter, resident_counter

ROOT = Path(bench.measure.memory.__file__).parents[2]
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")

WORKER = """
from bench.measure.memory import PhaseMemory
MIB = 1024 * 1024
def block(mib):
    return b"x" * (mib * MIB)  # written to, so that it is resident
memory = PhaseMemory()
{work}
print(memory.result().model_dump_json())
"""


def figures_of(work: str) -> dict[str, Any]:
    """Memory figures of a fresh process that does ``work``."""
    command = [sys.executable, "-c", WORKER.format(work=work)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    figures: dict[str, Any] = json.loads(result.stdout)
    return figures


def test_a_peak_that_was_released_before_anybody_looked_is_caught() -> None:
    memory = figures_of("memory.mark_import()\nwith memory.phase('train'):\n    block(200)\n    pass")
    assert memory["phase_peak_mib"]["train"] - memory["after_import_mib"] == pytest.approx(200, abs=10)
    assert memory["peak_rss_mib"] == pytest.approx(memory["phase_peak_mib"]["train"], abs=1)


def test_a_second_trial_is_not_charged_for_the_memory_of_the_first() -> None:
    large = b"x" * (300 * MIB)  # what this parent holds is inherited by a child's ru_maxrss
    memory = figures_of("memory.mark_import()\nwith memory.phase('train'):\n    block(20)")
    assert len(large) == 300 * MIB
    assert memory["peak_rss_mib"] < 200
    assert memory["peak_rss_mib"] - memory["after_import_mib"] == pytest.approx(20, abs=8)


@linux
def test_a_later_phase_is_not_charged_for_what_an_earlier_one_gave_back() -> None:
    memory = figures_of(
        "memory.mark_import()\n"
        "with memory.phase('load'):\n    block(200)\n"
        "with memory.phase('train'):\n    block(30)\n"
        "with memory.phase('load'):\n    block(10)\n"
    )
    if "not reset" in memory["method"]:
        pytest.skip(f"this system cannot reset its peak: {memory['method']}")
    baseline = memory["after_import_mib"]
    assert memory["phase_peak_mib"]["load"] - baseline == pytest.approx(200, abs=10)
    assert memory["phase_peak_mib"]["train"] - baseline == pytest.approx(30, abs=10)
    assert memory["method"] == "VmHWM, reset by clear_refs"


@linux
def test_what_an_import_took_and_gave_back_is_its_own_and_not_the_trials() -> None:
    memory = figures_of("block(200)\nmemory.mark_import()\nwith memory.phase('train'):\n    block(30)")
    if "not reset" in memory["method"]:
        pytest.skip(f"this system cannot reset its peak: {memory['method']}")
    assert memory["phase_peak_mib"]["import"] - memory["after_import_mib"] == pytest.approx(200, abs=10)
    assert memory["peak_rss_mib"] - memory["after_import_mib"] == pytest.approx(30, abs=10)


def test_what_the_import_keeps_is_in_the_baseline_and_in_the_peak() -> None:
    memory = figures_of("kept = block(150)\nmemory.mark_import()\nwith memory.phase('train'):\n    block(30)")
    assert memory["after_import_mib"] > 150
    assert memory["peak_rss_mib"] - memory["after_import_mib"] == pytest.approx(30, abs=10)


def test_a_peak_between_two_phases_counts_for_the_trial() -> None:
    memory = figures_of("memory.mark_import()\nblock(150)\nwith memory.phase('train'):\n    pass")
    assert memory["peak_rss_mib"] - memory["after_import_mib"] == pytest.approx(150, abs=10)


class Scripted(ResidentCounter):
    """A counter of a system that cannot reset its peak, with sizes given by the test."""

    method = "scripted: phase peaks are cumulative"
    resettable = False

    def __init__(self) -> None:
        self.size = self.highest = 100.0

    def grow(self, size: float) -> None:
        self.size = size
        self.highest = max(self.highest, size)

    def now(self) -> float:
        return self.size

    def peak(self) -> float:
        return self.highest

    def reset(self) -> None:
        pass


def test_where_the_peak_cannot_be_reset_phases_are_cumulative_and_the_method_says_so() -> None:
    counter = Scripted()
    memory = PhaseMemory(counter)
    memory.mark_import()
    for name, size in (("load", 400.0), ("train", 200.0)):
        with memory.phase(name):
            counter.grow(size)
    result = memory.result(device_allocated_peak_mib=7.5)
    assert result.phase_peak_mib == {"import": 100.0, "load": 400.0, "train": 400.0}
    assert (result.after_import_mib, result.peak_rss_mib, result.above_import_mib) == (100.0, 400.0, 300.0)
    assert result.device_allocated_peak_mib == 7.5
    assert "cumulative" in result.method


def test_a_phase_that_raises_keeps_its_peak() -> None:
    counter = Scripted()
    memory = PhaseMemory(counter)
    memory.mark_import()

    def train() -> None:
        with memory.phase("train"):
            counter.grow(900.0)
            raise MemoryError

    with pytest.raises(MemoryError):
        train()
    assert memory.result().phase_peak_mib["train"] == 900.0


def test_phases_out_of_order_are_refused() -> None:
    memory = PhaseMemory(Scripted())
    with pytest.raises(RuntimeError, match="before mark_import"):
        memory.result()
    with pytest.raises(RuntimeError, match="before mark_import"), memory.phase("load"):
        pass
    memory.mark_import()
    nested = pytest.raises(RuntimeError, match="'train' began inside phase 'load'")
    with nested, memory.phase("load"), memory.phase("train"):
        pass


STATUS = "Name:\tpython\nVmPeak:\t  900 kB\nVmHWM:\t  204800 kB\nVmRSS:\t  102400 kB\n"


def test_kib_of_the_kernel_become_mib(tmp_path: Path) -> None:
    (tmp_path / "status").write_text(STATUS)
    (tmp_path / "clear_refs").write_text("")
    counter = LinuxCounter(tmp_path)
    assert (counter.peak(), counter.now()) == (200.0, 100.0)
    assert (tmp_path / "clear_refs").read_text() == "5"


def test_a_sandbox_without_clear_refs_is_said_to_have_cumulative_peaks(tmp_path: Path) -> None:
    (tmp_path / "status").write_text(STATUS)
    (tmp_path / "clear_refs").mkdir()  # cannot be written, even by root
    counter = LinuxCounter(tmp_path)
    counter.reset()
    assert counter.method == "VmHWM, not reset: phase peaks are cumulative"
    assert not counter.resettable


def test_a_sandbox_without_a_peak_counter_is_said_to_have_none(tmp_path: Path) -> None:
    (tmp_path / "status").write_text("VmRSS:\t102400 kB\n")
    counter = LinuxCounter(tmp_path)
    assert counter.method == "VmRSS at the end of each phase: no peak counter here"
    assert counter.peak() == counter.now() == 100.0


@linux
def test_ru_maxrss_in_its_unit_agrees_with_the_kernels_own_peak() -> None:
    code = (
        "from bench.measure.resident import LinuxCounter, RusageCounter\n"
        "linux, rusage = LinuxCounter(), RusageCounter(unit=1024)\n"
        "block = b'x' * (400 * 1024 * 1024)\n"
        "print(rusage.peak() / linux.peak(), rusage.now() / linux.now())"
    )
    # a child inherits its parent's ru_maxrss: one small process between it and pytest, which may be large
    between = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}], check=True)"
    result = subprocess.run([sys.executable, "-c", between], cwd=ROOT, capture_output=True, text=True, check=True)
    for ratio in result.stdout.split():
        assert float(ratio) == pytest.approx(1, abs=0.05)


def test_this_system_has_a_counter_that_sees_this_process() -> None:
    counter = resident_counter()
    assert counter.peak() >= counter.now() * 0.99 > 5
    assert counter.method
    assert isinstance(counter, LinuxCounter if sys.platform == "linux" else ResidentCounter)
    assert RusageCounter.resettable is False
