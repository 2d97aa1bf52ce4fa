"""The neutral networks that ship: layers as data, from the image to the logits."""

from bench.models.model import CLASSES, BatchNorm, Conv, Dense, Dropout, Flatten, MaxPool, Network, Relu

SOFTMAX = Network(
    "softmax",
    "multinomial logistic regression trained by gradient steps: one dense layer",
    (Flatten(), Dense(CLASSES)),
)

MLP = Network(
    "mlp",
    "one hidden layer of 128 units with dropout 0.2 (TensorFlow's beginner quickstart)",
    (Flatten(), Dense(128, "relu"), Dropout(0.2), Dense(CLASSES)),
)

MLP_PLAIN = Network(
    "mlp-plain",
    "one hidden layer of 128 units, no dropout: scikit-learn's MLPClassifier can be it too",
    (Flatten(), Dense(128, "relu"), Dense(CLASSES)),
)

CNN = Network(
    "cnn",
    "two convolutions with pooling, dropout 0.5 (Keras' simple MNIST convnet)",
    (
        Conv(32, 3, "relu"),
        MaxPool(2),
        Conv(64, 3, "relu"),
        MaxPool(2),
        Flatten(),
        Dropout(0.5),
        Dense(CLASSES),
    ),
)

CNN_NORM = Network(
    "cnn-norm",
    "the cnn with BatchNorm behind each convolution, no dropout",
    (
        Conv(32, 3, bias=False),
        BatchNorm(),
        Relu(),
        MaxPool(2),
        Conv(64, 3, bias=False),
        BatchNorm(),
        Relu(),
        MaxPool(2),
        Flatten(),
        Dense(CLASSES),
    ),
)

CNN_FAST = Network(
    "cnn-fast",
    "a small convnet for speed: stride 2 first, BatchNorm, 17,274 parameters on 28x28",
    (
        Conv(16, 5, bias=False, strides=2),
        BatchNorm(momentum=0.9),
        Relu(),
        Conv(32, 3, bias=False),
        BatchNorm(momentum=0.9),
        Relu(),
        MaxPool(2),
        Conv(32, 3, bias=False),
        BatchNorm(momentum=0.9),
        Relu(),
        Flatten(),
        Dense(CLASSES),
    ),
)

CNN_WIDE = Network(
    "cnn-wide",
    "two convolutions, one pooling, a dense layer of 128 (PyTorch's MNIST example)",
    (
        Conv(32, 3, "relu"),
        Conv(64, 3, "relu"),
        MaxPool(2),
        Dropout(0.25),
        Flatten(),
        Dense(128, "relu"),
        Dropout(0.5),
        Dense(CLASSES),
    ),
)

CNN3D = Network(
    "cnn3d",
    "two convolutions of 8 and 16 filters with pooling, a dense layer of 128: small enough for volumes",
    (
        Conv(8, 3, "relu"),
        MaxPool(2),
        Conv(16, 3, "relu"),
        MaxPool(2),
        Flatten(),
        Dense(128, "relu"),
        Dropout(0.5),
        Dense(CLASSES),
    ),
)
