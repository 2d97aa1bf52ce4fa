"""The command stored with a record runs that trial and no other."""

import shlex
from pathlib import Path
from typing import Any

import pytest

import bench.cli.run
from bench.cli.app import main
from bench.runner.command import Commands
from bench.runner.expand import Expansion, PlannedCase
from bench.runner.request import Request
from bench.suite import read_suite
from tests.runner.small import own_file, suite_file

SUITE = """
    [[matrix]]
    datasets = ["digits"]
    models = ["mlp-plain", "cnn"]
    frameworks = ["pytorch", "keras-tensorflow"]
    [[matrix]]
    datasets = ["digits"]
    models = ["cnn"]
    frameworks = ["pytorch"]
    executions = ["default", "compiled"]
    channels_last = [true]
    [[matrix]]
    datasets = ["digits"]
    models = ["cnn"]
    frameworks = ["pytorch"]
    batch_sizes = [16, 32]
    training = { epochs = 5 }
    [[matrix]]
    track = "idiomatic"
    datasets = ["digits"]
    models = ["cnn"]
    frameworks = ["pytorch"]
    """


def expansion(suite: str, **request: Any) -> Expansion:
    return Expansion(read_suite(suite), Request(suite=suite, offline=True, **request))


def asked_by(command: str, suite: str, monkeypatch: pytest.MonkeyPatch) -> Request:
    """The request that the words of ``command`` make; the suite's file is named in full again."""
    caught: list[Request] = []
    monkeypatch.setattr(bench.cli.run, "_run", lambda request, **_: caught.append(request))
    words = [suite if word == Path(suite).name else word for word in shlex.split(command)[2:]]
    assert main(["run", *words, "--offline"]) == 0
    return caught[0]


def test_every_case_of_a_suite_is_run_alone_by_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = suite_file(tmp_path, SUITE)
    whole = expansion(suite)
    found = whole.cases()
    assert len(found) == 4 + 2 + 2 + 1
    for planned in found:
        request = asked_by(Commands(whole).trial(planned, 3), suite, monkeypatch)
        assert request.only_seeds == (3,)
        assert [one.case for one in whole.narrowed(request).cases()] == [planned.case]


@pytest.mark.parametrize(
    ("request_", "options"),
    [
        ({}, ""),
        ({"precisions": ("bfloat16",)}, " --precision bfloat16"),
        ({"batch_sizes": (24,), "inputs": ("loader",)}, " --input loader --batch-size 24"),
        ({"epochs": 9}, " --epochs 9"),
    ],
)
def test_what_the_suite_does_not_say_the_command_says(request_: dict[str, Any], options: str, tmp_path: Path) -> None:
    suite = suite_file(tmp_path, '[[matrix]]\ndatasets = ["digits"]\nmodels = ["mlp"]\nframeworks = ["pytorch"]')
    whole = expansion(suite, threads=2, **request_)
    (planned,) = whole.cases()
    assert Commands(whole).trial(planned, 0) == (
        "bench run --suite mine.toml --dataset digits --model mlp --framework pytorch --device cpu --threads 2"
        f"{options} --seed 0"
    )


def test_what_cannot_run_here_has_a_command_too(tmp_path: Path) -> None:
    suite = suite_file(
        tmp_path,
        '[[matrix]]\ndatasets = ["digits"]\nmodels = ["mlp"]\nframeworks = ["pytorch"]\nexecutions = ["graph"]',
    )
    whole = expansion(suite, threads=1)
    (planned,) = whole.cases()
    assert planned.blocked == "unsupported"
    assert Commands(whole).trial(planned, 0).endswith("--threads 1 --execution graph --seed 0")


def test_a_users_file_is_named_without_its_folder(tmp_path: Path) -> None:
    net = own_file(tmp_path, "import torch\nclass Net(torch.nn.Module): pass\n")
    whole = expansion("smoke", models=(f"{net}:Net",))
    planned: PlannedCase = whole.cases()[0]
    command = Commands(whole).trial(planned, 0)
    assert "--model net.py:Net " in command
    assert str(tmp_path) not in command
