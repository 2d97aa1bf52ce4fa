"""Noise: work of other processes is separated from the trial's own."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from bench.measure.noise import CpuCounters, NoiseWatch, assess, calibration_ms, read_counters

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc/stat")

BEFORE = CpuCounters(at_s=100.0, busy_s=50.0, steal_s=1.0, total_s=400.0, own_s=10.0)


def after(busy: float = 0.0, steal: float = 0.0, own: float = 0.0) -> CpuCounters:
    """Ten seconds later on four cores."""
    return CpuCounters(at_s=110.0, busy_s=50.0 + busy, steal_s=1.0 + steal, total_s=440.0, own_s=10.0 + own)


def wait_until(holds: Callable[[], bool]) -> None:
    """Poll for a minute at most."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def burn(seconds: float) -> list[str]:
    """A command that uses ``seconds`` of CPU time."""
    return [sys.executable, "-c", f"import time\nwhile time.process_time() < {seconds}: pass"]


def test_cpu_time_of_other_processes_is_a_share_of_one_core() -> None:
    noise = assess(BEFORE, after(busy=20.5, own=20.0), 20.0, 20.5)
    assert noise.steal_percent == 0.0
    assert noise.other_cpu_percent == pytest.approx(5.0)  # 0.5 s in 10 s, of one core
    assert (noise.calibration_before_ms, noise.calibration_after_ms) == (20.0, 20.5)


def test_steal_is_a_share_of_all_cpu_time() -> None:
    noise = assess(BEFORE, after(steal=2.0), 20.0, 20.0)
    assert noise.steal_percent == pytest.approx(5.0)  # 2 s of 4 cores times 10 s


def test_no_reading_marks_a_trial() -> None:
    assert assess(BEFORE, after(busy=40.0, steal=4.0), 20.0, 40.0).marks == ()


def test_counters_that_disagree_by_a_tick_give_no_negative_figure() -> None:
    assert assess(BEFORE, after(busy=9.99, own=10.0), 20.0, 20.0).other_cpu_percent == 0.0


def test_a_system_without_counters_has_no_figures_but_the_calibration() -> None:
    noise = assess(None, None, 20.0, 30.0)
    assert noise.steal_percent is None
    assert noise.other_cpu_percent is None
    assert (noise.calibration_before_ms, noise.calibration_after_ms) == (20.0, 30.0)


@linux
def test_the_kernels_line_is_read_as_proc_5_describes_it(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu  1000 200 300 5000 40 5 6 700 50 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n")
    counters = read_counters(stat)
    assert counters is not None
    ticks = os.sysconf("SC_CLK_TCK")
    assert counters.busy_s == pytest.approx((1000 + 200 + 300) / ticks)
    assert counters.steal_s == pytest.approx(700 / ticks)
    assert counters.total_s == pytest.approx((1000 + 200 + 300 + 5000 + 40 + 5 + 6 + 700) / ticks)


@linux
def test_a_kernel_that_counts_otherwise_gives_no_counters(tmp_path: Path) -> None:
    assert read_counters(tmp_path / "nothing") is None
    (tmp_path / "stat").write_text("cpu 1 2 3\n")
    assert read_counters(tmp_path / "stat") is None


@linux
def test_the_worker_is_not_counted_among_the_others() -> None:
    before = read_counters()
    subprocess.run(burn(0.5), check=True)
    since = read_counters()
    assert before is not None
    assert since is not None
    assert since.own_s - before.own_s >= 0.45
    assert since.busy_s - before.busy_s >= 0.3


@linux
def test_a_busy_process_beside_the_trial_is_counted() -> None:
    with subprocess.Popen(burn(60)) as other:
        wait_until(lambda: psutil.Process(other.pid).cpu_times().user > 0.1)  # a busy machine starts it late
        watch = NoiseWatch.start()
        time.sleep(0.5)
        noise = watch.finish()
        other.kill()
    assert noise.other_cpu_percent is not None
    assert noise.other_cpu_percent > 10


def test_watching_costs_nothing_while_the_trial_runs() -> None:
    watch = NoiseWatch.start()
    used = time.process_time()
    time.sleep(0.5)
    assert time.process_time() - used < 0.005  # under 1 % of a core
    watch.finish()


def test_the_calibration_is_long_against_the_timer_and_short_against_a_trial() -> None:
    assert 1 < calibration_ms() < 1000
