"""The shipped wordings are whole, and whatever is wrong with a file is named with file, key and cure."""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from simlingo.contracts import InvalidInputError
from simlingo.requests import Reason
from training.language.asked import Speed, SpeedUnit
from training.language.commentary_words import read_commentary
from training.language.counts import describe
from training.language.hold_out import Split
from training.language.instruction_phrases import read_instructions
from training.language.languages import WORDINGS, Language, language, read_language
from training.language.objects import read_objects
from training.language.phrase import KINDS
from training.language.reading import read_file, texts
from training.language.refusals import REFUSAL_SLOTS, read_refusals
from training.language.rules import read_rules
from training.language.speak import refusal

ENGLISH = WORDINGS / "en"
READERS: dict[str, Callable[[Path], object]] = {
    "refusals.yaml": read_refusals,
    "commentary.yaml": read_commentary,
    "objects.yaml": read_objects,
    "grammar.yaml": read_rules,
}
PAGE = Path(__file__).resolve().parents[2] / "docs/language.md"


@pytest.fixture(scope="module")
def english() -> Language:
    return language()


def test_every_language_folder_is_read() -> None:
    folders = [folder for folder in WORDINGS.iterdir() if folder.is_dir()]
    assert ENGLISH in folders
    for folder in folders:
        assert read_language(folder).name == folder.name


def test_there_are_as_many_wordings_as_promised(english: Language) -> None:
    kinds = Counter(phrase.group.kind.value for phrase in english.instructions)
    assert set(kinds) == set(KINDS)
    assert min(kinds.values()) >= 60, kinds
    assert min(map(len, english.refusals.values())) >= 15
    for name, wordings in english.commentary.groups():
        assert len(wordings) >= 15, name
    objects = english.objects
    for names in (objects.classes, objects.colours, objects.places, objects.lanes):
        assert min(map(len, names.values())) >= 5


def test_the_page_counts_what_there_is(english: Language) -> None:
    assert describe(english) in PAGE.read_text(encoding="utf-8"), (
        "put the output of `python -m training.language.counts` into docs/language.md"
    )


def test_the_phrases_of_a_kind_differ_in_more_than_one_word(english: Language) -> None:
    """What is held out is said in other words than what is trained: of each kind many phrases share no frame with another.

    Others do, by intent: "drive to", "head to" and "get to" one thing, so that a new frame meets known verbs.
    """
    by_kind: dict[str, list[list[str]]] = defaultdict(list)
    for phrase in english.instructions:
        by_kind[phrase.group.name].append(phrase.text.lower().split())
    for kind, phrases in by_kind.items():
        alike = {
            " ".join(one)
            for one in phrases
            for other in phrases
            if one is not other
            and len(one) == len(other) > 2
            and sum(a != b for a, b in zip(one, other, strict=True)) == 1
        }
        least = 20 if kind.startswith("unsafe") else 60
        assert len(phrases) - len(alike) >= least, (kind, sorted(alike))


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("pace.yaml", "- go faster", "- go {sped} faster", "unknown slot {sped}"),
        ("pace.yaml", "- go faster", "- go {speed} faster", "slots here: none"),
        ("pace.yaml", "- go faster", "- go faster {", "broken slot"),
        ("pace.yaml", "- go faster", "- slow down", "stands in"),
        ("pace.yaml", "- go faster", "- 50", "put it in quotes"),
        ("pace.yaml", "- go faster", "- please go faster", "politeness or filler 'please'"),
        ("pace.yaml", "- go faster", "- go faster, thank you", "politeness or filler 'thank you'"),
        ("pace.yaml", "- accelerate", "- speed up", "twice"),
        ("pace.yaml", "slower:", "slowr:", "did you mean slower"),
        ("pace.yaml", "slower:", "faster:", "key 'faster' stands twice"),
        ("pace.yaml", "slower:", "stop:", "stands in"),
        ("pace.yaml", "imperative:", "orders:", "there is no key orders"),
        ("pace.yaml", "slower:", "slower: [", "no valid YAML"),
        ("place.yaml", "- drive to {object}", "- drive to it", "lacks the slot {object}"),
        ("target_speed.yaml", "- do {speed} {unit}", "- do {unit}", "lacks the slot {speed}"),
        ("unsafe.yaml", "red_light:", "blue_light:", "there is no key blue_light"),
        ("turns_left.yaml", "turn_left:", "turn_back:", "there is no kind turn_back"),
    ],
)
def test_a_broken_instruction_is_named(tmp_path: Path, file: str, old: str, new: str, named: str) -> None:
    folder = tmp_path / "instructions"
    shutil.copytree(ENGLISH / "instructions", folder)
    broken(folder / file, old, new)
    with pytest.raises(InvalidInputError) as error:
        read_instructions(folder, read_rules(ENGLISH / "grammar.yaml"))
    assert named in str(error.value)
    assert str(folder) in str(error.value)


def test_a_missing_kind_and_too_few_phrases_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "instructions"
    rules = read_rules(ENGLISH / "grammar.yaml")
    with pytest.raises(InvalidInputError, match="holds no YAML file"):
        read_instructions(folder, rules)
    shutil.copytree(ENGLISH / "instructions", folder)
    (folder / "straight.yaml").write_text(
        "straight:\n  imperative: [hold the middle, bore through, lance on]\n  other: [beeline]\n"
    )
    with pytest.raises(InvalidInputError, match="straight has 4 phrases without slots and needs 5; write 1 more"):
        read_instructions(folder, rules)
    (folder / "straight.yaml").unlink()
    with pytest.raises(InvalidInputError, match="the kinds straight are missing"):
        read_instructions(folder, rules)


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("refusals.yaml", "red_light:", "red_lights:", "did you mean red_light"),
        ("refusals.yaml", "- Red means no.", "- Red {object} means no.", "red_light"),
        ("refusals.yaml", "- Red means no.", "- No, the light is red.", "twice"),
        ("commentary.yaml", "- keep the speed", "- speed up", "stands in paces.keep too"),
        ("commentary.yaml", "- go around {object}", "- go around it", "lacks the slot {object}"),
        ("commentary.yaml", "{way}. {pace}.", "{way}.", "needs {way} and {pace}"),
        ("commentary.yaml", "{way} and {pace}.", "{pace} and {way}.", "not at the end"),
        ("commentary.yaml", "{way} and {pace}.", "{way} and {pace} now.", "not at the end"),
        ("commentary.yaml", "  bend:", "  curve:", "there is no key curve"),
        ("objects.yaml", '  - "{name}"\n', "", "patterns has none with just {name}"),
        ("objects.yaml", "[car, passenger car", "[car, 50", "put it in quotes"),
        ("objects.yaml", "colours:", "colors:", "did you mean colours"),
        ("grammar.yaml", "please {phrase}", "please", "has no {phrase}"),
        ("grammar.yaml", "{first} and then {second}", "{first} and then {secnd}", "did you mean second"),
        ("grammar.yaml", "    17: seventeen\n", "", "numbers.words must have each of"),
        ("grammar.yaml", "  mph: [mph,", "  knots: [mph,", "there is no key knots"),
        ("grammar.yaml", "article: the", "article: 1", "article must be a text"),
    ],
)
def test_any_other_broken_file_is_named(tmp_path: Path, file: str, old: str, new: str, named: str) -> None:
    shutil.copy(ENGLISH / file, tmp_path / file)
    broken(tmp_path / file, old, new)
    with pytest.raises(InvalidInputError) as error:
        READERS[file](tmp_path / file)
    assert named in str(error.value)
    assert str(tmp_path / file) in str(error.value)


def broken(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_too_few_refusals_and_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_refusals(tmp_path / "refusals.yaml")
    lines = [f"{reason.value}: [a, b, c, d]" for reason in Reason]
    (tmp_path / "refusals.yaml").write_text("\n".join(lines))
    with pytest.raises(InvalidInputError, match="has 4 entries and needs 5; write 1 more"):
        read_refusals(tmp_path / "refusals.yaml")
    with pytest.raises(InvalidInputError, match="a language is a folder of wordings"):
        read_language(tmp_path / "none")
    (tmp_path / "empty.yaml").write_text("")
    with pytest.raises(InvalidInputError, match="must hold keys"):
        read_file(tmp_path / "empty.yaml")


@pytest.mark.parametrize(("value", "named"), [("a", "list"), ([""], "empty"), (["a "], "spaces"), ([None], "no text")])
def test_lists_are_of_texts(value: object, named: str) -> None:
    with pytest.raises(InvalidInputError, match=f"file: key.*{named}"):
        texts(value, "file: key")


def test_a_language_more_is_a_folder_more(tmp_path: Path) -> None:
    """Its words are taken from it: nothing of English is in the code."""
    shutil.copytree(ENGLISH, tmp_path / "xx")
    broken(tmp_path / "xx" / "refusals.yaml", "  - No, there is a stop sign.", "  - Nein, da steht ein Stoppschild.")
    words, rng = read_language(tmp_path / "xx"), np.random.default_rng(0)
    found = {refusal(Reason.STOP_SIGN, rng, words, split) for split in Split for _ in range(100)}
    assert "Nein, da steht ein Stoppschild." in found
    assert "No, there is a stop sign." not in found


def test_a_refusal_gives_its_reason_and_names_what_is_known(english: Language) -> None:
    rng = np.random.default_rng(0)
    for reason in Reason:
        assert "{" not in "".join(refusal(reason, rng) for _ in range(30))
        if "object" in REFUSAL_SLOTS[reason]:
            named = [refusal(reason, rng, object_name="red car") for _ in range(60)]
            assert any("red car" in text for text in named)
    limits = [refusal(Reason.SPEED_LIMIT, rng, limit=Speed(30, SpeedUnit.KMH)) for _ in range(60)]
    assert any("30 km/h" in text for text in limits)
    with pytest.raises(InvalidInputError, match="speaks of no object"):
        refusal(Reason.RED_LIGHT, rng, object_name="red car")


def test_things_are_described_by_class_colour_and_place(english: Language) -> None:
    objects = english.objects
    assert objects.describe("car") == "car"
    assert objects.describe("car", colour="red", place="left") == "red car on the left"
    drawn = {objects.describe("van", np.random.default_rng(seed), "white", "ahead") for seed in range(50)}
    assert len(drawn) > 20
    with pytest.raises(InvalidInputError, match="no class of things 'vam'; did you mean van"):
        objects.describe("vam")
    with pytest.raises(InvalidInputError, match="no colour 'mauve'"):
        objects.describe("car", colour="mauve")
