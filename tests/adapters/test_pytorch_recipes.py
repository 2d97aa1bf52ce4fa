"""PyTorch's recipes in float64 against the formulas of the papers: optimisers, schedules, losses, layers."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.adapters.base import Learner
from bench.adapters.pytorch import PyTorchAdapter
from bench.case import Optimizer
from bench.datasets.dataset import Split
from bench.models.model import CLASSES, BatchNorm, Conv, Dense, Flatten, Network, Relu
from bench.models.networks import CNN_FAST, CNN_NORM, MLP_PLAIN
from tests.adapters.contract import batches, distance
from tests.adapters.reference import Perceptron
from tests.adapters.small import COLOUR, case, fit, images, learner, loss_of, weights_of

EXACT = {"precision": "float64"}
OWN = {"track": "idiomatic", "precision": "float64"}
STEPS = 20

OPTIMIZERS = {
    "sgd": Optimizer(name="sgd", learning_rate=0.05),
    "sgd with decay": Optimizer(name="sgd", learning_rate=0.05, weight_decay=0.3),
    "momentum": Optimizer(name="sgd", learning_rate=0.02, momentum=0.9),
    "nesterov": Optimizer(name="sgd", learning_rate=0.02, momentum=0.9, nesterov=True),
    "nesterov with decay": Optimizer(name="sgd", learning_rate=0.02, momentum=0.9, nesterov=True, weight_decay=0.3),
    "nesterov without momentum": Optimizer(name="sgd", learning_rate=0.02, nesterov=True),
    "adam": Optimizer(learning_rate=0.01, epsilon=1e-3, beta_2=0.99),
    "adam with decay": Optimizer(learning_rate=0.01, epsilon=1e-3, beta_2=0.99, weight_decay=0.3),
    "adamw": Optimizer(name="adamw", learning_rate=0.01, epsilon=1e-3, beta_2=0.99, weight_decay=0.3),
    "rmsprop": Optimizer(name="rmsprop", learning_rate=0.002, rho=0.8, epsilon=1e-5),
    "rmsprop with momentum": Optimizer(name="rmsprop", learning_rate=0.002, epsilon=1e-5, momentum=0.7),
    "rmsprop with decay": Optimizer(name="rmsprop", learning_rate=0.002, epsilon=1e-5, weight_decay=0.3),
    "adadelta": Optimizer(name="adadelta", learning_rate=1.0, rho=0.9, epsilon=1e-4),
    "adadelta with decay": Optimizer(name="adadelta", learning_rate=1.0, epsilon=1e-4, weight_decay=0.03),
}


@pytest.fixture(scope="module")
def adapter() -> PyTorchAdapter:
    adapter = PyTorchAdapter()
    adapter.prepare(case(adapter))
    return adapter


def follow(built: Learner, expected: Perceptron, train: Split) -> None:
    """Both train four passes in batches of 32, the last short, and must stay together to float64's rounding."""
    for epoch in range(4):
        order = np.random.default_rng(epoch).permutation(len(train))
        assert loss_of(built, order) == pytest.approx(expected.train(train, batches(order, 32)), rel=1e-12)
    assert distance(built.weights(), expected.weights) < 1e-12


@pytest.mark.parametrize("scheduled", [False, True], ids=["constant", "scheduled"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_follows_its_paper_at_constant_and_changing_rates(
    adapter: PyTorchAdapter, name: str, scheduled: bool
) -> None:
    """The changing rates climb, fall, and are 0 in between, where momentum goes on alone."""
    optimizer, train, start = OPTIMIZERS[name], images(150), weights_of(MLP_PLAIN)
    shape = np.concatenate([np.linspace(0.1, 1, 8), [0.0, 0.0], np.linspace(1, 1e-6, STEPS - 10)])
    rates = optimizer.learning_rate * shape if scheduled else None
    built = learner(adapter, MLP_PLAIN, train, optimizer=optimizer, rates=rates, weights=start, axes=EXACT)
    expected = Perceptron.start(start, optimizer)
    expected.rates = rates
    follow(built, expected, train)


def test_a_schedule_moves_the_momentum_by_the_rate_of_each_gradient_and_not_of_the_day(
    adapter: PyTorchAdapter,
) -> None:
    """Two steps, the second at a hundredth of the rate: torch's own form would shrink the first's momentum too."""
    optimizer, train, start = OPTIMIZERS["momentum"], images(64), weights_of(MLP_PLAIN)
    rates = np.array([0.02, 0.0002])
    moved = {}
    for track in ("matched", "idiomatic"):
        built = learner(
            adapter, MLP_PLAIN, train, optimizer=optimizer, rates=rates, weights=start, axes={**EXACT, "track": track}
        )
        fit(built, np.arange(64))
        moved[track] = built.weights()
    assert distance(moved["matched"], moved["idiomatic"]) > 1e-4


WEIGHTS = np.linspace(0.2, 3.0, 10)
LOSSES: dict[str, dict[str, Any]] = {
    "smoothing": {"label_smoothing": 0.1},
    "class weights": {"class_weights": WEIGHTS},
    "both": {"label_smoothing": 0.2, "class_weights": WEIGHTS},
    "normalisation": {"mean": 0.3, "std": 0.6},
}


@pytest.mark.parametrize("name", LOSSES)
def test_label_smoothing_class_weights_and_normalisation_follow_their_papers(
    adapter: PyTorchAdapter, name: str
) -> None:
    train, start, sgd, asked = images(150), weights_of(MLP_PLAIN), OPTIMIZERS["sgd"], LOSSES[name]
    recipe = {key: np.array([value]) if key in ("mean", "std") else value for key, value in asked.items()}
    built = learner(adapter, MLP_PLAIN, train, optimizer=sgd, weights=start, axes=EXACT, recipe=recipe)
    expected = replace(Perceptron.start(start, sgd), **asked)
    follow(built, expected, train)
    assert built.predictor(16)(train.images).values == pytest.approx(expected.logits(train.images), rel=1e-11)


def test_settings_say_what_loss_it_is(adapter: PyTorchAdapter) -> None:
    recipe = {"label_smoothing": 0.1, "class_weights": np.ones(10)}
    said = learner(adapter, MLP_PLAIN, images(40), recipe=recipe).settings()["loss"]
    assert said == "cross-entropy on logits, mean over the batch, label smoothing 0.1, samples weighted by class"


def normalised(adapter: PyTorchAdapter, train: Split, axes: dict[str, str]) -> dict[str, NDArray[np.float32]]:
    """The weights of a network of one BatchNorm, after one step of SGD over all rows."""
    network = Network("norm", "", (BatchNorm(momentum=0.75), Flatten(), Dense(CLASSES)))
    start, sgd = weights_of(network, COLOUR), OPTIMIZERS["sgd"]
    built = learner(adapter, network, train, batch_size=64, optimizer=sgd, axes=axes, weights=start)
    fit(built, np.arange(len(train)))
    return built.weights()


def test_moving_statistics_are_the_biased_ones_and_old_ones_keep_their_weight(adapter: PyTorchAdapter) -> None:
    """Seven images, so that dividing by n and by n - 1 shows; all but the channel axis are averaged over."""
    train = images(7, COLOUR)
    before = weights_of(Network("norm", "", (BatchNorm(), Flatten(), Dense(CLASSES))), COLOUR)
    found = normalised(adapter, train, EXACT)
    pixels = train.images.astype(np.float64) / 255
    expected = {"moving_mean": pixels.mean(axis=(0, 1, 2)), "moving_variance": pixels.var(axis=(0, 1, 2))}
    for name, value in expected.items():
        wanted = 0.75 * before[f"norm_1/{name}"].astype(np.float64) + 0.25 * value
        assert found[f"norm_1/{name}"] == pytest.approx(wanted, rel=1e-13)


def test_the_biased_variance_changes_no_gradient_and_torchs_own_is_kept_in_the_idiomatic_track(
    adapter: PyTorchAdapter,
) -> None:
    train = images(7, COLOUR)
    matched, own = normalised(adapter, train, EXACT), normalised(adapter, train, OWN)
    variances = matched.pop("norm_1/moving_variance"), own.pop("norm_1/moving_variance")
    assert distance(matched, own) < 1e-14
    old = weights_of(Network("norm", "", (BatchNorm(), Flatten(), Dense(CLASSES))), COLOUR)["norm_1/moving_variance"]
    count = 7 * 64
    ratio = (variances[1] - 0.75 * old.astype(np.float64)) / (variances[0] - 0.75 * old.astype(np.float64))
    assert ratio == pytest.approx(np.full(3, count / (count - 1)), rel=1e-9)


def convolved(pixels: NDArray[np.float64], kernel: NDArray[np.float64], strides: int) -> NDArray[np.float64]:
    """A plain convolution of padded ``(n, height, width, channels)`` by its definition, window by window."""
    size = kernel.shape[0]
    rows = range(0, pixels.shape[1] - size + 1, strides)
    columns = range(0, pixels.shape[2] - size + 1, strides)
    return np.stack(
        [
            np.stack([np.tensordot(pixels[:, y : y + size, x : x + size], kernel, axes=3) for x in columns], axis=1)
            for y in rows
        ],
        axis=1,
    )


@pytest.mark.parametrize(
    ("side", "kernel", "strides", "padding", "pads"),
    [
        (8, 3, 2, "same", (0, 1)),
        (7, 3, 2, "same", (1, 1)),
        (8, 4, 1, "same", (1, 2)),
        (8, 5, 3, "same", (1, 2)),
        (8, 3, 2, "valid", (0, 0)),
    ],
)
def test_strides_and_padding_are_those_of_keras(
    adapter: PyTorchAdapter, side: int, kernel: int, strides: int, padding: str, pads: tuple[int, int]
) -> None:
    """``pads`` as TensorFlow's documentation of padding SAME computes them: the odd one at the end."""
    layers = (Conv(4, kernel, padding=padding, strides=strides), Flatten(), Dense(CLASSES))  # type: ignore[arg-type]
    network, shape = Network("strided", "", layers), (side, side, 3)
    train, weights = images(6, shape), weights_of(network, shape)
    built = learner(adapter, network, train, weights=weights, axes=EXACT)
    exact = {name: value.astype(np.float64) for name, value in weights.items()}
    padded = np.pad(train.images / 255.0, ((0, 0), pads, pads, (0, 0)))
    hidden = convolved(padded, exact["conv_1/kernel"], strides) + exact["conv_1/bias"]
    expected = hidden.reshape(6, -1) @ exact["dense_1/kernel"] + exact["dense_1/bias"]
    assert built.predictor(6)(train.images).values == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("shape", [(9, 2), (6, 5, 4, 2)], ids=["signal", "volume"])
def test_uneven_padding_is_known_along_one_and_three_axes_too(adapter: PyTorchAdapter, shape: tuple[int, ...]) -> None:
    """A kernel that is 1 at its middle picks every second value; with padding at the wrong end it would pick others."""
    layers = (Conv(1, 3, padding="same", strides=2, bias=False), Flatten(), Dense(CLASSES))
    network, train = Network("axes", "", layers), images(5, shape)
    weights = weights_of(network, shape)
    spatial = len(shape) - 1
    middle = np.zeros(weights["conv_1/kernel"].shape, np.float32)
    middle[(1,) * spatial + (0, 0)] = 1
    weights["conv_1/kernel"] = middle
    built = learner(adapter, network, train, weights=weights, axes=EXACT)
    # a side of even length is padded by one at the end alone, an odd one on both sides
    picked = tuple(slice(1 if side % 2 == 0 else 0, None, 2) for side in shape[:-1])
    chosen = train.images[(slice(None), *picked)][..., 0].reshape(5, -1) / 255.0
    expected = chosen @ weights["dense_1/kernel"].astype(np.float64) + weights["dense_1/bias"]
    assert built.predictor(5)(train.images).values == pytest.approx(expected, rel=1e-12)


def test_a_relu_of_its_own_cuts_what_is_below_zero(adapter: PyTorchAdapter) -> None:
    network = Network("cut", "", (Relu(), Flatten(), Dense(CLASSES)))
    train, weights = images(6), weights_of(network)
    recipe = {"mean": np.array([0.5]), "std": np.array([0.25])}
    built = learner(adapter, network, train, weights=weights, axes=EXACT, recipe=recipe)
    inputs = np.maximum((train.images.reshape(6, -1) / 255.0 - 0.5) / 0.25, 0)
    expected = inputs @ weights["dense_1/kernel"].astype(np.float64) + weights["dense_1/bias"]
    assert built.predictor(6)(train.images).values == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("network", [CNN_NORM, CNN_FAST], ids=lambda network: network.name)
def test_networks_with_batchnorm_learn(adapter: PyTorchAdapter, network: Network) -> None:
    train = images(200, (28, 28, 1))
    built = learner(adapter, network, train, optimizer=Optimizer(learning_rate=0.005))
    losses = [loss_of(built, np.random.default_rng(epoch).permutation(200)) for epoch in range(3)]
    assert losses[-1] < 0.5 * losses[0]


def settings_of(adapter: PyTorchAdapter, optimizer: Optimizer, rates: NDArray[np.float64] | None = None) -> object:
    return learner(adapter, MLP_PLAIN, images(40), optimizer=optimizer, rates=rates).settings()["optimizer"]


def test_settings_say_where_epsilon_stands_and_what_decays(adapter: PyTorchAdapter) -> None:
    wanted = {
        "adamw": {"name": "AdamW", "form": "epsilon-hat", "epsilon": 1e-3, "weight_decay": 0.3},
        "rmsprop with decay": {"form": "epsilon inside the root", "rho": 0.9, "weight_decay": 0.3},
        "adadelta": {"name": "Adadelta", "form": "epsilon inside both roots", "weight_decay": 0},
        "nesterov": {"name": "SGD", "nesterov": True, "momentum": 0.9},
    }
    for name, constants in wanted.items():
        found = settings_of(adapter, OPTIMIZERS[name])
        assert isinstance(found, dict)
        assert found | constants == found
        assert (found.get("decay") == "decoupled, kernels alone") == bool(constants.get("weight_decay"))
    scheduled = settings_of(adapter, OPTIMIZERS["nesterov"], np.array([0.02, 0.01]))
    assert isinstance(scheduled, dict)
    assert scheduled["momentum_form"] == "rate inside"


def torchs_own(optimizer: Optimizer) -> object:
    """The optimiser as torch's users write it."""
    import torch

    torch_optimizers = {
        "sgd": lambda w: torch.optim.SGD(w, lr=0.02, momentum=0.9, nesterov=True, weight_decay=0.3),
        "adam": lambda w: torch.optim.Adam(w, lr=0.01, betas=(0.9, 0.99), eps=1e-3, weight_decay=0.3),
        "adamw": lambda w: torch.optim.AdamW(w, lr=0.01, betas=(0.9, 0.99), eps=1e-3, weight_decay=0.3),
        "rmsprop": lambda w: torch.optim.RMSprop(w, lr=0.002, alpha=0.9, eps=1e-5, weight_decay=0.3),
        "adadelta": lambda w: torch.optim.Adadelta(w, lr=1.0, rho=0.9, eps=1e-4, weight_decay=0.03),
    }
    return torch_optimizers[optimizer.name]


@pytest.mark.parametrize(
    "name", ["nesterov with decay", "adam with decay", "adamw", "rmsprop with decay", "adadelta with decay"]
)
def test_the_idiomatic_track_trains_as_a_loop_of_torchs_own(adapter: PyTorchAdapter, name: str) -> None:
    import torch

    train, start, optimizer = images(96), weights_of(MLP_PLAIN), OPTIMIZERS[name]
    built = learner(adapter, MLP_PLAIN, train, optimizer=optimizer, weights=start, axes=OWN)
    fit(built, np.arange(96))
    net = torch.nn.Sequential(torch.nn.Linear(64, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10)).double()
    with torch.no_grad():
        for layer, number in ((net[0], 1), (net[2], 2)):
            layer.weight.copy_(torch.from_numpy(start[f"dense_{number}/kernel"].T.copy()))
            layer.bias.copy_(torch.from_numpy(start[f"dense_{number}/bias"]))
    own = torchs_own(optimizer)(net.parameters())  # type: ignore[operator]
    pixels, labels = torch.from_numpy(train.images.reshape(96, -1) / 255.0), torch.from_numpy(train.labels)
    for batch in range(0, 96, 32):
        own.zero_grad()
        torch.nn.functional.cross_entropy(net(pixels[batch : batch + 32]), labels[batch : batch + 32]).backward()
        own.step()
    found = built.weights()
    for layer, number in ((net[0], 1), (net[2], 2)):
        assert found[f"dense_{number}/kernel"] == pytest.approx(layer.weight.detach().numpy().T, abs=1e-13)
        assert found[f"dense_{number}/bias"] == pytest.approx(layer.bias.detach().numpy(), abs=1e-13)
