"""How a sentence is read: case, quotes, numbers in words, units."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlingo.instructions.speeds import wished_speed_mps
from simlingo.model.plain_words import plain_words, speeds_mps


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Drive at Fifty KM/H, please", "drive at 13.9 m/s, please"),
        ("go 30 mph", "go 13.4 m/s"),
        ("set 5,5 m/s", "set 5.5 m/s"),
        ("at 50km/h", "at 13.9 m/s"),
        ("faster,50 km/h,now", "faster,13.9 m/s,now"),
        ("1,234 km/h", "1,234 km/h"),
        ("a hundred and twenty kilometres per hour now", "33.3 m/s now"),
        ("one hundred five kph", "29.2 m/s"),
        ("one hundred kmh", "27.8 m/s"),
        ("twenty-five miles an hour", "11.2 m/s"),
        ("ninety nine kilometers an hour", "27.5 m/s"),
        ("eight point three metres a second", "8.3 m/s"),
        ("one meter per second", "1.0 m/s"),
        ("thirty to 40 km/h", "thirty to 11.1 m/s"),
        ("Keep TWENTY metres, at least", "keep 20 m, at least"),
        ("in 30 m, turn left", "in 30 m, turn left"),
        ("follow at 7.5meters", "follow at 7.5 m"),
        ("Overtake the one in front", "overtake the one in front"),
        ("move two lanes over", "move two lanes over"),
        ("I’d like “that” one", 'i\'d like "that" one'),
        ("version 1.2.3 mph", "version 1.2.3 mph"),
        ("Größe ÄÖ 停", "größe äö 停"),
        ("", ""),
    ],
)
def test_measures_are_in_figures_and_speeds_in_metres_a_second(text: str, plain: str) -> None:
    assert plain_words(text) == plain


@given(st.integers(0, 199), st.sampled_from(["km/h", "mph", "m/s", "kilometres per hour", "miles an hour"]))
def test_figures_and_words_are_read_alike(number: int, unit: str) -> None:
    from training.language.languages import language

    numbers = language().rules.numbers
    wanted = speeds_mps(f"{number} {unit}")
    assert len(wanted) == 1
    for way in numbers.ways(float(number)):
        assert speeds_mps(f"Go {way.capitalize()} {unit}!") == pytest.approx(wanted), way
        assert plain_words(f"{way} {unit}") == f"{wanted[0]:.1f} m/s"


@given(st.text(max_size=60))
def test_any_text_is_read_and_reading_it_again_changes_nothing(text: str) -> None:
    assert plain_words(plain_words(text)) == plain_words(text)


def test_a_wish_is_one_speed() -> None:
    assert wished_speed_mps("Fifty kilometres per hour") == pytest.approx(50 / 3.6)
    assert wished_speed_mps("between 30 and 50 km/h, or 20 mph") is None
    assert wished_speed_mps("faster") is None


def test_a_model_reads_words_as_its_configuration_says(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")
    from simlingo.model.config import MINI
    from simlingo.model.language_prompt import InstructionFlag
    from simlingo.model.processor import Processor
    from simlingo.model.tokenizer import PromptTokenizer
    from training.trainer.policies import policy_named
    from training.trainer.tokenizer import train_tokenizer

    train_tokenizer(tmp_path / "tokenizer.json", 1024)
    tokenizer = PromptTokenizer.load(tmp_path / "tokenizer.json")
    assert policy_named("simlingo-mini").model.plain_words
    for plain, told, asked in ((True, "go 13.9 m/s", "is it red?"), (False, "Go FIFTY km/h", "Is it RED?")):
        reads = Processor(replace(MINI, plain_words=plain), tokenizer)
        ids = reads.instruction("", "Go FIFTY km/h", InstructionFlag.SAFETY).ids
        assert f"{told}" in tokenizer.decode(ids)
        answered = reads.question("Is it RED?", answer="Yes, Red.")
        assert f"Q: {asked}" in tokenizer.decode(answered.ids)
        assert "A: Yes, Red." in tokenizer.decode(answered.ids), "answers stay as they are"


def test_a_text_that_is_refused_as_too_long_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody may send one, and a million characters would take a second."""
    from simlingo.contracts import InvalidInputError
    from simlingo.model import processor
    from simlingo.model.config import MINI
    from simlingo.model.language_prompt import InstructionFlag
    from simlingo.model.tokenizer import PromptTokenizer
    from training.trainer.tokenizer import train_tokenizer

    read: list[int] = []
    monkeypatch.setattr(processor, "plain_words", lambda text: read.append(len(text)) or text)
    train_tokenizer(tmp_path / "tokenizer.json", 1024)
    reads = processor.Processor(replace(MINI, plain_words=True), PromptTokenizer.load(tmp_path / "tokenizer.json"))
    for ask in (lambda text: reads.instruction("", text, InstructionFlag.SAFETY), reads.question):
        with pytest.raises(InvalidInputError, match="shorten it"):
            ask("fifty " * 200_000)
        ask("go on")
    assert read == [5, 5]
