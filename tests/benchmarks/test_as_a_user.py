"""The scripts run by themselves and learn, and a line through epochs is the line they lie on."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from bench.adapters.catalog import find_adapter
from bench.case import Case
from bench.child import module_command, with_this_package
from bench.measure.threads import clean_environment
from tests.adapters.small import images
from tests.benchmarks.figures import intercept
from tests.benchmarks.sizes import FRAMEWORKS, script_module


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_script_runs_by_itself_and_learns(framework: str, tmp_path: Path) -> None:
    adapter = find_adapter(framework)
    if not adapter.installed():
        pytest.skip(f"{', '.join(adapter.installed().missing)} not installed")
    train, test = images(600, (28, 28, 1)), images(100, (28, 28, 1), seed=1)
    arrays = tmp_path / "arrays.npz"
    np.savez(
        arrays, x_train=train.images, y_train=train.labels, x_test=test.images, y_test=test.labels, scale=train.scale
    )
    case = Case(dataset="small", model="mlp-plain", framework=framework)
    ended = subprocess.run(
        module_command(script_module(framework), "mlp-plain", str(arrays), "4"),
        env=with_this_package(clean_environment(1, adapter.environment(case))),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    found = json.loads(ended.stdout.splitlines()[-1])
    assert found["accuracy"] > 0.6  # a guess would be right in a tenth
    assert found["epoch_s"] > 0
    assert found["conversion_s"] > 0


def test_the_line_through_epochs_finds_what_they_take_besides_their_steps() -> None:
    steps = [12, 29, 79, 469]
    assert intercept(steps, [0.004 + 0.0015 * one for one in steps]) == pytest.approx(0.004)
