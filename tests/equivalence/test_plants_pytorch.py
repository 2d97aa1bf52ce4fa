"""Mistakes in PyTorch's adapter about its work and its answers: each is found, by the checks of work or a trial."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.adapters.base import Adapter, Epoch
from bench.adapters.pytorch import PyTorchAdapter
from bench.case import Training
from bench.equivalence.proof import gradient_proof
from tests.equivalence import plants
from tests.equivalence.plants import (
    adapter_of,
    assert_named,
    fault_of_trial,
    found_in_dropout,
    found_in_work,
    missed,
    proof,
)

pytestmark = pytest.mark.own_process("planted lies")

Make = Callable[[], Adapter]
READY: dict[str, Any] = {}
"""Images kept in a global by a careless module."""


def wrong(*, asked: Any = plants.unchanged, built: Callable[[Any], None] = lambda learner: None) -> Make:
    return lambda: adapter_of(PyTorchAdapter, asked=asked, built=built)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Settings of the process, and what was kept, are let go of after each test."""
    import torch

    stop.clear()
    yield
    stop.set()
    READY.clear()
    torch.set_num_threads(1)
    torch.set_float32_matmul_precision("highest")


stop = threading.Event()


def converted(learner: Any) -> Any:
    return learner._pixels.inputs(learner._source.images, copy=True)


def as_one_axis(learner: Any) -> None:
    learner._flat = converted(learner).reshape(-1)


def in_a_global(learner: Any) -> None:
    READY["images"] = converted(learner)


def in_a_thread(learner: Any) -> None:
    """A thread that converts ahead, and waits to be asked."""

    def convert() -> None:
        images = converted(learner)
        stop.wait(60)
        del images

    threading.Thread(target=convert, name="converting ahead").start()


def in_a_file(folder: Path) -> Callable[[Any], None]:
    """Converted images in a file, for faster starts."""

    def built(learner: Any) -> None:
        path = folder / "images.npy"
        for part in learner._source.images.split(10_000):
            np.save(path, learner._pixels.inputs(part, copy=True).numpy())

    return built


def warmed_up(learner: Any) -> None:
    """A step in the build, after which the weights are put back."""
    kept = {name: value.clone() for name, value in learner._module.state_dict().items()}
    learner.train([Epoch(np.arange(learner.size_of_batch), (1,))], lambda: None)
    learner.progress()
    learner._step = 0
    learner._module.load_state_dict(kept)


def more_threads(learner: Any) -> None:
    import torch

    torch.set_num_threads(2)


def shorter_products(learner: Any) -> None:
    import torch

    torch.set_float32_matmul_precision("medium")


def every_second_batch_beyond_a_thousand_rows(order: plants.Rows, size: int) -> plants.Rows:
    if len(order) <= 1000:
        return order
    return np.concatenate(np.split(order, range(size, len(order), size))[::2])


WORK: dict[str, tuple[Make, str]] = {
    "all rows are answered at once": (
        wrong(built=plants.all_at_once),
        "answers 256 rows in batches of 128, which its model is given in 1 calls",
    ),
    "images are converted in the build, as one axis": (
        wrong(built=as_one_axis),
        "holds its images converted to float32",
    ),
    "images are converted in the build, in a global": (
        wrong(built=in_a_global),
        "holds its images converted to float32",
    ),
    "a thread converts ahead": (
        wrong(built=in_a_thread),
        "starts a thread in its build that keeps running: converting ahead",
    ),
    "a step is taken in the build": (wrong(built=warmed_up), "trains in its build"),
    "threads are doubled in the build": (wrong(built=more_threads), "threads are 2 where 1 was asked for"),
    "products may be computed in fewer digits": (
        wrong(built=shorter_products),
        "tf32 is True where False was asked for",
    ),
    "float64 is computed": (
        wrong(asked=plants.other_case(precision="float64")),
        "weights are float64 where float32 was asked for",
    ),
    "every second batch is skipped beyond 1,000 rows": (
        wrong(built=plants.with_orders(every_second_batch_beyond_a_thousand_rows)),
        "rows are left out",
    ),
    "training ends with the third epoch": (wrong(built=plants.with_orders(plants.nothing_after(3))), "in epoch 4"),
    "half of the rows are answered": (
        wrong(built=plants.predicting(plants.half_copied)),
        "of which its model sees 128",
    ),
    "decisions alone are zeros": (
        wrong(built=plants.predicting(plants.zeros_for_decisions)),
        "decisions alone, of which its model sees 0",
    ),
    "answers are kept by the bytes of a row": (
        wrong(built=plants.predicting(plants.kept_by_row())),
        "of which its model sees 0",
    ),
}


@pytest.mark.parametrize("mistake", WORK)
def test_a_mistake_in_the_work_is_found_and_named(mistake: str) -> None:
    make, words = WORK[mistake]
    assert_named(found_in_work(make()), words)


def test_converted_images_in_a_file_are_found_by_what_is_written(tmp_path: Path) -> None:
    found = found_in_work(wrong(built=in_a_file(tmp_path))())
    assert any("MiB to files while it is built" in one for one in found), found


def dropout(forward: Callable[[Any, Any], Any]) -> Callable[[Any], None]:
    """Dropout by ``forward`` of the module and its inputs."""

    def built(learner: Any) -> None:
        import torch

        class Other(torch.nn.Dropout):  # type: ignore[misc]
            def forward(self, values: Any) -> Any:
                return forward(self, values)

        for module in learner._module.modules():
            if isinstance(module, torch.nn.Dropout):
                module.__class__ = Other

    return built


def off_for_batches(module: Any, values: Any) -> Any:
    import torch

    return torch.nn.functional.dropout(values, module.p, module.training and len(values) == 1)


def seeded_in_each_step(module: Any, values: Any) -> Any:
    import torch

    torch.manual_seed(0)
    return torch.nn.functional.dropout(values, module.p, module.training)


def whole_channels(module: Any, values: Any) -> Any:
    import torch

    drop = torch.nn.functional.dropout2d if values.ndim == 4 else torch.nn.functional.dropout
    return drop(values, module.p, module.training)


def second_left_out(learner: Any) -> None:
    import torch

    found = [module for module in learner._module.modules() if isinstance(module, torch.nn.Dropout)]
    for module in found[1:]:
        module.p = 0.0


def left_in_evaluation(learner: Any) -> None:
    """``model.train()`` forgotten after what is predicted between two stretches."""
    learner.predictor(2)
    module = learner._module
    own = module.train
    calls: list[bool] = []

    def train(mode: bool = True) -> Any:
        calls.append(mode)
        return own(mode) if len(calls) == 1 or not mode else module

    module.train = train


DROPOUT: dict[str, tuple[Make, str]] = {
    "off for more than one row": (wrong(built=dropout(off_for_batches)), "drops 0.0% of"),
    "the same seed in each step": (
        wrong(built=dropout(seeded_in_each_step)),
        "drops the same inputs in every step",
    ),
    "whole channels are dropped": (wrong(built=dropout(whole_channels)), "drops whole channels"),
    "the second of two is left out": (wrong(built=second_left_out), "scales what stays by 2: 4 expected"),
    "off after the first evaluation": (wrong(built=left_in_evaluation), "drops"),
}


@pytest.mark.parametrize("mistake", DROPOUT)
def test_a_mistake_in_dropout_is_found_and_named(mistake: str) -> None:
    make, words = DROPOUT[mistake]
    assert_named(found_in_dropout(make()), words)


TRIAL: dict[str, tuple[Make, str]] = {
    "the weights of the first epoch are restored": (
        wrong(built=plants.first_weights_restored),
        "its weights are others when its training has returned than after its last batch",
    ),
    "training waits until its loss is asked for": (wrong(built=plants.trains_when_asked), "it trains off the clock"),
    "three of four batches are skipped": (
        wrong(built=plants.with_orders(plants.one_of_four_batches)),
        "epoch 1 trained 300 rows, 1,300 were given",
    ),
    "images are converted in the build, in a global": (
        wrong(built=in_a_global),
        "holds its images converted to float32",
    ),
    "batches are gathered in the build": (wrong(built=plants.gathered_in_build), "holds 2 copies of its images"),
    "half of the rows are answered": (
        wrong(built=plants.predicting(plants.half_copied)),
        "what is timed is not what is scored",
    ),
    "decisions alone are zeros": (
        wrong(built=plants.predicting(plants.zeros_for_decisions)),
        "what is timed is not what is scored",
    ),
    "answers are kept by their number": (
        wrong(built=plants.predicting(plants.kept_by_length)),
        "what is timed is not what is scored",
    ),
    "answers are kept by the bytes of a row": (
        wrong(built=plants.predicting(plants.kept_by_row())),
        "its answers do not follow its weights",
    ),
    "threads are doubled in the build": (wrong(built=more_threads), "threads are 2 where 1 was asked for"),
    "products may be computed in fewer digits": (
        wrong(built=shorter_products),
        "tf32 is True where False was asked for",
    ),
}


@pytest.mark.parametrize("mistake", TRIAL)
def test_a_mistake_ends_a_trial_and_is_named(mistake: str, tmp_path: Path) -> None:
    make, words = TRIAL[mistake]
    fault = fault_of_trial(make(), tmp_path)
    assert fault is not None
    assert words in fault


@pytest.mark.parametrize("name", ["anomaly detection", "oneDNN off"])
def test_a_switch_that_is_left_on_ends_a_trial_and_is_named(name: str, tmp_path: Path) -> None:
    import torch

    def switch(learner: Any) -> None:
        if name == "oneDNN off":
            torch._C._set_mkldnn_enabled(False)
        else:
            torch.autograd.set_detect_anomaly(True)

    try:
        fault = fault_of_trial(wrong(built=switch)(), tmp_path, "softmax")
    finally:
        torch._C._set_mkldnn_enabled(True)
        torch.autograd.set_detect_anomaly(False)
    assert fault == f"is debugged, which changes what is timed: {name}."


def test_training_when_asked_in_a_later_pause_ends_a_trial(tmp_path: Path) -> None:
    eight = Training(epochs=8, batch_size=100)
    fault = fault_of_trial(wrong(built=plants.trains_when_asked_later)(), tmp_path, "softmax", training=eight)
    assert fault == "its weights change when it is asked for what it has counted: it trains off the clock."


def test_half_the_loss_of_several_batches_is_found_in_the_path_that_is_timed() -> None:
    found = missed(wrong(built=plants.half_the_loss_of_several_batches)(), proof("softmax", "sgd"), named=False)
    assert found is not None
    assert found.quantity == "loss of stretch 2"


@pytest.mark.parametrize("factor", [0.0, 0.5, 0.85, 3.0])
def test_updates_of_another_size_are_found_in_16_bits(factor: float) -> None:
    adapter = wrong(asked=plants.rates(lambda given: factor * given))()
    asked = gradient_proof("mlp-plain", shape=(14, 14, 1))
    found = missed(adapter, asked, "bfloat16")
    assert found is not None
    assert found.quantity == "first update of all weights"
    assert missed(wrong()(), asked, "bfloat16") is None


def test_an_honest_adapter_is_accused_of_nothing(tmp_path: Path) -> None:
    honest = wrong()()
    assert found_in_work(honest) == []
    assert found_in_dropout(honest) == []
    assert fault_of_trial(honest, tmp_path) is None
