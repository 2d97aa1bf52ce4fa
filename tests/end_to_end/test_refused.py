"""User mistakes and the command's response: one message, the right exit code, nothing half done."""

import gzip
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.end_to_end.command import Bench, assert_refused
from tests.end_to_end.own_files import squares

SUITE = """
name = "own"
seeds = 1

[training]
epochs = 2

[[matrix]]
datasets = ["digits"]
models = ["majority"]
frameworks = ["scikit-learn"]
"""


def assert_nothing_was_run(bench: Bench) -> None:
    assert not (bench.folder / "results").exists()


@pytest.mark.parametrize(
    ("option", "name", "said"),
    [
        ("--suite", "smok", ("unknown suite 'smok'", "did you mean 'smoke'?", "bench list suites")),
        ("--dataset", "fasion-mnist", ("unknown data set 'fasion-mnist'", "did you mean 'fashion-mnist'?")),
        ("--model", "random-forrest", ("unknown model 'random-forrest'", "did you mean 'random-forest'?")),
        ("--framework", "pytroch", ("unknown framework 'pytroch'", "did you mean 'pytorch'?")),
        ("--dataset", "omniglot-*", ("unknown data set 'omniglot-*'", "known: ", "bench data list")),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(
    option: str, name: str, said: tuple[str, ...], bench: Bench
) -> None:
    assert_refused(bench("run", option, name), *said)
    assert_nothing_was_run(bench)


def test_an_unknown_device_is_answered_with_those_there_are(bench: Bench) -> None:
    ended = bench("run", "--suite", "smoke", "--model", "mlp-plain", "--framework", "torch", "--device", "cuda:99")
    assert_refused(ended, "digits/mlp-plain/pytorch/cuda:99", "no device 'cuda:99'", "cpu", "bench list devices")
    assert_nothing_was_run(bench)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("seeds = 1", "seeds = = 1"), ("own.toml", "not valid TOML", "line 3")),
        (("seeds = 1", "sedes = 1"), ("own.toml, line 3", "unknown key 'sedes'", "did you mean 'seeds'?")),
        (("epochs = 2", "epoch = 2"), ("own.toml, line 6", "'training.epoch'", "did you mean 'epochs'?")),
        (("seeds = 1", 'seeds = "few"'), ("own.toml, line 3", "seeds", "'few'")),
        (("epochs = 2", "epochs = 0"), ("own.toml, line 6", "training.epochs", "given: 0")),
        (('models = ["majority"]', "models = []"), ("own.toml, line 10", "models")),
        (("[[matrix]]", "[matrix]"), ("own.toml, line 8", "matrix")),
        (('["majority"]', '["majorty"]'), ("unknown model 'majorty'", "did you mean 'majority'?", "own")),
        (('["digits"]', '["digts"]'), ("unknown data set 'digts'", "did you mean 'digits'?", "own")),
        (('["scikit-learn"]', '["sickit-learn"]'), ("unknown framework 'sickit-learn'", "'scikit-learn'?", "own")),
    ],
)
def test_a_fault_in_a_suite_file_is_named_with_file_and_line_or_key(
    change: tuple[str, str], said: tuple[str, ...], bench: Bench
) -> None:
    assert SUITE.count(change[0]) == 1
    (bench.folder / "own.toml").write_text(SUITE.replace(*change))
    assert_refused(bench("run", "--suite", "own.toml"), *said)
    assert_nothing_was_run(bench)


def test_a_suite_that_expands_to_nothing_is_refused(bench: Bench) -> None:
    (bench.folder / "own.toml").write_text(SUITE.replace('["scikit-learn"]', '["pytorch"]'))
    assert_refused(bench("run", "--suite", "own.toml"), "nothing to run", "own", "no framework can run any of its")
    assert_nothing_was_run(bench)


def test_a_selection_that_leaves_nothing_of_a_suite_is_refused_with_its_options(bench: Bench) -> None:
    ended = bench("run", "--suite", "smoke", "--model", "majority", "--framework", "pytorch")
    assert_refused(ended, "nothing to run", "smoke", "--model majority", "--framework pytorch")


def test_a_suite_file_that_is_not_there_is_refused(bench: Bench) -> None:
    assert_refused(bench("run", "--suite", "./mine.toml"), "no suite file './mine.toml'", "bench list suites")


NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def write_mnist(folder: Path) -> None:
    """Twenty training and ten test images in MNIST's four files, written byte by byte."""
    folder.mkdir(parents=True)
    for part, rows in (("train", 20), ("t10k", 10)):
        pixels = bytes(index % 251 for index in range(rows * 28 * 28))
        labels = bytes(index % 10 for index in range(rows))
        images = struct.pack(">4I", 2051, rows, 28, 28) + pixels
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(struct.pack(">2I", 2049, rows) + labels))


def wrong_magic(content: bytes) -> bytes:
    return gzip.compress(struct.pack(">I", 1234) + gzip.decompress(content)[4:])


def truncated(content: bytes) -> bytes:
    return gzip.compress(gzip.decompress(content)[:-4])


def trailing_bytes(content: bytes) -> bytes:
    return gzip.compress(gzip.decompress(content) + b"more")


def one_image_less(content: bytes) -> bytes:
    plain = gzip.decompress(content)
    return gzip.compress(plain[:4] + struct.pack(">I", 19) + plain[8 : -28 * 28])


def label_out_of_range(content: bytes) -> bytes:
    return gzip.compress(gzip.decompress(content)[:-1] + b"\x0a")


def broken_gzip(content: bytes) -> bytes:
    return content[: len(content) // 2] + bytes(20) + content[len(content) // 2 + 20 :]


@pytest.mark.parametrize(
    ("name", "break_it", "said"),
    [
        (NAMES[0], wrong_magic, ("magic number 1234", "2051")),
        (NAMES[0], truncated, ("15,692 bytes", "15,696 expected", "cut short")),  # 16 + 20 * 28 * 28
        (NAMES[3], trailing_bytes, ("22 bytes", "18 expected", "4 too many")),  # 8 + 10
        (NAMES[0], one_image_less, ("19 images", "20 labels")),
        (NAMES[1], label_out_of_range, ("label 10", "row 19", "0 to 9 expected")),
        (NAMES[0], broken_gzip, ("broken gzip",)),
    ],
)
def test_a_broken_idx_file_in_the_users_folder_is_refused_by_name(
    name: str, break_it: Callable[[bytes], bytes], said: tuple[str, ...], bench: Bench
) -> None:
    folder = bench.folder / "data" / "mnist"
    write_mnist(folder)
    file = folder / f"{name}.gz"
    file.write_bytes(break_it(file.read_bytes()))
    ended = bench("run", "--suite", "smoke", "--dataset", "mnist", "--model", "majority", "--data-dir", "data")
    assert_refused(ended, f"mnist: {file.name} ", *said, "bench data fetch mnist")
    assert_nothing_was_run(bench)


def test_the_files_that_the_broken_ones_are_made_of_run_and_are_called_other_than_the_published(bench: Bench) -> None:
    write_mnist(bench.folder / "data" / "mnist")
    ended = bench("run", "--suite", "smoke", "--dataset", "mnist", "--model", "majority", "--data-dir", "data")
    assert ended.returncode == 0, ended.stderr
    assert "other data than published" in ended.stdout


class Payload:
    """Unpickling it leaves a file behind."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.trace),)


@pytest.mark.parametrize("whole", [False, True], ids=["an array of objects", "a pickle under the name of an archive"])
def test_an_npz_with_a_pickle_is_refused_and_the_pickle_does_not_run(whole: bool, bench: Bench) -> None:
    trace, file = bench.folder / "unpickled", bench.folder / "mine.npz"
    if whole:
        file.write_bytes(pickle.dumps(Payload(trace)))
    else:
        images, labels = squares(30, 0)
        objects = np.array([Payload(trace), *labels[1:]], dtype=object)
        np.savez(file, images=images, labels=objects, allow_pickle=True)
    ended = bench("run", "--suite", "smoke", "--dataset", "./mine.npz", "--model", "majority")
    assert_refused(ended, "mine.npz", "is not an npz archive" if whole else "a pickle")
    assert not trace.exists()
    assert_nothing_was_run(bench)
    pickle.loads(file.read_bytes() if whole else pickle.dumps(objects))
    assert trace.exists(), "the payload would have run, had it been unpickled"


def test_results_below_a_file_are_refused_by_its_name(bench: Bench) -> None:
    (bench.folder / "notes.txt").write_text("mine")
    ended = bench("run", "--suite", "smoke", "--model", "majority", "--results", "notes.txt/runs")
    assert_refused(ended, "notes.txt' is a file", "--results")
    assert (bench.folder / "notes.txt").read_text() == "mine"


def test_a_report_written_below_a_file_is_refused(bench: Bench) -> None:
    assert bench("run", "--suite", "smoke", "--model", "majority").returncode == 0
    (bench.folder / "notes.txt").write_text("mine")
    ended = bench("report", "--format", "csv", "--output", "notes.txt/table.csv")
    assert_refused(ended, "notes.txt/table.csv", "--output")


@pytest.mark.parametrize(
    ("reference", "source", "said"),
    [
        ("./gone.py:Net", None, ("no file './gone.py'",)),
        ("./net.py:Net", "def net(shape, classes):\n    return (\n", ("net.py, line 2", "not valid Python")),
        ("./net.py:Nett", "class Net: ...\n", ("net.py defines no 'Nett'", "Net")),
        ("./net.py", "class Net: ...\n", ("net.py has none of the functions", "net.py:Net")),
        ("./net.py:Net", "class Net: ...\n", ("cannot tell which framework 'Net' is for",)),
    ],
)
def test_a_model_file_that_builds_nothing_is_refused_before_anything_runs(
    reference: str, source: str | None, said: tuple[str, ...], bench: Bench
) -> None:
    if source is not None:
        (bench.folder / "net.py").write_text(source)
    assert_refused(bench("run", "--suite", "smoke", "--model", reference), *said)
    assert_nothing_was_run(bench)


def test_a_data_set_that_is_not_here_and_not_to_be_fetched_is_refused_with_the_way_to_get_it(bench: Bench) -> None:
    ended = bench("run", "--suite", "smoke", "--dataset", "mnist", "--model", "majority")
    assert_refused(ended, "mnist", "offline", "bench data fetch mnist")
    assert_nothing_was_run(bench)


def test_a_data_folder_that_is_not_there_is_refused(bench: Bench) -> None:
    ended = bench("run", "--suite", "smoke", "--dataset", "mnist", "--data-dir", "nowhere")
    assert_refused(ended, "'nowhere' is not there", "--data-dir")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--seeds", "0"), "--seeds"),
        (("run", "--threads", "none"), "--threads"),
        (("run", "--epochs", "-1"), "--epochs"),
        (("run", "--sedes", "3"), "--seeds"),
        (("report", "nothing-of-the-kind"), "unknown run 'nothing-of-the-kind'"),
        (("report",), "no run in"),
        (("run", "--suite", "smoke", "--resume"), "to resume"),
    ],
)
def test_a_wrong_option_is_refused_by_its_name(arguments: tuple[str, ...], said: str, bench: Bench) -> None:
    ended = bench(*arguments)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert_nothing_was_run(bench)
