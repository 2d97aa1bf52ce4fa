"""Two models: one built by the package itself, one named by its class."""

from typing import Any

from bench.models.model import Estimator

LDA = Estimator(
    name="lda",
    description="linear discriminant analysis",
    class_path="sklearn.discriminant_analysis.LinearDiscriminantAnalysis",
)


class SmallTree:
    """A decision tree where scikit-learn runs it, a linear layer where PyTorch does."""

    @staticmethod
    def scikit_learn(seed: int) -> Any:
        from sklearn.tree import DecisionTreeClassifier

        return DecisionTreeClassifier(max_depth=2, random_state=seed)

    @staticmethod
    def pytorch(shape: tuple[int, ...], classes: int) -> Any:
        from torch import nn

        return nn.Sequential(nn.Flatten(), nn.LazyLinear(classes))
