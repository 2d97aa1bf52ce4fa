"""Compare Keras, PyTorch and scikit-learn on the MNIST family: accuracy, throughput and memory.

``bench.run("quick")`` runs a suite and ``bench.open_run()`` opens the newest run; both are imported when first
used, so that ``import bench`` costs nothing.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.api import open_run, run

__version__ = "0.1.0"
__all__ = ["__version__", "open_run", "run"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import bench.api

    return getattr(bench.api, name)


def __dir__() -> list[str]:
    return __all__
