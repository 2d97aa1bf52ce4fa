"""The memory of a trial, with a real framework: what is held for a moment is seen."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.adapters.base import Epoch
from bench.adapters.pytorch import PyTorchAdapter
from bench.models.catalog import find_model
from bench.record import Memory
from bench.runner.trial import Trial
from tests.equivalence.plants import adapter_of
from tests.runner.small import job

pytestmark = pytest.mark.own_process("memory of a trial")

KNOWN_MIB = 300


def held_for_a_moment(learner: Any) -> None:
    """300 MiB for 20 ms of the training."""
    train = learner.train

    def trained(epochs: Iterable[Epoch], pause: Callable[[], None]) -> None:
        held = np.ones(KNOWN_MIB * 2**20, np.uint8)
        time.sleep(0.02)
        del held
        train(epochs, pause)

    learner.train = trained


def unchanged(learner: Any) -> None:
    """The honest adapter."""


def memory(folder: Path, change: Callable[[Any], None]) -> Memory:
    adapter = adapter_of(PyTorchAdapter, built=change)
    return Trial(job(folder, "softmax"), adapter, find_model("softmax"), lambda _: None).run().memory


def test_memory_held_for_20_ms_is_reported_within_5_percent(tmp_path: Path) -> None:
    memory(tmp_path, unchanged)  # the runtime is there from the first trial on
    honest, more = memory(tmp_path, unchanged), memory(tmp_path, held_for_a_moment)
    grown = more.phase_peak_mib["train"] - honest.phase_peak_mib["train"]
    assert grown == pytest.approx(KNOWN_MIB, rel=0.05)
    assert more.model_mib - honest.model_mib == pytest.approx(KNOWN_MIB, rel=0.05)
