"""Numbers show as many digits as are worth reading."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.report import numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (128_143.0, "128,000"),
        (6_543.0, "6,540"),
        (999.6, "1,000"),
        (87.31, "87.3"),
        (9.996, "10.0"),
        (3.1, "3.10"),
        (0.11, "0.110"),
        (0.0, "0"),
    ],
)
def test_three_significant_digits_with_thousands_separators(value: float, text: str) -> None:
    assert numbers.significant(value) == text


@settings(max_examples=200)
@given(st.floats(1e-6, 1e9))
def test_a_rounded_number_is_within_half_a_unit_of_its_third_digit(value: float) -> None:
    assert float(numbers.significant(value).replace(",", "")) == pytest.approx(value, rel=0.005001)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1.00"), (1.976, "1.98"), (9.996, "10.0"), (12.34, "12.3"), (123.4, "123"), (0.5, "0.50"), (0.051, "0.051")],
)
def test_ratios_keep_two_decimals_near_one(value: float, text: str) -> None:
    assert numbers.ratio(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.1119, "0.11"), (0.0113, "0.011"), (1.234, "1.23"), (12.34, "12.3")])
def test_latencies_below_a_millisecond_have_two_digits(value: float, text: str) -> None:
    assert numbers.milliseconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(123.4, "123"), (2.168, "2.17"), (0.4499, "0.450"), (0.0576, "0.058"), (0.00031, "<0.001")]
)
def test_seconds_are_told_to_the_millisecond_at_most(value: float, text: str) -> None:
    assert numbers.seconds(value) == text


def test_shares_are_percent_with_two_decimals() -> None:
    assert numbers.percent(0.99024) == "99.02"
    assert numbers.plus_minus(0.0008) == "±0.08"


def test_counts_agree_with_their_noun() -> None:
    assert numbers.count(1, "case") == "1 case"
    assert numbers.count(1_200, "case") == "1,200 cases"
