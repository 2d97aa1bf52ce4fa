"""Errors for users: what is wrong, where, what to do."""

import pytest

from bench.errors import BenchError, UnknownName


def test_an_error_says_what_is_wrong_and_on_the_next_line_what_to_do() -> None:
    error = BenchError("mnist: the file is cut short.", "Delete it and run: bench data fetch mnist")
    assert str(error) == "mnist: the file is cut short.\n    Delete it and run: bench data fetch mnist"
    assert error.exit_code == 2


def test_an_error_without_advice_is_one_line() -> None:
    assert str(BenchError("nothing to report.")) == "nothing to report."


def test_a_misspelt_name_is_answered_with_the_nearest_one_the_place_and_the_listing() -> None:
    error = UnknownName(
        "data set",
        "fasion-mnist",
        ["mnist", "digits", "fashion-mnist"],
        where="suites/quick.toml, line 7",
        listing="bench list datasets",
    )
    assert error.nearest == "fashion-mnist"
    assert str(error) == (
        "unknown data set 'fasion-mnist' in suites/quick.toml, line 7: did you mean 'fashion-mnist'?\n"
        "    known: mnist, digits, fashion-mnist   (bench list datasets)"
    )


@pytest.mark.parametrize(
    ("name", "meant"),
    [("MNIST", "mnist"), ("emnist", "emnist-letters"), ("emnist-*", "emnist-letters"), ("cancer", "skin-cancer-mnist")],
)
def test_a_part_of_a_name_and_another_case_are_understood(name: str, meant: str) -> None:
    known = ["mnist", "3d-mnist", "emnist-letters", "emnist-balanced", "skin-cancer-mnist"]
    assert UnknownName("data set", name, known).nearest == meant


def test_a_name_near_to_nothing_gets_no_suggestion() -> None:
    error = UnknownName("model", "zzzz", ["mlp", "cnn"])
    assert error.nearest is None
    assert str(error) == "unknown model 'zzzz'\n    known: mlp, cnn"


def test_more_than_eight_known_names_are_cut_with_an_ellipsis() -> None:
    error = UnknownName("model", "x", [f"model-{letter}" for letter in "abcdefghij"])
    assert "model-h, …" in str(error)
    assert "model-i" not in str(error)


def test_no_known_names_are_said_so() -> None:
    assert str(UnknownName("run", "quick", [])).endswith("known: none")
