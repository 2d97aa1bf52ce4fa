"""The slope of a user's model from two losses, against its framework's gradient."""

from bench.adapters.layer_facts import Subject
from bench.equivalence.diff_trace import draw

STEP = 1e-6


def gradient_and_slope(subject: Subject, shape: tuple[int, ...]) -> tuple[float, float]:
    """Loss gradient and slope in one value of the first kernel, a convolution's of at least 3x3x1x3."""
    inputs = draw(subject.described.layers, shape, 3, 0)
    subject.stop_dropout()
    images, labels = inputs.images[:8], inputs.labels[:8]

    def loss(change: float) -> float:
        kernel = inputs.weights["0/kernel"].copy()
        kernel[1, 1, 0, 2] += change
        subject.load({**inputs.weights, "0/kernel": kernel})
        return subject.gradients(images, labels, "logits")[0]

    slope = (loss(STEP) - loss(-STEP)) / (2 * STEP)
    subject.load(inputs.weights)
    _, gradients = subject.gradients(images, labels, "logits")
    return float(gradients["0/kernel"][1, 1, 0, 2]), slope
