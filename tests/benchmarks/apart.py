"""A round in which every training has a process of its own: a trial as ``bench run`` has it, and a script run alone."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.adapters.catalog import find_adapter
from bench.case import Measuring
from bench.child import module_command, with_this_package
from bench.datasets.catalog import load
from bench.measure.threads import clean_environment
from bench.runner.job import Job
from bench.runner.local import run_job
from bench.runner.rows import capped
from tests.benchmarks.sizes import Both, Request, Round, Size, Trained, script_module

TIMEOUT_S = 600.0
SHORT = Measuring(predict_s=0.01, predict_passes=1, latency_calls=1, latency_s=0.01)
"""Prediction is not what is compared here."""


class Apart:
    """Takes rounds for one framework and model; the rows lie in ``folder`` for the scripts."""

    def __init__(self, request: Request, folder: Path) -> None:
        self._request = request
        self._folder = folder
        self._adapter = find_adapter(request.framework)
        for size in request.sizes:
            self._write_arrays(size)

    def round(self, number: int) -> Round:
        """A trial and a script at each size; the one that goes first changes from round to round."""
        return Round(trained=tuple(self._trained(size, number) for size in self._request.sizes))

    def _trained(self, size: Size, number: int) -> Trained:
        found: dict[str, dict[str, float]] = {}
        sides: list[tuple[str, Callable[[], dict[str, float]]]] = [
            ("harness", lambda: self._harness(size, number)),
            ("script", lambda: self._script(size)),
        ]
        for name, run in sides if number % 2 == 0 else sides[::-1]:
            found[name] = run()
        both = Both(**{name: figures["epoch_s"] for name, figures in found.items()})
        return Trained(size=size, epoch_s=both, conversion_s=found["script"]["conversion_s"])

    def _harness(self, size: Size, number: int) -> dict[str, float]:
        case = self._request.case(size, size.epochs).model_copy(update={"measuring": SHORT})
        job = Job(
            case=case,
            seed_index=number,
            dataset_folder=self._request.folders[size.dataset],
            model_reference=case.model,
            predictions_path=str(self._folder / "predictions.npz"),
        )
        outcome = run_job(job, self._adapter.environment(case), TIMEOUT_S, lambda _: None)
        if outcome.measured is None:
            raise RuntimeError(f"{case.cell}: {outcome.status}: {outcome.reason}")
        steady = outcome.measured.phases.epochs[1:]
        return {"epoch_s": sum(epoch.seconds for epoch in steady) / len(steady)}

    def _script(self, size: Size) -> dict[str, float]:
        case = self._request.case(size, size.epochs)
        environment = with_this_package(clean_environment(case.threads, self._adapter.environment(case)))
        arguments = (case.model, str(self._arrays(size)), str(size.epochs))
        command = module_command(script_module(case.framework), *arguments)
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S)
        if ended.returncode:
            raise RuntimeError(f"the script for {case.cell} failed: {ended.stderr[-2000:]}")
        figures: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
        return figures

    def _arrays(self, size: Size) -> Path:
        return self._folder / f"{size.dataset}-{size.rows}.npz"

    def _write_arrays(self, size: Size) -> None:
        """The rows that a trial trains on, as a user has them in a file."""
        data = load(Path(self._request.folders[size.dataset]), resident=True)
        train = capped(data.train, size.rows, self._request.fingerprints[size.dataset])
        np.savez(
            self._arrays(size),
            x_train=train.images,
            y_train=train.labels,
            x_test=data.test.images,
            y_test=data.test.labels,
            scale=train.scale,
        )
