"""The command that proves what a run had no certificate for: as narrow as the run, and no narrower than needed."""

import pytest

from bench.case import Case, Training
from bench.equivalence.command import proving_command


def case(model: str, framework: str, *, trained: bool = True) -> Case:
    training = Training() if trained else None
    return Case(dataset="mnist", model=model, framework=framework, training=training)


CNN, MLP = case("cnn", "pytorch"), case("mlp", "pytorch")
CNN_KERAS = case("cnn", "keras-jax")
FOREST = case("random-forest", "scikit-learn", trained=False)
RUN = (CNN, MLP, CNN_KERAS, FOREST)
NETWORKS = (CNN, MLP, CNN_KERAS)


@pytest.mark.parametrize(
    ("words", "unproved", "expected"),
    [
        ("run", NETWORKS, "bench equivalence --suite quick"),
        ("run --suite all --seeds 3 --resume", NETWORKS, "bench equivalence --suite all"),
        (
            "--debug run --suite=./mine.toml --dataset digits --batch-size 64 --timeout 30 --offline -q",
            NETWORKS,
            "bench equivalence --suite ./mine.toml --dataset digits --batch-size 64 --offline",
        ),
        ("run --threads 1 --channels-last", NETWORKS, "bench equivalence --suite quick --threads 1 --channels-last"),
        ("run", (CNN, MLP), "bench equivalence --suite quick --framework pytorch"),
        ("run", (CNN, CNN_KERAS), "bench equivalence --suite quick --model cnn"),
        (
            "run --framework torch --framework jax",
            (CNN_KERAS,),
            "bench equivalence --suite quick --model cnn --framework keras-jax",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_command_has_what_decides_the_cases_and_what_is_not_proved(
    words: str, unproved: tuple[Case, ...], expected: str
) -> None:
    assert proving_command(words.split(), unproved, RUN) == expected


def test_a_folder_with_a_space_is_quoted() -> None:
    command = proving_command(["run", "--data-dir", "my data"], NETWORKS, RUN)
    assert command == "bench equivalence --suite quick --data-dir 'my data'"
