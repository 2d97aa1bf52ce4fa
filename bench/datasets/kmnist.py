"""``kmnist``: 70,000 cursive Japanese characters (kuzushiji) in ten classes, 28x28, in MNIST's files."""

from bench.datasets.mnist_like import MnistLike, idx_bundle


class Kmnist(MnistLike):
    """Kuzushiji-MNIST of the Center for Open Data in the Humanities; classes by the sound of their modern hiragana.

    The files were corrected on 5 February 2019; these are the hashes of the corrected ones.
    """

    name = "kmnist"
    title = "Kuzushiji-MNIST"
    licence = "CC BY-SA 4.0"
    citation = (
        '"KMNIST Dataset" (created by CODH), adapted from "Kuzushiji Dataset" (created by NIJL and others), '
        "doi:10.20676/00000341; T. Clanuwat et al., arXiv:1812.01718, 2018"
    )
    class_names = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
    rows = (60_000, 10_000)
    folders = ("kmnist", "KMNIST", "KMNIST/raw", "kmnist/raw")
    npz_files = ("kmnist.npz",)
    downloads = (
        # Sizes and hashes: tensorflow-datasets 4.9.10 (url_checksums); torchvision 0.29.2 has the same files by MD5
        idx_bundle(
            ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
            {
                "train-images-idx3-ubyte.gz": (
                    18_165_135,
                    "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
                ),
                "train-labels-idx1-ubyte.gz": (
                    29_497,
                    "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
                ),
                "t10k-images-idx3-ubyte.gz": (
                    3_041_136,
                    "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
                ),
                "t10k-labels-idx1-ubyte.gz": (
                    5_120,
                    "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
                ),
            },
        ),
    )
