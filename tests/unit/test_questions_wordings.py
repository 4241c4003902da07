"""How questions are worded: enough of them, with their slots, a fifth held out, and broken files named."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from simlingo.contracts import InvalidInputError
from training.language.hold_out import Split
from training.language.questions.ask import ask_words
from training.language.questions.question import TYPES, Question
from training.language.questions.wordings import FOLDER, LEAST, read_wordings, wordings


@pytest.mark.parametrize("kind", TYPES)
def test_each_type_has_its_wordings_and_a_fifth_is_held_out(kind: str) -> None:
    every = wordings().every[kind]
    seen, held = (wordings().phrases(kind, split) for split in (Split.SEEN, Split.HELD_OUT))
    assert len(every) >= LEAST
    assert sorted(every) == sorted(seen + held)
    assert len(held) == round(len(every) / 5)


def test_no_wording_asks_for_two_things() -> None:
    every = [phrase for kind in TYPES for phrase in wordings().every[kind]]
    assert len({phrase.casefold() for phrase in every}) == len(every)


def test_left_and_right_stand_where_they_belong() -> None:
    for kind in TYPES:
        if kind in ("marking_left", "marking_right") or "_left" in kind or "_right" in kind:
            right = "right" in kind
            for phrase in wordings().every[kind]:
                words = phrase.lower()
                assert ("right" if right else "left") in words, phrase
                rest = words.replace("right now", "").replace("right here", "")  # which is no side
                assert ("left" if right else "right") not in rest, phrase


def test_words_are_drawn_and_slots_filled() -> None:
    question = Question(
        "object_motion", "moving", "The red car is moving.", {"object": "the red car", "place": "straight ahead"}
    )
    said = {ask_words(question, np.random.default_rng(seed)) for seed in range(80)}
    assert len(said) > 12
    assert all("the red car" in text and "straight ahead" in text and "{" not in text for text in said)
    seen = {phrase.format(**question.slots) for phrase in wordings().phrases("object_motion", Split.SEEN)}
    assert said <= seen
    assert ask_words(question, np.random.default_rng(0), Split.HELD_OUT) not in seen


def test_a_phrase_more_moves_one_other_at_most(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "more")
    file = tmp_path / "more" / "plan.yaml"
    file.write_text(file.read_text().replace("    - How fast are we?\n", "    - How fast are we?\n    - Speed?\n"))
    before = set(wordings().phrases("own_speed", Split.HELD_OUT))
    after = set(read_wordings(tmp_path / "more").phrases("own_speed", Split.HELD_OUT))
    assert len(before - after) <= 1


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("{object} {place} moving?", "{object} {place moving?", "object_motion"),
        ("{object} {place} moving?", "{thing} {place} moving?", "{object}, {place}"),
        ("{object} {place} moving?", "{object} moving?", "{object}, {place}"),
        ("object_motion:", "object_mood:", "object_mood"),
        ("    - Has {object} {place} come to a stop?", "    - 12", "12"),
        ("    - Has {object} {place} come to a stop?", "    - Is {object} {place} moving", "twice"),
        ("object_motion:", "object_motion: [", "no valid YAML"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, old: str, new: str, named: str) -> None:
    shutil.copytree(FOLDER, tmp_path / "broken")
    file = tmp_path / "broken" / "objects.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(InvalidInputError, match=r"objects\.yaml") as error:
        read_wordings(tmp_path / "broken")
    assert named in str(error.value)


def test_missing_types_splits_and_phrases_are_named(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "less")
    (tmp_path / "less" / "objects.yaml").unlink()
    with pytest.raises(InvalidInputError, match="object_motion"):
        read_wordings(tmp_path / "less")
    with pytest.raises(InvalidInputError, match=r"own_mood.*important_objects"):
        wordings().phrases("own_mood", Split.SEEN)
    few = tmp_path / "less" / "plan.yaml"
    few.write_text("own_speed:\n  phrases: [How fast]\n")
    with pytest.raises(InvalidInputError, match=r"own_speed\.phrases has 1 entries and needs 25"):
        read_wordings(tmp_path / "less")
