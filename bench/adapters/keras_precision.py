"""The precision of a case in Keras' terms: its float type, its dtype policy, and whether float64 stays float64."""

from __future__ import annotations

from bench.case import Precision

_POLICIES: dict[Precision, str] = {
    "float32": "float32",
    "bfloat16": "mixed_bfloat16",
    "float16": "mixed_float16",
    "float64": "float64",
}

_shipped: dict[str, str] = {}
"""Keras' own table of narrowed types after promotion, before it was changed."""


def set_precision(precision: Precision) -> None:
    """Build all models from now on in ``precision``; the 16-bit ones are mixed, their weights stay float32.

    Keras promotes types as JAX does without x64: on every backend but TensorFlow, whatever it promotes comes out as
    float32 at most (``keras.backend.result_type("float64", "float32")`` is float32). Under float64 that would compute
    the mean of the losses on torch, and BatchNorm on torch and JAX, in float32. For float64 runs only, the promotion
    is changed to keep float64.
    """
    import keras

    keras.config.set_floatx("float64" if precision == "float64" else "float32")
    keras.config.set_dtype_policy(_POLICIES[precision])
    _keep_float64(precision == "float64")


def _keep_float64(kept: bool) -> None:
    from keras.src.backend.common import dtypes

    narrowed = getattr(dtypes, "BIT64_TO_BIT32_DTYPE", None)
    if isinstance(narrowed, dict):  # private to Keras: a later version without it needs no change
        _shipped.update({name: kind for name, kind in narrowed.items() if name not in _shipped})
        narrowed["float64"] = "float64" if kept else _shipped["float64"]
