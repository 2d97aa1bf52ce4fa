"""PyTorch, Keras and scikit-learn compute the same from equal weights and batches, each in its own process."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.adapters.catalog import ADAPTERS, find_adapter
from bench.measure.threads import clean_environment
from bench.models.model import Network
from bench.models.network import place
from tests.adapters.computed import ANSWERED, OPTIMIZERS, SHAPES, TRAINED
from tests.adapters.small import NETWORKS, case

ROOT = Path(__file__).parents[2]
FRAMEWORKS = ("pytorch", "keras-tensorflow", "scikit-learn")
LIBRARIES = {"jax", "keras", "sklearn", "tensorflow", "torch", "torchvision"}
PERCEPTRONS = ("softmax", "mlp-plain")
Computed = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Computed:
    """Results of each framework, computed in parallel."""
    folder = tmp_path_factory.mktemp("computed")
    processes = {}
    for name in FRAMEWORKS:
        adapter = find_adapter(name)
        processes[name] = subprocess.Popen(
            [sys.executable, "-m", "tests.adapters.computed", name, str(folder / f"{name}.npz")],
            cwd=ROOT,
            env=clean_environment(1, adapter.environment(case(adapter))),
            stderr=subprocess.PIPE,
            text=True,
        )
    for name, process in processes.items():
        _, errors = process.communicate()
        assert process.returncode == 0, f"{name}: {errors[-3000:]}"
    return {name: dict(np.load(folder / f"{name}.npz")) for name in FRAMEWORKS}


def frameworks_of(network: str) -> list[str]:
    return [name for name in FRAMEWORKS if find_adapter(name).lacks(NETWORKS[network]) is None]


def test_the_frameworks_compared_all_ship() -> None:
    assert set(FRAMEWORKS) <= set(ADAPTERS)


@pytest.mark.parametrize("name", NETWORKS)
def test_scikit_learn_is_every_perceptron_and_nothing_else(name: str) -> None:
    expected = FRAMEWORKS if name in PERCEPTRONS else FRAMEWORKS[:2]
    assert frameworks_of(name) == list(expected)


@pytest.mark.parametrize(("name", "shape"), sorted(ANSWERED))
def test_logits_agree_for_the_same_weights(name: str, shape: str, computed: Computed) -> None:
    key = f"logits {name} {shape}"
    expected = computed["pytorch"][key]
    if name in PERCEPTRONS:
        probabilities = computed["scikit-learn"][key]
        largest = np.exp(expected - expected.max(axis=1, keepdims=True))
        assert probabilities == pytest.approx(largest / largest.sum(axis=1, keepdims=True), abs=1e-5)
    assert np.ptp(expected) > 0.1
    assert computed["keras-tensorflow"][key] == pytest.approx(expected, abs=1e-5, rel=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_framework_holds_the_parameters_of_the_placed_network(name: str, shape: str, computed: Computed) -> None:
    network: Network = NETWORKS[name]
    counted = {int(computed[framework][f"parameters {name} {shape}"]) for framework in frameworks_of(name)}
    assert counted == {place(network, SHAPES[shape], 10).parameters}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_framework_holds_the_published_parameters_of_the_networks_on_mnist(
    framework: str, computed: Computed
) -> None:
    """Published counts: Keras' MNIST convnet 34,826, TensorFlow's quickstart 101,770."""
    published = {"mlp-plain": 101_770, "softmax": 7_850}
    if framework != "scikit-learn":
        published |= {"mlp": 101_770, "cnn": 34_826}
    assert {name: int(computed[framework][f"parameters {name} mnist"]) for name in published} == published


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_losses_of_the_perceptron_agree_over_twenty_steps(optimizer: str, computed: Computed) -> None:
    losses = [computed[framework][f"losses mlp-plain {optimizer}"] for framework in FRAMEWORKS]
    assert losses[0][-1] < 0.9 * losses[0][0]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    assert losses[2] == pytest.approx(losses[0], rel=1e-4)


@pytest.mark.parametrize("optimizer", TRAINED["cnn-plain"])
def test_losses_of_the_convnet_agree_over_twenty_steps(optimizer: str, computed: Computed) -> None:
    """Honest convnets differ by 1e-4 to 1e-3 after 20 float32 steps, by rounding alone."""
    expected = computed["pytorch"][f"losses cnn-plain {optimizer}"]
    assert expected[-1] < 0.9 * expected[0]
    assert computed["keras-tensorflow"][f"losses cnn-plain {optimizer}"] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("name", TRAINED)
def test_gradients_agree_in_the_neutral_layout(name: str, computed: Computed) -> None:
    keys = [key for key in computed["pytorch"] if key.startswith(f"gradient {name} ")]
    assert len(keys) >= 4
    for key in keys:
        expected = computed["pytorch"][key]
        scale = float(np.abs(expected).max())
        assert scale > 0
        for framework in frameworks_of(name):
            assert computed[framework][key] == pytest.approx(expected, abs=1e-4 * scale), (framework, key)


@pytest.mark.parametrize(
    ("framework", "others"),
    [
        ("pytorch", {"jax", "keras", "sklearn", "tensorflow"}),
        ("keras-tensorflow", {"torch", "torchvision"}),  # TensorFlow itself imports jax and sklearn where they are
        ("scikit-learn", {"jax", "keras", "tensorflow", "torch", "torchvision"}),
    ],
)
def test_a_worker_imports_no_framework_but_its_own(framework: str, others: set[str], computed: Computed) -> None:
    assert others.intersection(computed[framework]["imported"].tolist()) == set()


def test_importing_every_adapter_imports_no_framework() -> None:
    code = (
        "import sys\nfrom bench.adapters.catalog import ADAPTERS, find_adapter\n"
        "adapters = [find_adapter(name) for name in ADAPTERS]\n"
        "assert all(adapter.installed() for adapter in adapters)\n"
        f"print(sorted({LIBRARIES!r}.intersection(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
