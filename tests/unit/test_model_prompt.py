"""The prompt strings of spec A.6, character by character, and their tokens."""

import hashlib
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompt_cases import HERE, navigation, shipped, tokenizers

from simlingo.contracts import Command, InvalidInputError, Navigation
from simlingo.model.language_prompt import (
    FOLLOWING_ANSWER,
    QUESTION_ANSWER_START,
    InstructionFlag,
    answer_with_plan,
    commentary_as_command_prompt,
    commentary_given_prompt,
    commentary_prompt,
    instruction_prompt,
    question_answer,
    question_prompt,
)
from simlingo.model.prompt import (
    DRIVING_ANSWER,
    RouteAs,
    chat,
    chat_prefix,
    driving_prompt,
    navigation_options,
    navigation_text,
    open_chat,
    planning_prompt,
    situation,
)
from simlingo.model.user_text import GUARD

TOKENIZERS = tokenizers()
TOLD = "Current speed: 5.2 m/s. Target waypoint: <TARGET_POINT><TARGET_POINT>."


def bare(prompt: str) -> str:
    """The prompt as the model reads it; user text must be guarded from end to end."""
    return prompt.replace(GUARD, "")


def test_target_points_stand_next_to_each_other() -> None:
    assert driving_prompt(5.25, navigation(Command.LEFT), RouteAs.TARGET_POINT) == f"{TOLD} Predict the waypoints."


@pytest.mark.parametrize(
    ("command", "following", "wording"),
    [
        (Command.LEFT, Command.FOLLOW_LANE, "go left at the next intersection in 23 meter then follow the road"),
        (Command.STRAIGHT, Command.STRAIGHT, "go straight at the next intersection in 23 meter"),
        (Command.FOLLOW_LANE, Command.FOLLOW_LANE, "follow the road"),
        (Command.FOLLOW_LANE, Command.RIGHT, "follow the road then go right at the next intersection"),
        (
            Command.CHANGE_LANE_LEFT,
            Command.FOLLOW_LANE,
            "do a lane change to the left in 23 meter then follow the road",
        ),
        (
            Command.CHANGE_LANE_RIGHT,
            Command.LEFT,
            "do a lane change to the right in 23 meter then go left at the next intersection",
        ),
    ],
)
def test_commands_in_words(command: Command, following: Command, wording: str) -> None:
    text = driving_prompt(0.0, navigation(command, following), RouteAs.COMMAND)
    assert text == f"Current speed: 0.0 m/s. Command: {wording}. Predict the waypoints."


def test_published_weights_read_the_distance_to_the_first_target_point() -> None:
    told = Navigation(np.array([[7.0, -7.2], [40.0, 1.0]]), Command.LEFT, Command.LEFT, 23.9)
    assert " in 23 meter." in driving_prompt(1.0, told, RouteAs.COMMAND)
    assert " in 10 meter." in driving_prompt(1.0, told, RouteAs.COMMAND, to_first_point=True)
    *_, third = navigation_options(told, "turn left in [x] m", to_first_point=True)
    assert bare(third) == "Command: turn left in 10 m."
    with pytest.raises(InvalidInputError, match="route"):
        navigation_text(Navigation(np.full((2, 2), np.nan), Command.LEFT, Command.LEFT, 1.0), RouteAs.COMMAND, True)


@pytest.mark.parametrize(
    ("speed", "told"),
    [(0, "0.0"), (0.04, "0.0"), (5.25, "5.2"), (5.35, "5.3"), (np.float32(13.0), "13.0"), (29.96, "30.0")],
)
def test_speed_has_one_decimal_as_python_rounds(speed: float, told: str) -> None:
    assert situation(speed) == f"Current speed: {told} m/s."


def test_every_mode_has_its_wording() -> None:
    words = "Stop for the red light."
    assert planning_prompt(HERE) == f"{TOLD} Predict the waypoints."
    assert commentary_prompt(HERE) == f"{TOLD} What should the ego do next?"
    assert bare(commentary_given_prompt(HERE, words)) == f"{TOLD} Stop for the red light. Predict the waypoints."
    assert bare(commentary_as_command_prompt(5.25, words)) == (
        "Current speed: 5.2 m/s. Command: Stop for the red light. Predict the waypoints."
    )
    assert bare(question_prompt(HERE, "Is the light red?")) == f"{TOLD} Q: Is the light red?"
    assert bare(instruction_prompt(HERE, "Go faster.")) == f"{TOLD} Go faster."
    for flag in InstructionFlag:
        name = flag.name
        assert bare(instruction_prompt(HERE, "Go faster.", flag)) == f"<{name}> {TOLD} Go faster."
        assert (
            bare(instruction_prompt(situation(5.25), "Go faster.", flag))
            == f"<{name}> Current speed: 5.2 m/s. Go faster."
        )


def test_every_mode_has_its_answer() -> None:
    assert DRIVING_ANSWER == "Waypoints:"
    assert bare(answer_with_plan("Stop for the red light.")) == "Stop for the red light. Waypoints:"
    assert FOLLOWING_ANSWER == "Following the given instruction. Waypoints:"
    assert bare(question_answer("Yes, it is.")) == "A: Yes, it is."
    assert bare(question_answer("Yes.")).startswith(QUESTION_ANSWER_START)


def test_the_published_mix_chooses_among_all_ways_to_tell_the_route() -> None:
    told = navigation(Command.LEFT)
    both = tuple(navigation_text(told, route_as) for route_as in RouteAs)
    assert navigation_options(told) == both
    *same, third = navigation_options(told, "In [x] meters, turn left.")
    assert tuple(same) == both
    assert bare(situation(3.0, third)) == "Current speed: 3.0 m/s. Command: In 23 meters, turn left."


def test_template_has_no_system_turn_and_no_newline_between_turns() -> None:
    opened = "<|im_start|>user\n<img><IMG_CONTEXT><IMG_CONTEXT></img>\nhello<|im_end|><|im_start|>assistant\n"
    assert open_chat("hello", 2) == opened
    assert open_chat("hello", 2, "A:") == f"{opened}A:"
    assert chat("hello", "Waypoints:", 2) == f"{opened}Waypoints:<|im_end|>"


def test_full_stops_and_marks_are_cleaned_up() -> None:
    assert bare(commentary_as_command_prompt(1.0, "Wait.. then go.")) == (
        "Current speed: 1.0 m/s. Command: Wait. then go. Predict the waypoints."
    )
    assert bare(question_prompt(HERE, "Why?.")) == f"{TOLD} Q: Why?."  # marks are the instructions' only
    assert bare(instruction_prompt(HERE, "Stop!.  Did you  hear?. Now..")) == f"{TOLD} Stop! Did you hear? Now."
    assert bare(answer_with_plan("I will not..")) == "I will not. Waypoints:"


@given(st.text(st.sampled_from(".!? ax"), min_size=1).filter(str.strip))
def test_clean_up_is_one_pass_over_the_whole_prompt_as_published(words: str) -> None:
    spaced = words.strip()
    whole = f"{TOLD} {spaced}".replace("..", ".").replace("  ", " ").replace("!.", "!").replace("?.", "?")
    assert bare(instruction_prompt(HERE, words)) == whole
    assert bare(commentary_given_prompt(HERE, words)) == f"{TOLD} {spaced} Predict the waypoints.".replace("..", ".")
    third = navigation_options(navigation(Command.LEFT), words)[2]
    assert bare(situation(5.25, third)) == f"Current speed: 5.2 m/s. Command: {spaced}.".replace("..", ".")


@given(st.floats(0, 60), st.sampled_from(Command), st.sampled_from(Command), st.floats(0, 200))
def test_no_double_full_stop(speed: float, command: Command, following: Command, distance: float) -> None:
    for route_as in RouteAs:
        assert ".." not in driving_prompt(speed, navigation(command, following, distance), route_as)


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="odometry"):
        situation(float("nan"))
    with pytest.raises(InvalidInputError, match="route"):
        driving_prompt(1.0, navigation(Command.LEFT, distance=float("inf")), RouteAs.COMMAND)


def test_driving_chats_and_their_ids_are_those_that_the_shipped_weights_were_trained_on() -> None:
    """Text and ids of 1440 chats, recorded when the shipped weights were trained; change neither."""
    digest = hashlib.sha256()
    for command, following, distance, speed, route_as in itertools.product(
        Command, Command, (0.0, 0.99, 23.9, 150.0), (0.0, 0.04, 5.25, 13.0, 29.96), RouteAs
    ):
        prompt = driving_prompt(speed, Navigation(np.zeros((2, 2)), command, following, distance), route_as)
        text = chat(prompt, DRIVING_ANSWER, 32)
        digest.update(text.encode() + b"\0" + np.asarray(shipped().encode(text), np.int64).tobytes())
    assert digest.hexdigest() == "8906a8349255085ec2884b3a628065a259f5c46312dd3cba0eddb2b6e87e6d3d"


def test_ids_of_a_short_chat() -> None:
    ids = shipped().encode(chat(planning_prompt(HERE), DRIVING_ANSWER, 2))
    assert ids == [
        1, 306, 205, 3, 5, 5, 4, 205, 313, 298, 32, 227, 27, 20, 24, 293, 21, 89, 20, 425, 421, 32, 227, 6, 6, 20,
        382, 271, 380, 20, 2, 1, 315, 205, 376, 32, 2,
    ]  # fmt: skip


texts = st.text(min_size=1, max_size=20).filter(lambda text: bool(text.isprintable() and text.strip()))


@given(
    st.floats(0, 60), st.sampled_from(Command), st.sampled_from(Command), st.floats(0, 200), texts, st.integers(0, 3)
)
def test_all_requests_of_one_instant_share_the_prefixs_tokens(
    speed: float, command: Command, following: Command, distance: float, text: str, way: int
) -> None:
    nav = ("", *navigation_options(navigation(command, following, distance), text))[way]
    here = situation(speed, nav)
    prefix = chat_prefix(here, 3)
    chats = [
        chat(planning_prompt(here), DRIVING_ANSWER, 3),
        open_chat(commentary_prompt(here), 3),
        chat(commentary_prompt(here), answer_with_plan(text), 3),
        chat(commentary_given_prompt(here, text), DRIVING_ANSWER, 3),
        open_chat(question_prompt(here, text), 3, QUESTION_ANSWER_START),
    ]
    if way != 3:  # an instruction's clean-up may reach into a sentence that ends with an exclamation mark
        chats.append(open_chat(instruction_prompt(here, text), 3))
    for tokenizer in TOKENIZERS:
        first = tokenizer.encode(prefix)
        for whole in chats:
            assert whole.startswith(prefix)
            assert first + tokenizer.encode(whole.removeprefix(prefix)) == tokenizer.encode(whole)
