"""The neutral networks that ship: layers as data, from the image to the logits."""

from bench.models.model import CLASSES, Conv, Dense, Dropout, Flatten, MaxPool, Network

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
