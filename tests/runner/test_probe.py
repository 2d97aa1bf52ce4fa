"""A framework's devices are probed once, in a separate process."""

import sys

import pytest

from bench.errors import BenchError
from bench.runner import probe as probing
from bench.runner.expand import Expansion
from bench.runner.probe import probe
from bench.runner.request import Request
from tests.runner.small import suite_of


def test_a_framework_is_probed_once_and_not_imported_here(monkeypatch: pytest.MonkeyPatch) -> None:
    first = probe("scikit-learn")
    monkeypatch.setattr(probing, "ask_worker", lambda *_: pytest.fail("asked again"))
    assert probe("scikit-learn") is first
    assert first.devices == ("cpu",)
    assert set(first.versions) == {"scikit-learn"}


def test_a_device_that_pytorch_does_not_see_is_refused_in_words() -> None:
    suite = suite_of({"datasets": ["digits"], "models": ["mlp"], "frameworks": ["pytorch"]})
    with pytest.raises(BenchError) as refused:
        Expansion(suite, Request(devices=("cuda:99",), offline=True)).cases()
    assert str(refused.value).startswith(
        "case 'digits/mlp/pytorch/cuda:99' cannot run here: pytorch sees no device 'cuda:99'.\n    Devices here: cpu"
    )
    assert "torch" not in sys.modules
