"""What the prompts of a batch ask, and what the plan after each is to be."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from trainer_cases import MODEL, frames, tiny_config  # noqa: E402

from simlingo.contracts import InvalidInputError  # noqa: E402
from simlingo.model.judgement import KINDS, OUTCOMES  # noqa: E402
from simlingo.model.processor import Processor  # noqa: E402
from simlingo.model.tokenizer import PromptTokenizer  # noqa: E402
from simlingo.requests import Reason, RequestKind, Verdict  # noqa: E402
from simlingo_drive.expert.causes import Cause  # noqa: E402
from training.language.dreams.dream import KMH, Dream, ObjectSlots, Slots  # noqa: E402
from training.language.hold_out import Split  # noqa: E402
from training.language.languages import language  # noqa: E402
from training.language.questions.question import Question  # noqa: E402
from training.language.samples.tables import (  # noqa: E402
    DREAMS,
    QUESTIONS,
    Samples,
    dream_record,
    dreams_of_table,
    question_record,
    questions_of_table,
)
from training.trainer.batches import BatchMaker  # noqa: E402
from training.trainer.config import KindConfig  # noqa: E402
from training.trainer.sample import UNTOLD  # noqa: E402
from training.trainer.tokenizer import train_tokenizer  # noqa: E402

#: All prompts that can be are instructions, each of the kind and outcome that the case wants.
ONLY_DREAMS: dict[str, Any] = {"prompts": 4, "instructions": 4, "nonsense": 0.0, "said_as_unsafe": 0.0}


@pytest.fixture(scope="module")
def processor(tmp_path_factory: pytest.TempPathFactory) -> Processor:
    path = tmp_path_factory.mktemp("mixture") / "tokenizer.json"
    train_tokenizer(path, 1024)
    return Processor(MODEL, PromptTokenizer.load(path))


def dream(kind: RequestKind, verdict: Verdict, reason: Reason | None = None, slots: Slots | None = None) -> Dream:
    path, waypoints = np.full((20, 2), 7.0), np.full((10, 2), 3.0)
    return Dream(kind, slots or Slots(), path, waypoints, verdict, reason, dreamt=verdict is not Verdict.IMPOSSIBLE)


SAFE = dream(RequestKind.FASTER, Verdict.FOLLOW)
UNSAFE = dream(RequestKind.TARGET_SPEED, Verdict.UNSAFE, Reason.SPEED_LIMIT, Slots(speed_mps=25.0, unit=KMH))
IMPOSSIBLE = dream(
    RequestKind.AVOID, Verdict.IMPOSSIBLE, Reason.NO_OBJECT, Slots(object=ObjectSlots("police car", "red", "left"))
)


def samples(
    dreams: dict[int, list[Dream]], questions: dict[int, list[Question]] | None = None, **causes: str
) -> Samples:
    told = [dream_record(row, each) for row, of_row in dreams.items() for each in of_row]
    asked = [question_record(row, each) for row, of_row in (questions or {}).items() for each in of_row]
    return Samples(
        dreams_of_table(pa.Table.from_pylist(told, DREAMS)),
        questions_of_table(pa.Table.from_pylist(asked, QUESTIONS)),
        {int(row.removeprefix("row")): name for row, name in causes.items()},
    )


def batch_of(processor: Processor, found: Samples, count: int = 3, **mixture: Any) -> dict[str, Any]:
    """A plain batch, with the texts of its prompts, answers among them, and of the answers to be learned."""
    pack = frames(count)
    batch: dict[str, Any] = dict(
        BatchMaker(pack, processor, tiny_config(mixture=mixture), found).plain(np.arange(count))
    )
    batch["texts"] = [processor.tokenizer.decode(row.tolist()) for row in batch["input_ids"]]
    pairs = zip(batch["input_ids"], batch["answer_mask"], strict=True)
    batch["answers"] = [processor.tokenizer.decode(ids[mask > 0].tolist()) for ids, mask in pairs]
    batch["labels"] = pack.labels
    return batch


def test_a_safe_dream_is_driven_and_judged_so_whatever_the_flag(processor: Processor) -> None:
    batch = batch_of(processor, samples({0: [SAFE], 1: [SAFE], 2: [SAFE]}), **ONLY_DREAMS, route_told=0.5)
    assert (batch["path"] == 7.0).all()
    assert (batch["speed_waypoints"] == 3.0).all()
    assert set(batch["request"].tolist()) == {KINDS.index(RequestKind.FASTER)}
    assert set(batch["outcome"].tolist()) == {OUTCOMES.index(None)} == {0}
    assert set(batch["cause"].tolist()) == {UNTOLD}
    assert set(batch["answers"]) == {"Following the given instruction. Waypoints:"}
    flags = Counter(flag for text in batch["texts"] for flag in ("<SAFETY>", "<INSTRUCTION_FOLLOWING>") if flag in text)
    assert min(flags.values()) >= 2
    assert sum(flags.values()) == 12
    told = sum("Command:" in text or "Target waypoint:" in text for text in batch["texts"])
    assert 2 < told < 10, "with and without the route"


def test_an_unsafe_dream_is_refused_under_safety_and_driven_under_following(processor: Processor) -> None:
    batch = batch_of(processor, samples({row: [UNSAFE] for row in range(3)}), **ONLY_DREAMS, refusal_said=1.0)
    seen = Counter()
    for number, text in enumerate(batch["texts"]):
        safety = "<SAFETY>" in text
        seen[safety] += 1
        assert batch["request"][number] == KINDS.index(RequestKind.TARGET_SPEED)
        assert batch["outcome"][number] == OUTCOMES.index(Reason.SPEED_LIMIT if safety else None)
        row = number // 4
        path = batch["labels"]["path"][row] if safety else np.full((20, 2), 7.0)
        waypoints = batch["labels"]["speed_waypoints"][row] if safety else np.full((10, 2), 3.0)
        np.testing.assert_array_equal(batch["path"][number].numpy(), path.astype(np.float32))
        np.testing.assert_array_equal(batch["speed_waypoints"][number].numpy(), waypoints.astype(np.float32))
        assert ("Following" in batch["answers"][number]) is not safety
        assert batch["answers"][number].endswith("Waypoints:")
    assert min(seen.values()) >= 2


def test_what_cannot_be_is_refused_whatever_the_flag(processor: Processor) -> None:
    batch = batch_of(processor, samples({0: [IMPOSSIBLE]}), 1, **ONLY_DREAMS, safety=0.0, refusal_said=1.0)
    assert set(batch["outcome"].tolist()) == {OUTCOMES.index(Reason.NO_OBJECT)}
    np.testing.assert_array_equal(batch["path"][0].numpy(), batch["labels"]["path"][0])
    assert all("Following" not in answer for answer in batch["answers"])
    assert all("<INSTRUCTION_FOLLOWING>" in text for text in batch["texts"])


def test_a_refusal_that_is_not_said_has_the_answer_that_the_plan_is_asked_behind(processor: Processor) -> None:
    """The plan is made behind one fixed answer; there it must be refused without the words that say so."""
    batch = batch_of(processor, samples({0: [UNSAFE]}), 1, **ONLY_DREAMS, safety=1.0, refusal_said=0.0)
    assert all("Following the given instruction. Waypoints:" in text for text in batch["texts"])
    assert set(batch["answers"]) == {""}, "it is read, not learned"
    assert set(batch["outcome"].tolist()) == {OUTCOMES.index(Reason.SPEED_LIMIT)}


def test_the_words_say_what_the_dream_asks_and_none_is_held_out(processor: Processor) -> None:
    words = language()
    held = {phrase.text for kind in RequestKind for phrase in words.phrases(Split.HELD_OUT, kind) if not phrase.slots}
    found = samples({0: [SAFE, dream(RequestKind.STOP, Verdict.FOLLOW), dream(RequestKind.GO, Verdict.FOLLOW)]})
    batch = batch_of(processor, found, 1, **(ONLY_DREAMS | {"prompts": 60, "instructions": 60}))
    kinds = Counter(KINDS[kind] for kind in batch["request"].tolist())
    assert set(kinds) == {RequestKind.FASTER, RequestKind.STOP, RequestKind.GO}
    assert min(kinds.values()) > 8, "each kind as often"
    assert not [text for text in batch["texts"] for phrase in held if f"m/s. {phrase}" in text]
    speeds = batch_of(processor, samples({0: [UNSAFE]}), 1, **ONLY_DREAMS)["texts"]
    assert all(
        any(number in text.lower() for number in ("90", "25", "56", "ninety", "twenty", "fifty")) for text in speeds
    ), speeds


def test_what_words_mean_is_read_off_the_prompts_last_token(processor: Processor) -> None:
    found = samples({0: [SAFE], 1: [UNSAFE]})
    batch = batch_of(processor, found, 2, **ONLY_DREAMS, refusal_said=0.5)
    for number, place in enumerate(batch["asked_at"].tolist()):
        before = processor.tokenizer.decode(batch["input_ids"][number, : place + 1].tolist())
        after = processor.tokenizer.decode(batch["input_ids"][number, place + 1 :].tolist())
        assert before.endswith("assistant\n")
        assert after.endswith("Waypoints:")
    assert batch["named_speed"].isnan().tolist() == [True] * 4 + [False] * 4
    assert (batch["named_speed"][4:] == 25.0).all()


def test_danger_and_nonsense_are_refused_without_a_kind(processor: Processor) -> None:
    found = samples({0: [UNSAFE]})
    danger = batch_of(processor, found, 1, **(ONLY_DREAMS | {"said_as_unsafe": 1.0}))
    assert set(danger["request"].tolist()) == {KINDS.index(None)} == {0}
    assert set(danger["outcome"].tolist()) == {OUTCOMES.index(Reason.SPEED_LIMIT)}
    assert all("<SAFETY>" in text for text in danger["texts"])
    nonsense = batch_of(processor, found, 2, **(ONLY_DREAMS | {"nonsense": 1.0}))
    outcomes = {OUTCOMES[outcome] for outcome in nonsense["outcome"].tolist()}
    assert outcomes == {Reason.NOT_UNDERSTOOD, Reason.NOT_DRIVING}, "in frames without dreams too"
    np.testing.assert_array_equal(nonsense["path"][5].numpy(), nonsense["labels"]["path"][1])


def test_frames_without_dreams_have_driving_prompts_instead(processor: Processor) -> None:
    batch = batch_of(processor, samples({0: [SAFE]}), 2, **(ONLY_DREAMS | {"instructions": 3}), commentary=0.0)
    assert [value != UNTOLD for value in batch["request"].tolist()] == [False, True, True, True, *[False] * 4]
    assert [value != UNTOLD for value in batch["cause"].tolist()] == [True, False, False, False, *[True] * 4]
    np.testing.assert_array_equal(batch["speed_waypoints"][4].numpy(), batch["labels"]["speed_waypoints"][1])
    np.testing.assert_array_equal(batch["speed_waypoints"][5].numpy(), batch["labels"]["other_speed_waypoints"][1])


def test_rare_outcomes_of_a_kind_are_drawn_as_often_as_the_configuration_says(processor: Processor) -> None:
    """One lane change in ten can be; half of those that are learned shall be followed."""
    left = [dream(RequestKind.LANE_LEFT, Verdict.IMPOSSIBLE, Reason.NO_LANE)] * 9
    left.append(dream(RequestKind.LANE_LEFT, Verdict.FOLLOW))
    found = samples({0: [*left, *[dream(RequestKind.STOP, Verdict.FOLLOW)] * 3]})
    many = ONLY_DREAMS | {"prompts": 200, "instructions": 200}
    for followed, least, most in ((0.5, 35, 65), (0.1, 2, 20)):
        batch = batch_of(processor, found, 1, **many, followed=followed)
        kinds = [KINDS[kind] for kind in batch["request"].tolist()]
        assert 75 < kinds.count(RequestKind.STOP) < 125, "kinds come alike, however many dreams they have"
        pairs = zip(kinds, batch["outcome"].tolist(), strict=True)
        can = sum(kind is RequestKind.LANE_LEFT and outcome == 0 for kind, outcome in pairs)
        assert least < can < most, (followed, can)


def test_kinds_are_drawn_as_often_as_the_configuration_says(processor: Processor) -> None:
    stop, go = dream(RequestKind.STOP, Verdict.FOLLOW), dream(RequestKind.GO, Verdict.FOLLOW)
    many = ONLY_DREAMS | {"prompts": 200, "instructions": 200}
    batch = batch_of(processor, samples({0: [*[go] * 5, stop]}), 1, **many, kinds={"stop": 3.0})
    assert 130 < [KINDS[kind] for kind in batch["request"].tolist()].count(RequestKind.STOP) < 170
    batch = batch_of(processor, samples({0: [stop, go], 1: [stop]}), 2, **ONLY_DREAMS, kinds={"stop": 0.0})
    assert {KINDS[kind] for kind in batch["request"].tolist()[:4]} == {RequestKind.GO}
    assert set(batch["request"].tolist()[4:]) == {UNTOLD}, "a frame without another kind has driving prompts"


def test_every_kind_of_instruction_has_a_weight() -> None:
    assert {each.name for each in dataclasses.fields(KindConfig)} == {kind.value for kind in RequestKind}


def test_rare_answers_are_asked_for_more_often(processor: Processor) -> None:
    green, red = (Question("light_state", state, f"It is {state}.") for state in ("green", "red"))
    found = samples({}, {0: [*[green] * 9, red]})
    batch = batch_of(processor, found, 1, prompts=200, question=1.0, commentary=0.0)
    assert 30 < batch["answers"].count(" red") < 70, "a quarter, the root of 1 against 9"


def test_questions_are_asked_and_answered_in_the_situation(processor: Processor) -> None:
    light = Question("light_state", "red", "The traffic light is red.")
    batch = batch_of(processor, samples({0: [SAFE]}, {0: [light]}), 2, prompts=8, question=1.0, commentary=0.0)
    assert set(batch["answers"][:8]) == {" red"}
    assert all("Current speed:" in text and " Q: " in text and "A: red" in text for text in batch["texts"][:8])
    speed = round(float(batch["labels"]["speed"][0]), 1)
    assert all(f"Current speed: {speed} m/s" in text for text in batch["texts"][:8]), "true at this speed alone"
    own = batch["labels"]["speed_waypoints"][0]
    assert all((waypoints.numpy() == own).all() for waypoints in batch["speed_waypoints"][:8])
    assert set(batch["cause"][:8].tolist()) == {int(batch["labels"]["cause"][0])}
    assert set(batch["answers"][8:]) == {"Waypoints:"}, "nothing to ask: a plan"
    np.testing.assert_array_equal(batch["path"][0].numpy(), batch["labels"]["path"][0])


@pytest.mark.parametrize(
    ("mode", "wanted", "learned"),
    [
        ("commentary_given", "{here} {words} Predict the waypoints.", "Waypoints:"),
        ("commentary_as_command", "m/s. Command: {words} Predict the waypoints.", "Waypoints:"),
        ("commentary", "What should the ego do next?", "{words} Waypoints:"),
    ],
)
def test_a_commentary_comes_in_three_places(processor: Processor, mode: str, wanted: str, learned: str) -> None:
    batch = batch_of(processor, samples({0: [SAFE]}), 1, **({"commentary": 0.0} | {mode: 1.0}))
    answer = batch["answers"][0]
    for text in batch["texts"]:
        assert wanted.split("{")[-1].split("}")[-1] in text
        assert answer.endswith("Waypoints:")
        assert (answer == "Waypoints:") is (learned == "Waypoints:")
        assert "Follow the road." in text or "Turn" in text or "Go" in text or "Change" in text


def test_a_commentary_names_what_the_expert_heeds_at_the_speed_that_it_has(processor: Processor) -> None:
    pack = frames(1)
    pack.labels["cause"][:], pack.labels["other_cause"][:] = Cause.WALKER, Cause.TRAFFIC_LIGHT
    for name in ("speed", "speed_waypoints", "other_speed", "other_speed_waypoints"):
        pack.labels[name][:] = 0.0
    maker = BatchMaker(pack, processor, tiny_config(mixture={"commentary": 1.0}), samples({}, row0="woman on the left"))
    texts = [processor.tokenizer.decode(row.tolist()) for row in maker.plain(np.array([0]))["input_ids"]]
    assert "Wait for the woman on the left. Waypoints:" in texts[0]
    assert "Wait for the red light. Waypoints:" in texts[1]


def test_a_share_of_questions_and_commentaries_stands_behind_a_flag(processor: Processor) -> None:
    found = samples({0: [SAFE]}, {0: [Question("own_speed", "30", "We drive at 30.")]})
    batch = batch_of(processor, found, 1, prompts=60, question=0.5, commentary=0.5, flagged=0.5)
    behind = sum("SAFETY> Current speed" in text or "FOLLOWING> Current speed" in text for text in batch["texts"])
    assert 15 < behind < 45
    without = batch_of(processor, found, 1, prompts=20, question=0.5, commentary=0.5)
    assert not any("<SAFETY>" in text for text in without["texts"])


def test_second_views_are_drawn_as_often_as_the_configuration_says(processor: Processor) -> None:
    pack = frames(8)
    pack.labels["view"][4:] = 1
    for share, least, most in ((0.0, 0, 0), (0.25, 15, 65)):
        config = tiny_config(sampler={"batch_frames": 200, "second_views": share})
        batch = BatchMaker(pack, processor, config).training(0)
        second = sum((pack.labels["path"][4:] == row.numpy()).all((1, 2)).any() for row in batch["path"][::2])
        assert least <= second <= most, (share, second)


def test_a_mixture_that_cannot_be_is_refused(processor: Processor) -> None:
    for mixture, named in (
        ({"question": 0.5}, "the data has none of either"),
        ({"instructions": 1}, "the data has none of either"),
    ):
        with pytest.raises(InvalidInputError, match=named):
            BatchMaker(frames(2), processor, tiny_config(mixture=mixture))
    with pytest.raises(InvalidInputError, match="instructions is 3 of 2 prompts; set mixture"):
        BatchMaker(frames(2), processor, tiny_config(mixture={"instructions": 3}), samples({}))
    with pytest.raises(InvalidInputError, match=r"come to 1\.2"):
        BatchMaker(frames(2), processor, tiny_config(mixture={"question": 0.7, "commentary": 0.5}), samples({}))
