"""``mnist``: 70,000 handwritten digits, 28x28."""

from bench.datasets.download import Bundle, RemoteFile
from bench.datasets.mnist_like import MnistLike, idx_bundle


class Mnist(MnistLike):
    """LeCun, Cortes and Burges' handwritten digits."""

    name = "mnist"
    title = "MNIST"
    licence = "CC BY-SA 3.0"
    citation = "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Proceedings of the IEEE 86(11), 1998"
    class_names = tuple("0123456789")
    rows = (60_000, 10_000)
    folders = ("mnist", "MNIST", "MNIST/raw", "mnist/raw", "mnist_png", "mnist-png", "52667")
    npz_files = ("mnist.npz",)
    arff_files = ("mnist_784.arff", "52667")  # OpenML's data set 554, version 1: its file, and that file's number
    fingerprints = frozenset({"45f218d174e3084faa7b4bede8d6e6a19ecc30a9b622e595f198f1ed4b2d5051"})
    downloads = (
        # Sizes and hashes: torchvision 0.29.2 (datasets/mnist.py) and tensorflow-datasets 4.9.10 (url_checksums)
        idx_bundle(
            (
                "https://ossci-datasets.s3.amazonaws.com/mnist/",
                "https://storage.googleapis.com/cvdf-datasets/mnist/",
                "https://kotlindl.s3.amazonaws.com/datasets/mnist/",
            ),
            {
                "train-images-idx3-ubyte.gz": (
                    9_912_422,
                    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                ),
                "train-labels-idx1-ubyte.gz": (
                    28_881,
                    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                ),
                "t10k-images-idx3-ubyte.gz": (
                    1_648_877,
                    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                ),
                "t10k-labels-idx1-ubyte.gz": (
                    4_542,
                    "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                ),
            },
        ),
        Bundle(
            (
                RemoteFile(
                    "mnist.npz",
                    ("https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",),
                    11_490_434,
                    "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
                ),
            )
        ),
    )
