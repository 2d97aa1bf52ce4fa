"""Networks run over three spatial axes, and alike, in every framework."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.adapters.catalog import ADAPTERS

ROOT = Path(__file__).parents[2]
NETWORK_FRAMEWORKS = ("pytorch", "keras-tensorflow", "keras-torch", "keras-jax")


@pytest.fixture(scope="module")
def logits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, NDArray[np.float32]]:
    """By framework, each in a process of its own."""
    folder, found = tmp_path_factory.mktemp("logits"), {}
    for name in NETWORK_FRAMEWORKS:
        if ADAPTERS.get(name)().installed().missing:
            continue
        file = folder / f"{name}.npy"
        command = [sys.executable, "-m", "tests.adapters.volume_logits", name, str(file)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr[-3000:]
        found[name] = np.load(file, allow_pickle=False)
    if len(found) < 2:
        pytest.skip("two frameworks are needed, to be held against each other")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1, 2], ids=["cnn-norm before training", "cnn-norm after", "cnn3d before"])
def test_frameworks_agree_on_volumes(logits: dict[str, NDArray[np.float32]], number: int) -> None:
    first, *others = (held[number] for held in logits.values())
    assert first.shape == (24, 10)
    assert np.ptp(first) > 0.01
    for other in others:
        assert np.abs(other - first).max() < 1e-4 * np.abs(first).max()
