"""A run's environment: hardware, operating system, versions, thread settings; no host or user name, no path."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.measure.cores import usable_cores
from bench.record import Environment


def capture(packages: Iterable[str], threads: Mapping[str, str], accelerators: Iterable[str] = ()) -> Environment:
    """The environment of this machine now.

    ``packages``: distribution names; the installed ones are listed with their versions. ``threads``: the thread
    variables the workers start with (see ``bench.measure.threads.thread_settings``).
    """
    import psutil

    return Environment(
        cpu=cpu_model(),
        cores=usable_cores(),
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        accelerators=tuple(accelerators),
        system=operating_system(),
        machine=platform.machine(),
        python=_python(),
        packages=installed_versions(packages),
        threads=dict(threads),
        governor=governor(),
    )


def cpu_model() -> str:
    """The processor's name as its maker gives it; the instruction set if the system has no name."""
    if sys.platform == "linux":
        name = _linux_cpu(Path("/proc/cpuinfo"))
    elif sys.platform == "darwin":
        name = _macos_cpu()
    elif sys.platform == "win32":
        name = _windows_cpu()
    else:
        name = ""
    return " ".join(name.split()) or platform.processor() or platform.machine()


def operating_system() -> str:
    """Name and release: ``Debian GNU/Linux 13, Linux 6.12.3``.

    Of a Linux kernel's release only the numbers are kept, and whether it is WSL: the rest is free text by its
    builder, and may name a machine.
    """
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}"
    release = platform.release()
    if sys.platform == "win32":
        return f"Windows {release} {platform.version()}"
    if sys.platform != "linux":
        return f"{platform.system()} {release}"
    numbers = re.match(r"\d+(\.\d+)*", release)
    kernel = f"Linux {numbers.group() if numbers else 'of unknown release'}"
    if "microsoft" in release.lower():
        kernel += " (WSL)"
    distribution = _distribution()
    return f"{distribution}, {kernel}" if distribution else kernel


def installed_versions(packages: Iterable[str]) -> dict[str, str]:
    """Versions of those of ``packages`` that are installed, by package metadata alone."""
    versions: dict[str, str] = {}
    for package in sorted(set(packages)):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def governor(cpus: Path = Path("/sys/devices/system/cpu")) -> str | None:
    """The CPU frequency governor, or all of them where cores differ; None if the system gives none."""
    governors: set[str] = set()
    for path in cpus.glob("cpu[0-9]*/cpufreq/scaling_governor"):
        try:
            governors.add(path.read_text().strip())
        except OSError:
            continue
    return ", ".join(sorted(governors)) or None


def _python() -> str:
    name = platform.python_implementation()
    return platform.python_version() if name == "CPython" else f"{platform.python_version()} ({name})"


def _distribution() -> str:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return ""
    return " ".join(filter(None, (release.get("NAME"), release.get("VERSION_ID"))))


def _linux_cpu(cpuinfo: Path) -> str:
    """``model name`` on x86; ``Model`` or ``Hardware`` is the board, the best many ARM kernels give."""
    try:
        text = cpuinfo.read_text()
    except OSError:
        return ""
    fields = dict(reversed([(key.strip(), value.strip()) for key, _, value in _pairs(text)]))
    return fields.get("model name") or fields.get("Model") or fields.get("Hardware") or ""


def _pairs(text: str) -> list[tuple[str, str, str]]:
    return [line.partition(":") for line in text.splitlines() if ":" in line]


def _macos_cpu() -> str:
    command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def _windows_cpu() -> str:
    name = ""
    if sys.platform == "win32":
        import winreg

        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"HARDWARE\DESCRIPTION\System\CentralProcessor\0") as key:
                name = str(winreg.QueryValueEx(key, "ProcessorNameString")[0])
        except OSError:
            pass
    return name
