"""Whole runs with real workers: their store, what an interruption leaves, and resuming from there."""

import getpass
import hashlib
import re
import shlex
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from bench.datasets.catalog import load, resolve
from bench.record import Record
from bench.runner.events import Silent
from bench.runner.plan import Plan, PlannedTrial
from bench.runner.request import Request
from bench.runner.run import failed, prepare
from bench.store import RunFolder
from tests.runner.conftest import Alone
from tests.runner.small import own_file, suite_file

SUITE = """
    seeds = 2
    [training]
    epochs = 2
    batch_size = 100
    [[matrix]]
    datasets = ["digits"]
    models = ["majority", "random-forest"]
    frameworks = ["scikit-learn"]
    [[matrix]]
    datasets = ["digits"]
    models = ["mlp-plain"]
    frameworks = ["scikit-learn"]
    [[matrix]]
    datasets = ["mnist"]
    models = ["majority"]
    """

NET = """
    from sklearn.tree import DecisionTreeClassifier
    def tree(seed): return DecisionTreeClassifier(random_state=seed)
    def broken(seed):
        raise OSError("cannot open " + __file__)
        return DecisionTreeClassifier()
    """


class Watching(Silent):
    """Keeps the events."""

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self.told: list[str] = []
        self.remaining: list[float] = []

    def planned(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.told.append("planned")

    def started(self, trial: PlannedTrial, number: int, remaining_s: float) -> None:
        self.told.append(f"started {number}")
        self.remaining.append(remaining_s)

    def phase(self, name: str) -> None:
        self.told.append(name)

    def finished(self, record: Record) -> None:
        self.told.append(record.status)


@dataclass(frozen=True)
class Whole:
    """A run of everything at once, and its observer."""

    folder: RunFolder
    watching: Watching
    place: Path
    request: Request

    def record(self, model: str, seed_index: int = 0) -> Record:
        (found,) = [
            record
            for record in self.folder.records()
            if (record.case.model, record.seed_index, record.case.dataset) == (model, seed_index, "digits")
        ]
        return found


@pytest.fixture(scope="module")
def whole(alone: Alone, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """The suite above with two models of the user's, one of which raises."""
    place = tmp_path_factory.mktemp("secret-place")
    net = own_file(place, NET)
    suite = suite_file(place, SUITE)
    request = Request(
        suite=suite,
        models=("majority", "random-forest", "mlp-plain", f"{net}:tree", f"{net}:broken"),
        threads=1,
        offline=True,
        results=place / "results",
        command="bench run --suite mine.toml",
    )
    with alone():
        watching = Watching()
        yield Whole(prepare(request, watching).start(watching), watching, place, request)


def test_every_case_has_its_trials_and_what_cannot_run_one_record_with_the_reason(whole: Whole) -> None:
    found = {(record.case.cell, record.seed_index): record.status for record in whole.folder.records()}
    digits = "digits/{}/scikit-learn/cpu"
    assert found == {
        (digits.format("majority"), 0): "ok",
        **{(digits.format(name), seed): "ok" for name in ("random-forest", "mlp-plain", "tree") for seed in (0, 1)},
        **{(digits.format("broken"), seed): "error" for seed in (0, 1)},
        **{(f"mnist/{name}/scikit-learn/cpu", 0): "unavailable" for name in ("majority", "tree", "broken")},
    }
    assert failed(whole.folder)


def test_an_estimator_without_a_random_state_runs_once_and_says_so(whole: Whole) -> None:
    assert whole.record("majority").deterministic
    assert not whole.record("random-forest").deterministic


def test_nothing_stored_names_this_machine_or_its_folders(whole: Whole) -> None:
    folders = [str(whole.place), whole.place.name, str(Path.home())]
    absolute = re.compile(r"(?<![\w.])/(?:home|root|tmp|usr|work|var|opt|Users)\b")
    machine = re.compile(rf"\b{re.escape(socket.gethostname())}\b|/{re.escape(getpass.getuser())}\b")
    files = [path for path in whole.folder.path.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".json", ".jsonl", ".npz"}
    for path in files:
        content = path.read_bytes().decode(errors="replace")
        assert [name for name in folders if name in content] == [], path.name
        if path.suffix != ".npz":
            assert absolute.findall(content) + machine.findall(content) == [], path.name


def test_an_error_of_the_users_is_in_its_record_without_the_path(whole: Whole) -> None:
    record = whole.record("broken")
    assert record.reason == "broken: OSError: cannot open net.py (net.py, line 5)"
    assert "cannot open net.py" in record.stderr_tail[-1]
    assert record.phases is None
    assert record.model is None


def test_scores_can_be_computed_again_from_the_predictions_kept(whole: Whole) -> None:
    for name in ("majority", "random-forest", "mlp-plain", "tree"):
        record = whole.record(name)
        assert record.predictions is not None
        assert record.scores is not None
        with np.load(whole.folder.path / record.predictions) as stored:
            assert record.scores.accuracy == pytest.approx(float((stored["truth"] == stored["labels"]).mean()))
            values = next((stored[kind] for kind in ("probabilities", "margins", "logits") if kind in stored), None)
            assert values is not None
            assert record.model is not None
            hashed = hashlib.sha256(stored["labels"].astype("<i8").tobytes() + values.astype("<f4").tobytes())
            assert record.model.predictions_sha256 == hashed.hexdigest()


def test_the_floor_is_the_share_of_the_most_frequent_class(whole: Whole) -> None:
    data = load(resolve("digits", offline=True).folder)
    most = np.bincount(data.train.labels).argmax()
    scores = whole.record("majority").scores
    assert scores is not None
    assert scores.accuracy == pytest.approx(float((data.test.labels == most).mean()))


def test_a_network_keeps_the_curve_of_its_epochs_and_its_first_steps(whole: Whole) -> None:
    record = whole.record("mlp-plain")
    assert record.phases is not None
    assert [step.samples for step in record.phases.first_steps] == [100, 37]
    assert [epoch.samples for epoch in record.phases.epochs] == [1300, 1437]
    losses = [epoch.loss for epoch in record.phases.epochs]
    assert losses[0] is not None
    assert losses[1] is not None
    assert losses[0] > losses[1] > 0
    assert record.model is not None
    assert record.model.parameters == 64 * 128 + 128 + 128 * 10 + 10


def test_every_phase_of_a_record_took_time_and_they_fit_into_the_trial(whole: Whole) -> None:
    for record in whole.folder.records():
        if record.status != "ok":
            continue
        phases = record.phases
        assert phases is not None
        parts = [phases.import_s, phases.load_s, phases.build_s, phases.train_s, phases.evaluate_s]
        predicting = sum(done.seconds for done in phases.predict) + sum(phases.latency_us) / 1e6
        assert min(parts) > 0
        assert len(phases.predict) >= 2
        assert len(phases.latency_us) >= 1
        assert sum(parts) + predicting < record.wall_s
        assert record.memory is not None
        assert record.memory.peak_rss_mib > record.memory.after_import_mib > 10


def test_seeds_give_different_models_and_the_same_seed_the_same(whole: Whole) -> None:
    hashes = [whole.record("mlp-plain", seed).model.final_weights_sha256 for seed in (0, 1)]  # type: ignore[union-attr]
    assert None not in hashes
    assert hashes[0] != hashes[1]


def test_the_reproducing_command_names_files_without_their_folder(whole: Whole) -> None:
    assert whole.record("tree", 1).command == (
        "bench run --suite mine.toml --dataset digits --model net.py:tree --framework scikit-learn "
        "--device cpu --threads 1 --seed 1"
    )


def test_what_is_compared_and_has_no_certificate_is_labelled_not_proved(whole: Whole) -> None:
    labels = {name: whole.record(name).equivalence for name in ("mlp-plain", "majority", "tree")}
    assert labels == {"mlp-plain": "not proved", "majority": "not compared", "tree": "own model"}


def test_records_share_an_environment_that_is_stored_once(whole: Whole) -> None:
    hashes = {record.environment for record in whole.folder.records() if record.status != "unavailable"}
    assert len(hashes) == 1
    assert [path.stem for path in (whole.folder.path / "environments").iterdir()] == list(hashes)


def test_the_threads_in_force_are_those_asked_for(whole: Whole) -> None:
    settings = whole.record("random-forest").settings
    assert settings["thread_pools"]
    assert set(settings["thread_pools"].values()) == {1}  # type: ignore[union-attr]


def test_the_manifest_says_what_was_set_out(whole: Whole) -> None:
    manifest = RunFolder.open(whole.folder.path).manifest
    assert (manifest.suite, manifest.seeds, manifest.command) == ("mine", 2, "bench run --suite mine.toml")
    assert [note.name for note in manifest.datasets] == ["digits"]
    assert len(manifest.cases) == 8
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-mine", manifest.name)


def test_whoever_watches_is_told_of_every_trial_in_order(whole: Whole) -> None:
    told = whole.watching.told
    assert told[:2] == ["planned", "started 1"]
    assert [line for line in told if line.startswith("started")] == [f"started {n}" for n in range(1, 10)]
    assert told.count("ok") == 7
    assert told.count("error") == 2
    remaining = whole.watching.remaining
    assert remaining == sorted(remaining, reverse=True)
    assert remaining[-1] > 0


def test_rounds_are_interleaved_in_the_order_of_the_records(whole: Whole) -> None:
    rounds = [record.round for record in whole.folder.history() if record.status != "unavailable"]
    assert rounds == [0] * 5 + [1] * 4


def test_the_next_plan_knows_how_long_this_run_took(whole: Whole, alone: Alone) -> None:
    plan = prepare(whole.request).plan
    assert plan.measured_before == 7
    seconds = [record.wall_s for record in whole.folder.records() if record.status == "ok"]
    known = sum(trial.estimate_s for trial in plan.trials if trial.planned.case.model != "broken")
    assert known == pytest.approx(sum(seconds), rel=0.5)


def test_a_trial_run_again_by_its_command_gives_the_same_predictions(whole: Whole, tmp_path: Path) -> None:
    """The same words as the stored command, in the folder of its files."""
    first = whole.record("random-forest", 1)
    words = shlex.split(first.command)
    options = dict(zip(words[2::2], words[3::2], strict=True))
    request = Request(
        suite=str(whole.place / options["--suite"]),
        datasets=(options["--dataset"],),
        models=(options["--model"],),
        frameworks=(options["--framework"],),
        devices=(options["--device"],),
        threads=int(options["--threads"]),
        only_seeds=(int(options["--seed"]),),
        offline=True,
        results=tmp_path,
    )
    (again,) = prepare(request).start(Silent()).records()
    assert again.case_id == first.case_id
    assert again.model == first.model
    assert again.scores == first.scores
