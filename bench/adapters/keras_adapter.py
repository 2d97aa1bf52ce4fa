"""Keras behind the common interface: one adapter for all backends, each of which is a small file."""

from __future__ import annotations

import random
from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from bench.adapters.base import Adapter, Learner, TrainingPlan
from bench.adapters.keras_backend import KerasBackend
from bench.adapters.keras_input import KerasArrays, KerasInput
from bench.adapters.keras_learner import IdiomaticKerasLearner, KerasLearner
from bench.adapters.keras_model import build_model
from bench.adapters.keras_pixels import Pixels
from bench.adapters.keras_precision import set_precision
from bench.case import Case
from bench.models.model import Model

if TYPE_CHECKING:
    from bench.datasets.dataset import Split


class KerasAdapter(Adapter):
    """Keras on the backend of a subclass, which is chosen before Keras is imported."""

    builder = "keras"
    precisions = ("float32", "bfloat16", "float16", "float64")
    inputs = ("resident", "loader")
    multi_step = True
    idiomatic = True

    @abstractmethod
    def backend(self, case: Case) -> KerasBackend:
        """The backend on the case's device, after ``prepare``."""

    @abstractmethod
    def seed(self, seed: int) -> None:
        """Seed the backend's own random numbers."""

    def build(self, case: Case, model: Model, train: Split, plan: TrainingPlan) -> Learner:
        # not keras.utils.set_random_seed, which would import whatever other framework is installed
        random.seed(plan.seed)  # where a Keras layer without a seed of its own, such as Dropout, draws one
        np.random.seed(plan.seed)  # where Keras shuffles arrays
        self.seed(plan.seed)
        set_precision(case.precision)
        backend = self.backend(case)
        with backend.scope():
            return self._learner(case, model, train, plan, backend)

    def _learner(
        self, case: Case, model: Model, train: Split, plan: TrainingPlan, backend: KerasBackend
    ) -> KerasLearner:
        dtype = "float64" if case.precision == "float64" else "float32"
        pixels = Pixels.of(train.scale, plan.mean, plan.std, dtype)
        idiomatic, loader = case.track == "idiomatic", case.input == "loader"
        built = build_model(model, train, plan.seed, pixels, converted=idiomatic or loader)
        data: KerasArrays | KerasInput
        if loader:
            data = backend.loader(train.images, train.labels, pixels, plan.batch_size)
        elif idiomatic:
            data = KerasArrays(pixels.convert(train.images), train.labels, plan.batch_size)
        else:
            data = backend.resident(train.images, train.labels, plan.batch_size)
        if idiomatic:
            return IdiomaticKerasLearner(built, data, backend, case, plan, pixels)
        learner = KerasLearner(built, data, backend, case, plan)
        if built.placed is not None and plan.initial_weights is not None:
            learner.set_weights(plan.initial_weights)
        return learner


def configure_keras(case: Case) -> None:
    """Import Keras and set what the user's ``keras.json`` might: it must not change what is compared."""
    import keras

    keras.config.set_image_data_format("channels_last")
    keras.config.set_epsilon(1e-7)  # the least probability of the loss on probabilities
    keras.config.disable_interactive_logging()
    set_precision(case.precision)
