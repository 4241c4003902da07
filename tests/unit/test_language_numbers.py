"""Numbers in words are read back as the same numbers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.language.languages import language
from training.language.number_words import NumberWords


@pytest.fixture(scope="module")
def numbers() -> NumberWords:
    return language().rules.numbers


@pytest.mark.parametrize(
    ("value", "way"),
    [
        (0, "zero"),
        (15, "fifteen"),
        (42, "forty-two"),
        (70, "seventy"),
        (100, "a hundred"),
        (130, "one hundred and thirty"),
        (130, "a hundred thirty"),
        (199, "one hundred ninety-nine"),
        (12.5, "twelve point five"),
    ],
)
def test_numbers_are_written_as_people_say_them(numbers: NumberWords, value: float, way: str) -> None:
    assert way in numbers.ways(value)


@settings(deadline=None)
@given(st.integers(0, 1999))
def test_every_way_to_write_a_number_is_read_back(tenths: int) -> None:
    numbers = language().rules.numbers
    for way in numbers.ways(tenths / 10):
        assert numbers.numbers_in(f"Go at {way} km/h, please.") == [tenths / 10], way


def test_figures_and_several_numbers_are_read(numbers: NumberWords) -> None:
    assert numbers.numbers_in("2 lanes over, then twenty-five m at 12.5") == [2, 25, 12.5]
    assert numbers.numbers_in("nobody is often alone") == []
