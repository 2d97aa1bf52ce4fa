"""Runs of every kind for property tests: any mixture of outcomes, seeds, devices and tracks."""

from hypothesis import strategies as st

from bench.record import Noise
from tests.report.builder import DETERMINISTIC, RunBuilder, case, failure, trial

MODELS = ["mlp", "cnn", "mlp-plain", "random-forest", "knn", "hist-gradient-boosting", "majority"]
FRAMEWORKS = ["pytorch", "keras-tensorflow", "scikit-learn"]
OUTCOMES = ["ok", "partial", "failed", "unavailable", "pending", "marked"]

cells = st.tuples(
    st.sampled_from(["mnist", "fashion-mnist", "a-data-set-of-my-own"]),
    st.sampled_from(MODELS),
    st.sampled_from(FRAMEWORKS),
    st.sampled_from(["cpu", "cuda:0"]),
    st.sampled_from(["matched", "idiomatic"]),
)


@st.composite
def runs(draw: st.DrawFn) -> RunBuilder:
    """A run of up to ten cases, each with an outcome of its own."""
    run = RunBuilder(seeds=draw(st.sampled_from([1, 2, 3, 6])))
    for dataset, model, framework, device, track in draw(st.lists(cells, min_size=1, max_size=10, unique=True)):
        asked = case(dataset, model, framework, device=device, track=track)
        outcome = draw(st.sampled_from(OUTCOMES))
        if outcome == "ok":
            run.ok(asked)
        elif outcome == "marked":
            run.ok(asked, noise=Noise(marks=("other processes used 40 % of a core",)))
        elif outcome == "failed":
            run.failed(asked, "timeout", "no end after 300 s", range(run.seeds))
        elif outcome == "unavailable":
            run.failed(asked, "unavailable", f"{framework} is not installed")
        else:
            run.pending(asked)
            if outcome == "partial" and model not in DETERMINISTIC:
                run.records += [trial(asked, 0), failure(asked, 1, "diverged", "The loss became NaN in epoch 2.")]
    return run
