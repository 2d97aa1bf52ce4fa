"""Keras' optimisers as ``bench.case.Optimizer`` defines them: Keras' own classes compute just that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bench.adapters.base import TrainingPlan
from bench.case import Optimizer

if TYPE_CHECKING:
    from numpy.typing import NDArray


def make_optimizer(model: Any, plan: TrainingPlan, kernels_alone: bool = True) -> Any:
    """The optimiser of ``plan``; its rates are looked up step by step where they change.

    Weight decay is decoupled in every optimiser of Keras. ``kernels_alone`` keeps it from biases and BatchNorm, which
    Keras' own default does not.
    """
    assert plan.optimizer is not None
    rates = plan.learning_rates
    rate: Any = plan.optimizer.learning_rate
    if rates is not None and len(rates):
        rate = float(rates[0]) if np.ptp(rates) == 0 else _schedule(rates)
    optimizer = _optimizer(plan.optimizer, rate)
    if plan.optimizer.weight_decay and kernels_alone:
        others = [variable for variable in model.trainable_variables if not variable.name.endswith("kernel")]
        optimizer.exclude_from_weight_decay(var_list=others)
    return optimizer


def _optimizer(constants: Optimizer, rate: Any) -> Any:
    from keras import optimizers

    decay = constants.weight_decay or None
    match constants.name:
        case "sgd":
            return optimizers.SGD(rate, constants.momentum, constants.nesterov, weight_decay=decay)
        case "adam":
            return optimizers.Adam(rate, constants.beta_1, constants.beta_2, constants.epsilon, weight_decay=decay)
        case "adamw":
            return optimizers.AdamW(rate, constants.weight_decay, constants.beta_1, constants.beta_2, constants.epsilon)
        case "rmsprop":
            return optimizers.RMSprop(rate, constants.rho, constants.momentum, constants.epsilon, weight_decay=decay)
        case "adadelta":
            return optimizers.Adadelta(rate, constants.rho, constants.epsilon, weight_decay=decay)


def _schedule(rates: NDArray[np.float64]) -> Any:
    import keras

    class GivenRates(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
        """Learning rates given step by step."""

        def __init__(self) -> None:
            self._rates = keras.ops.convert_to_tensor(rates.astype(keras.config.floatx()))

        def __call__(self, step: Any) -> Any:
            return keras.ops.take(self._rates, keras.ops.cast(step, "int32"))

        def get_config(self) -> dict[str, object]:
            return {"steps": len(rates), "first": float(rates[0]), "peak": float(rates.max()), "last": float(rates[-1])}

    return GivenRates()


_CONSTANTS = (
    "beta_1",
    "beta_2",
    "rho",
    "epsilon",
    "momentum",
    "nesterov",
    "weight_decay",
    "centered",
    "amsgrad",
    "use_ema",
)


def optimizer_settings(model: Any) -> dict[str, object]:
    """The optimiser's constants as Keras holds them; for a schedule its steps and first, peak and last rate."""
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)  # behind the loss scaling of float16
    schedule = _schedule_of(optimizer)
    rate = schedule["peak"] if schedule else float(np.asarray(optimizer.learning_rate))
    name = type(optimizer).__name__
    form = {"form": "epsilon-hat"} if name in ("Adam", "AdamW") else {}
    constants = {name: getattr(optimizer, name) for name in _CONSTANTS if hasattr(optimizer, name)}
    return {"name": name, "learning_rate": rate, "schedule": schedule, **constants, **form}


def _schedule_of(optimizer: Any) -> dict[str, Any] | None:
    """A schedule's settings; the optimiser's own ``get_config`` would import TensorFlow for them."""
    import keras

    given = vars(optimizer).get("_learning_rate")  # the public attribute is the rate of the step to come
    is_schedule = isinstance(given, keras.optimizers.schedules.LearningRateSchedule)
    return dict(given.get_config()) if is_schedule else None
