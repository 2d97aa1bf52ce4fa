"""Cores this process may use: in a container or a batch job, fewer than the machine has."""

from __future__ import annotations

import os
from pathlib import Path


def usable_cores() -> int:
    """Cores in this process's affinity, or fewer where a cgroup limits its CPU time; at least 1.

    A fraction of a core is dropped: a thread more than the quota pays for is throttled in the middle of its work.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cgroup_quota()
    return cores if quota is None else max(1, min(cores, int(quota)))


def cgroup_quota(root: Path = Path("/")) -> float | None:
    """CPU limit in cores, the smallest of this process's cgroup and its ancestors; None without a limit.

    Version 2: ``cpu.max`` ("quota period", in microseconds); version 1: ``cpu.cfs_quota_us`` over
    ``cpu.cfs_period_us`` (kernel documentation, admin-guide/cgroup-v2 and scheduler/sched-bwc). ``root`` is where
    ``proc`` and ``sys`` are found.
    """
    quotas = [quota for folder in _cgroup_folders(root) if (quota := _quota(folder)) is not None]
    return min(quotas, default=None)


def _cgroup_folders(root: Path) -> list[Path]:
    """Folders of this process's CPU cgroup, from the innermost out.

    In a container the path named may lie outside what is mounted; the mount itself is then the right one.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    folders: list[Path] = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        mount = root / "sys/fs/cgroup" / ("cpu" if controllers else "")
        inner = mount / path.lstrip("/")
        folders += [inner, *(folder for folder in inner.parents if folder.is_relative_to(mount))]
    return folders


def _quota(folder: Path) -> float | None:
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text().strip()
            period = (folder / "cpu.cfs_period_us").read_text().strip()
        return None if quota in ("max", "-1") else int(quota) / int(period)
    except (OSError, ValueError):
        return None
