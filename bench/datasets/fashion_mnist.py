"""``fashion-mnist``: 70,000 pictures of clothes, 28x28, in MNIST's files."""

from bench.datasets.mnist_like import MnistLike, idx_bundle


class FashionMnist(MnistLike):
    """Zalando Research's drop-in replacement for MNIST."""

    name = "fashion-mnist"
    title = "Fashion-MNIST"
    licence = "MIT"
    citation = "H. Xiao, K. Rasul, R. Vollgraf, arXiv:1708.07747, 2017"
    class_names = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )
    rows = (60_000, 10_000)
    folders = (
        *("fashion-mnist", "fashion_mnist", "FashionMNIST", "FashionMNIST/raw", "fashionmnist"),
        *("fashion-mnist-png", "fashion_mnist_png", "18238735"),
    )
    npz_files = ("fashion-mnist.npz", "fashion_mnist.npz")
    # OpenML's data set 40996, version 1: its file, the name it had before, and that file's number
    arff_files = ("Fashion-MNIST.arff", "fashion-mnist.arff", "phpnBqZGZ", "18238735")
    fingerprints = frozenset({"fab9f521da689cc98b836970e3e772dc48792d05d48af3b6f25d3b6f0ef29878"})
    advice = "On Debian and Ubuntu: apt-get install dataset-fashion-mnist"
    downloads = (
        # Sizes and hashes: torchvision 0.29.2 (datasets/mnist.py) and tensorflow-datasets 4.9.10 (url_checksums)
        idx_bundle(
            (
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
                "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
            ),
            {
                "train-images-idx3-ubyte.gz": (
                    26_421_880,
                    "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                ),
                "train-labels-idx1-ubyte.gz": (
                    29_515,
                    "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                ),
                "t10k-images-idx3-ubyte.gz": (
                    4_422_102,
                    "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                ),
                "t10k-labels-idx1-ubyte.gz": (
                    5_148,
                    "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                ),
            },
        ),
    )
