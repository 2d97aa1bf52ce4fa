"""Makes the environment that `make` works in: `.venv`, with this checkout, all frameworks and the test tools.

Needs nothing but Python. Packages come by uv, many times quicker, which is installed inside the environment; by pip
where uv is not to be had or fails. A framework that cannot be installed is named and left out: the rest works.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

VENV = Path(".venv")
READY = VENV / ".ready"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
FRAMEWORKS = ("scikit-learn", "pytorch", "keras-tensorflow", "keras-torch", "keras-jax")

CUDA_GB, CPU_GB = 8, 4
"""Installed size with torch's CUDA build; and the same less the CUDA libraries and Triton, which a CPU build lacks."""

UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}
"""uv reads no pip settings: what pip is told, uv is told by these variables, unless they are set."""


class Installer(NamedTuple):
    """A command that installs packages, and the environment variables it needs."""

    command: list[str | Path]
    settings: dict[str, str]

    def install(self, target: str, *options: str) -> bool:
        """Install this checkout, so that edits count at once, with the extras ``target`` names."""
        return _run([*self.command, *options, "--editable", target], self.settings)


def main() -> int:
    """Make or renew the environment; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--torch", default="", help="cpu, or another build uv knows; empty: the index's own")
    torch = parser.parse_args().torch or _recorded_torch()
    if not _room_for(torch) or not _made():
        return 1
    READY.unlink(missing_ok=True)
    if not _filled(torch):
        print("The environment could not be set up; the messages above say why.", file=sys.stderr)
        return 1
    READY.write_text(torch)
    return 0


def _recorded_torch() -> str:
    """The build of torch the environment was made with: a renewal keeps it."""
    return READY.read_text().strip() if READY.exists() else ""


def _room_for(torch: str) -> bool:
    """Say how much will be installed; False, with a message, where the disk cannot hold it."""
    cuda = not torch and platform.system() == "Linux" and platform.machine() in {"x86_64", "aarch64"}
    needed = 1 if READY.exists() else CUDA_GB if cuda else CPU_GB
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    if not READY.exists():
        print(f"Setting up .venv with all frameworks: about {needed} GB (free here: {free:.0f} GB).", flush=True)
        if cuda:
            print("    Half of it is CUDA's; without a GPU that can be left out: make bench TORCH=cpu", flush=True)
    if free < needed + 1:
        wanted = f"{needed + 1} GB are needed. Make room, or work on another disk."
        print(f"Only {free:.1f} GB are free here; {wanted}", file=sys.stderr)
    return free >= needed + 1


def _made() -> bool:
    """Make an empty environment with pip, unless there is one."""
    if PYTHON.exists() or _run([sys.executable, "-m", "venv", VENV]):
        return True
    shutil.rmtree(VENV, ignore_errors=True)
    if shutil.which("uv") and _run(["uv", "venv", "--quiet", "--seed", "--python", sys.executable, VENV]):
        return True
    print("An environment could not be made. On Debian and Ubuntu: apt install python3-venv", file=sys.stderr)
    return False


def _filled(torch: str) -> bool:
    """Install everything, by uv if it can be had, else by pip."""
    pip = Installer([PYTHON, "-m", "pip", "install"], {})
    uv = Installer([PYTHON, "-m", "uv", "pip", "install", "--python", PYTHON], _uv_settings())
    uv_here = _run([*pip.command, "--quiet", "--disable-pip-version-check", "uv"])
    if not uv_here:
        print("uv is not to be had here: installing with pip, which takes some minutes.", flush=True)
    if torch:
        if uv_here and _install_all(Installer([*uv.command, "--torch-backend", torch], uv.settings)):
            return True
        print(f"TORCH={torch} cannot be had here: torch comes as the package index has it.", flush=True)
        if not _room_for(""):
            return False
    return (uv_here and _install_what_fits(uv)) or _install_what_fits(pip)


def _install_what_fits(installer: Installer) -> bool:
    """Install all frameworks, or those that can be had; False if not even the base can."""
    if _install_all(installer):
        return True
    if not installer.install(".[frame,dev]"):
        return False
    for extra in FRAMEWORKS:
        if not installer.install(f".[{extra}]"):
            print(f"{extra} cannot be installed here (is there a build for this Python?): it is left out.", flush=True)
    return True


def _install_all(installer: Installer) -> bool:
    """Install everything in the tested versions, else in the newest that fit."""
    if installer.install(".[all,dev]", "--constraint", "constraints.txt"):
        return True
    print("The tested versions cannot be had here: taking others that fit.", flush=True)
    return installer.install(".[all,dev]")


def _uv_settings() -> dict[str, str]:
    """The user's pip settings (index, certificates, proxy) in uv's words, so that both ask the same places."""
    listed = subprocess.run([PYTHON, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    settings = {"UV_INDEX_STRATEGY": "unsafe-best-match"}  # pip's way with several indexes
    for line in listed.stdout.splitlines():
        key, _, value = line.partition("=")
        name = UV_NAMES.get(key.rpartition(".")[2])
        if name:
            settings[name] = value.strip("'\"")
    return {name: value for name, value in settings.items() if name not in os.environ}


def _run(command: list[str | Path], settings: dict[str, str] | None = None) -> bool:
    """Run a command with its output shown; True if it succeeded."""
    return subprocess.run(command, env={**os.environ, **(settings or {})}, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
