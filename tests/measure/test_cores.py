"""Cores: affinity and quotas count, not what the machine has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import bench.measure.cores
from bench.measure.cores import cgroup_quota, usable_cores

ROOT = Path(bench.measure.cores.__file__).parents[2]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_smallest_quota_of_a_cgroup_and_its_ancestors_counts(tmp_path: Path) -> None:
    write(tmp_path / "proc/self/cgroup", "0::/slice/job\n")
    write(tmp_path / "sys/fs/cgroup/slice/job/cpu.max", "max 100000\n")
    write(tmp_path / "sys/fs/cgroup/slice/cpu.max", "250000 100000\n")
    assert cgroup_quota(tmp_path) == 2.5
    write(tmp_path / "sys/fs/cgroup/slice/job/cpu.max", "150000 100000\n")
    assert cgroup_quota(tmp_path) == 1.5


def test_a_container_that_sees_its_own_cgroup_as_the_root_is_understood(tmp_path: Path) -> None:
    write(tmp_path / "proc/self/cgroup", "0::/\n")
    write(tmp_path / "sys/fs/cgroup/cpu.max", "200000 100000\n")
    assert cgroup_quota(tmp_path) == 2.0


def test_a_quota_of_cgroup_version_1_is_understood(tmp_path: Path) -> None:
    write(tmp_path / "proc/self/cgroup", "4:memory:/docker/ab\n3:cpu,cpuacct:/docker/ab\n1:name=systemd:/docker/ab\n")
    write(tmp_path / "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n")  # what a container has mounted
    write(tmp_path / "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n")
    assert cgroup_quota(tmp_path) == 0.5
    write(tmp_path / "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n")
    assert cgroup_quota(tmp_path) is None


def test_no_cgroups_and_unreadable_ones_are_no_limit(tmp_path: Path) -> None:
    assert cgroup_quota(tmp_path) is None
    write(tmp_path / "proc/self/cgroup", "0::/\n")
    write(tmp_path / "sys/fs/cgroup/cpu.max", "something else\n")
    assert cgroup_quota(tmp_path) is None


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no CPU affinity")
def test_a_process_bound_to_one_core_may_use_one() -> None:
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from bench.measure.cores import usable_cores; print(usable_cores())"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout == "1\n"


@pytest.mark.parametrize(("quota", "expected"), [(0.5, 1), (1.0, 1), (1.9, 1)])
def test_a_fraction_of_a_core_is_not_counted(monkeypatch: pytest.MonkeyPatch, quota: float, expected: int) -> None:
    monkeypatch.setattr(bench.measure.cores, "cgroup_quota", lambda: quota)
    assert usable_cores() == expected
