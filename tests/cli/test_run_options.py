"""The options of ``bench run`` take what a case may have."""

from enum import StrEnum
from typing import Any, get_args

import pytest

from bench.case import ClassWeights, Execution, Input, Precision
from bench.cli.run_options import ExecutionName, InputName, PrecisionName, WeightsName


@pytest.mark.parametrize(
    ("names", "known"),
    [(ExecutionName, Execution), (PrecisionName, Precision), (InputName, Input), (WeightsName, ClassWeights)],
)
def test_an_option_takes_the_values_that_a_case_knows(names: type[StrEnum], known: Any) -> None:
    assert tuple(names) == get_args(known)
