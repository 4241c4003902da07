"""Sentences of somebody else: a line each, errors named by line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simlingo.contracts import InvalidInputError
from simlingo.requests import Reason, RequestKind
from training.language.asked import Asked, Speed, SpeedUnit
from training.language.grammar import PLAIN, fitting, say
from training.language.languages import language
from training.language.phrase import KINDS, Form, Group, Phrase, RefusedKind
from training.language.phrases_file import read_phrases


def written(folder: Path, text: str) -> Path:
    file = folder / "phrases.tsv"
    file.write_bytes(text.encode())
    return file


def test_every_kind_of_the_issue_is_read_with_its_slots(tmp_path: Path) -> None:
    lines = [f"{name}\tSay {name} with {{speed}} {{unit}} and {{object}}." for name in KINDS]
    phrases = read_phrases(written(tmp_path, "# mine\n\n" + "\n".join(lines) + "\n"))
    assert [phrase.group.name for phrase in phrases] == [
        *("faster", "slower", "target_speed", "stop", "go", "lane_left", "lane_right", "drive_to", "avoid", "follow"),
        *("overtake", "pull_over", "keep_distance", "turn_left", "turn_right", "straight", "unsafe", "nonsense"),
    ]
    assert phrases[0] == Phrase(
        Group(RequestKind.FASTER),
        Form.OTHER,
        "Say faster with {speed} {unit} and {object}.",
        frozenset({"speed", "unit", "object"}),
    )


def test_lines_of_windows_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    (phrase,) = read_phrases(written(tmp_path, "\ufeffstop\tHalt!\r\n"))
    assert (phrase.group.kind, phrase.text) == (RequestKind.STOP, "Halt!")


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("stop Halt!", "tab"),
        ("stop\t ", "tab"),
        ("halt\tHalt!", "no kind 'halt'"),
        ("faser\tGo!", "did you mean faster"),
        ("target_speed\tdrive at {sped} {unit}", "did you mean speed"),
        ("target_speed\tdrive at {speed {unit}", "broken slot"),
        ("target_speed\tdrive at {} {unit}", "broken slot"),
        ("target_speed\tdrive at the usual pace", "lacks the slot {speed}"),
        ("avoid\tmind the thing", "lacks the slot {object}"),
        ("faster\tadd some {unit}", "{unit} without {speed}"),
        ("follow\tfollow {object}, yes {object}", "twice"),
        ("stop\tWait.", "stands there before"),
    ],
)
def test_a_bad_line_is_named_with_its_number_and_cure(tmp_path: Path, line: str, named: str) -> None:
    file = written(tmp_path, f"stop\tWait.\n\n{line}\n")
    with pytest.raises(InvalidInputError) as error:
        read_phrases(file)
    assert f"{file}, line 3" in str(error.value)
    assert named in str(error.value)


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"stop\t\xff\xfe\n"])
def test_a_file_without_phrases_or_text_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "phrases.tsv"
    file.write_bytes(content)
    with pytest.raises(InvalidInputError, match="phrases file"):
        read_phrases(file)
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_phrases(tmp_path / "none.tsv")


@pytest.mark.parametrize(
    ("sentence", "said", "speed"),
    [
        ("Bring it to {speed} {unit}, will you?", "Bring it to 36 km/h, will you?", Speed(36, SpeedUnit.KMH)),
        ("make {speed}{unit}", "make 36 km/h", Speed(36, SpeedUnit.KMH)),
        ("{speed} will do", "36 km/h will do", Speed(36, SpeedUnit.KMH)),
        ("go {speed} m/s.", "go 10 m/s.", Speed(10, SpeedUnit.MPS)),
        ("go {speed} meters per second", "go 10 meters per second", Speed(10, SpeedUnit.MPS)),
        ("do {speed} miles per hour", "do 22.4 miles per hour", Speed(22.4, SpeedUnit.MPH)),
    ],
)
def test_sentences_are_said_as_they_stand_and_a_written_unit_converts_the_number(
    tmp_path: Path, sentence: str, said: str, speed: Speed
) -> None:
    (phrase,) = read_phrases(written(tmp_path, f"target_speed\t{sentence}\n"))
    asked = Asked(RequestKind.TARGET_SPEED, speed=Speed(36, SpeedUnit.KMH))
    spoken = say(language(), phrase, asked, np.random.default_rng(0), PLAIN)
    assert spoken.text == said
    assert spoken.said[0].speed == speed


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("Get to {object}!", "Get to the red car!"),
        ("Get to the {object}!", "Get to the red car!"),
        ("See that {object}? Go there.", "See that red car? Go there."),
        ("{object}: there", "the red car: there"),
    ],
)
def test_things_have_one_article(tmp_path: Path, sentence: str, said: str) -> None:
    (phrase,) = read_phrases(written(tmp_path, f"drive_to\t{sentence}\n"))
    asked = Asked(RequestKind.DRIVE_TO, object="red car")
    assert say(language(), phrase, asked, np.random.default_rng(0), PLAIN).text == said


def test_unsafe_sentences_without_a_reason_fit_any(tmp_path: Path) -> None:
    phrases = read_phrases(written(tmp_path, "unsafe\tJust run it.\nstop\tHalt.\nunsafe\tHit {object}!\n"))
    asked = Asked(RefusedKind.UNSAFE, reason=Reason.RED_LIGHT)
    assert [phrase.text for phrase in fitting(phrases, asked)] == ["Just run it."]
    asked = Asked(RefusedKind.UNSAFE, reason=Reason.WALKER, object="man")
    assert [phrase.text for phrase in fitting(phrases, asked)] == ["Just run it.", "Hit {object}!"]


def test_a_sentence_of_what_is_not_given_is_refused(tmp_path: Path) -> None:
    (phrase,) = read_phrases(written(tmp_path, "stop\tstop at {object}\n"))
    with pytest.raises(InvalidInputError, match=r"\{object\}, which is not given"):
        say(language(), phrase, Asked(RequestKind.STOP), np.random.default_rng(0), PLAIN)
