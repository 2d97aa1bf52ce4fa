"""The frameworks by name and alias: those that ship and those of other packages' entry points."""

from bench.adapters.base import Adapter
from bench.registry import Registry

ADAPTERS: Registry[type[Adapter]] = Registry(
    "framework",
    "bench.adapters",
    "bench list frameworks",
    {
        "pytorch": "bench.adapters.pytorch:PyTorchAdapter",
        "keras-tensorflow": "bench.adapters.keras_tensorflow:KerasTensorFlowAdapter",
        "keras-torch": "bench.adapters.keras_torch:KerasTorchAdapter",
        "keras-jax": "bench.adapters.keras_jax:KerasJaxAdapter",
        "scikit-learn": "bench.adapters.scikit_learn:ScikitLearnAdapter",
    },
)

ALIASES = {
    "torch": "pytorch",
    "sklearn": "scikit-learn",
    "tensorflow": "keras-tensorflow",
    "tf": "keras-tensorflow",
    "jax": "keras-jax",
    "keras": "keras-*",
}
"""Other common names. ``keras`` means all its backends."""

PREFERRED_REFERENCE = "pytorch"
"""The framework the others are divided by, where the run has it."""


def find_adapter(name: str, *, where: str = "") -> Adapter:
    """The adapter of a framework by its own name. Raises UnknownName, with the nearest, for any other."""
    return ADAPTERS.get(name, where=where)()
