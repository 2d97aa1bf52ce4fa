"""The devices a framework sees here, probed in a worker process so that this one imports no framework."""

from functools import cache
from typing import Any, cast

from bench.adapters.base import Probe
from bench.adapters.catalog import find_adapter
from bench.case import Case
from bench.runner.local import ask_worker


@cache
def probe(framework: str) -> Probe:
    """Devices, versions and threads of an installed framework; one process for each, once.

    Raises BenchError if the framework cannot be imported.
    """
    environment = find_adapter(framework).environment(Case(dataset="", model="", framework=framework, device="any"))
    answer = cast("dict[str, Any]", ask_worker(["--probe", framework], environment).probe)
    return Probe(tuple(answer["devices"]), answer["versions"], answer["threads"], tuple(answer["accelerators"]))
