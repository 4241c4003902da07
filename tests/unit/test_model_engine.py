"""The engine: its answers against the published way of running, plans before text, texts that can be called off."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from simlingo.contracts import Command, InvalidInputError, Navigation, SimlingoError  # noqa: E402
from simlingo.model.checkpoint import load_network  # noqa: E402
from simlingo.model.engine import Engine, Reading, SpeechCancelledError  # noqa: E402
from simlingo.model.engine.backend import Backend  # noqa: E402
from simlingo.model.engine.onnx_backend import OnnxBackend  # noqa: E402
from simlingo.model.engine.published import published_plan  # noqa: E402
from simlingo.model.engine.static_backend import StaticBackend  # noqa: E402
from simlingo.model.engine.torch_backend import TorchBackend  # noqa: E402
from simlingo.model.language_prompt import QUESTION_ANSWER_START, question_prompt  # noqa: E402
from simlingo.model.network import SimLingoNetwork  # noqa: E402
from simlingo.model.prompt import (  # noqa: E402
    DRIVING_ANSWER,
    TURN_END,
    RouteAs,
    chat,
    chat_prefix,
    driving_prompt,
    open_chat,
)
from simlingo.model.tokenizer import PromptTokenizer  # noqa: E402

LONGEST = 12
POINTS = np.array([[10.0, 1.0], [30.0, -2.0]])


@pytest.fixture(scope="module")
def loaded(tiny_folder: Path) -> tuple[SimLingoNetwork, PromptTokenizer]:
    return load_network(tiny_folder)


@pytest.fixture(params=["onnx", "torch", "static"])
def backend(
    request: pytest.FixtureRequest, tiny_folder: Path, loaded: tuple[SimLingoNetwork, PromptTokenizer]
) -> Backend:
    if request.param == "onnx":
        return OnnxBackend(tiny_folder, threads=1)
    return TorchBackend(loaded[0]) if request.param == "torch" else StaticBackend(loaded[0])


@pytest.fixture
def engine(backend: Backend, loaded: tuple[SimLingoNetwork, PromptTokenizer]) -> Iterator[Engine]:
    made = Engine(backend, loaded[1].encode(TURN_END)[0])
    yield made
    made.close()


class FramePrompts:
    """The ids of one frame's prompts."""

    def __init__(self, tokenizer: PromptTokenizer, image_tokens: int) -> None:
        navigation = Navigation(POINTS, Command.LEFT, Command.FOLLOW_LANE, 20.0)
        text = chat(driving_prompt(4.2, navigation, RouteAs.TARGET_POINT), DRIVING_ANSWER, image_tokens)
        begin = text.index(" Predict")
        self.driving = tokenizer.encode(text)
        self.shared = len(tokenizer.encode(text[:begin]))
        self.suffix = tokenizer.encode(f" What should the ego do next?{TURN_END}<|im_start|>assistant\n")
        self.commentary = [*self.driving[: self.shared], *self.suffix]


@pytest.fixture(scope="module")
def asked(loaded: tuple[SimLingoNetwork, PromptTokenizer]) -> FramePrompts:
    network, tokenizer = loaded
    return FramePrompts(tokenizer, network.config.image_tokens)


def picture(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (192, 384, 3), dtype=np.uint8)


def reading(asked: FramePrompts, stamp: int = 7, seed: int = 0, ids: list[int] | None = None) -> Reading:
    return Reading(stamp, picture(seed), POINTS, ids or asked.driving, asked.shared)


def test_a_plan_is_the_networks(
    engine: Engine, asked: FramePrompts, loaded: tuple[SimLingoNetwork, PromptTokenizer]
) -> None:
    outcome = engine.plan(reading(asked))
    with torch.no_grad():
        path, speed = loaded[0](
            torch.from_numpy(picture())[None], torch.tensor([asked.driving]), torch.from_numpy(POINTS[None]).float()
        )
    np.testing.assert_allclose(outcome.path, path[0].numpy(), atol=1e-4)
    np.testing.assert_allclose(outcome.speed_waypoints, speed[0].numpy(), atol=1e-4)
    assert "vision" in outcome.timing


def test_a_plan_after_text_is_the_published_one(
    engine: Engine, asked: FramePrompts, loaded: tuple[SimLingoNetwork, PromptTokenizer]
) -> None:
    network, tokenizer = loaded
    end = tokenizer.encode(TURN_END)[0]
    outcome, text = engine.plan_after_text(reading(asked, ids=asked.commentary), LONGEST)
    wanted, wanted_text = published_plan(network, picture(), asked.commentary, POINTS, LONGEST, end)
    assert text == wanted_text
    assert len(text) > 2
    np.testing.assert_allclose(outcome.path, wanted.path, atol=1e-4)
    np.testing.assert_allclose(outcome.speed_waypoints, wanted.speed_waypoints, atol=1e-4)


def test_a_text_goes_on_from_the_plans_reading(
    engine: Engine, asked: FramePrompts, loaded: tuple[SimLingoNetwork, PromptTokenizer]
) -> None:
    engine.plan(reading(asked, stamp=11))
    text, stamp = engine.say(asked.suffix, LONGEST).result(30.0)
    _, wanted = published_plan(loaded[0], picture(), asked.commentary, POINTS, LONGEST, loaded[1].encode(TURN_END)[0])
    assert text == wanted
    assert stamp == 11


def test_the_longest_question_is_answered_at_full_length(
    asked: FramePrompts, loaded: tuple[SimLingoNetwork, PromptTokenizer]
) -> None:
    """After the longest prompt that the fixed shapes take, too."""
    network, tokenizer = loaded
    image_tokens = network.config.image_tokens
    question = open_chat(question_prompt("", "7" * 250), image_tokens, QUESTION_ANSWER_START)  # a token a digit
    suffix = tokenizer.encode(question.removeprefix(chat_prefix("", image_tokens)))
    assert len(suffix) > 250
    prompt = [*asked.driving, *[60] * (image_tokens + 128 - len(asked.driving))]
    answers = []
    for backend in (StaticBackend(network), TorchBackend(network)):
        engine = Engine(backend, end_of_turn=-1)  # no token ends the answer
        engine.plan(Reading(3, picture(), POINTS, prompt, len(prompt)))
        answers.append(engine.say(suffix).result(60.0)[0])
        engine.close()
    assert len(answers[0]) == network.config.max_new_tokens
    assert answers[0] == answers[1]


class Watched:
    """A backend that notes the order of the calls and can be held up before a token."""

    def __init__(self, backend: Backend) -> None:
        self.calls: list[str] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.held = threading.Event()  # a token is in hand
        self._backend = backend
        self.config = backend.config

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def read_on(self, context: Any, ids: list[int]) -> Any:
        self.held.set()
        self.go_on.wait(30.0)
        self.calls.append("token")
        return self._backend.read_on(context, ids)

    def see(self, picture: Any) -> Any:
        self.calls.append("plan")
        return self._backend.see(picture)


@pytest.fixture
def watched(loaded: tuple[SimLingoNetwork, PromptTokenizer]) -> Iterator[tuple[Engine, Watched]]:
    backend = Watched(TorchBackend(loaded[0]))
    made = Engine(backend, end_of_turn=-1)  # no token ends a text
    yield made, backend
    backend.go_on.set()
    made.close()


def test_a_plan_waits_for_one_token_only(watched: tuple[Engine, Watched], asked: FramePrompts) -> None:
    engine, backend = watched
    engine.plan(reading(asked))
    backend.go_on.clear()
    speech = engine.say(asked.suffix, LONGEST)
    assert backend.held.wait(10.0)
    planned: list[Any] = []
    threads = [threading.Thread(target=lambda: planned.append(engine.plan(reading(asked, seed=1)))) for _ in range(2)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 10.0
    while len(engine._plans) < 2 and time.monotonic() < deadline:  # both wait behind the token in hand
        time.sleep(0.01)
    backend.go_on.set()
    for thread in threads:
        thread.join(30.0)
    assert len(speech.result(30.0)[0]) == LONGEST
    assert backend.calls[:4] == ["plan", "token", "plan", "plan"]
    assert backend.calls.count("token") == LONGEST


def test_the_text_speaks_of_the_frame_it_began_with(watched: tuple[Engine, Watched], asked: FramePrompts) -> None:
    engine, backend = watched
    engine.plan(reading(asked, stamp=1))
    backend.go_on.clear()
    first = engine.say(asked.suffix, 4)
    second = engine.say(asked.suffix, 4)
    assert backend.held.wait(10.0)
    backend.go_on.set()
    engine.plan(reading(asked, stamp=2, seed=3))
    assert first.result(30.0)[1] == 1
    assert second.result(30.0)[1] == 2


def test_a_text_can_be_called_off(watched: tuple[Engine, Watched], asked: FramePrompts) -> None:
    engine, backend = watched
    engine.plan(reading(asked))
    backend.go_on.clear()
    speech, waiting = engine.say(asked.suffix, 50), engine.say(asked.suffix, 50)
    speech.cancel()
    waiting.cancel()
    backend.go_on.set()
    for one in (speech, waiting):
        with pytest.raises(SpeechCancelledError):
            one.result(30.0)
    assert backend.calls.count("token") <= 1
    assert len(engine.say(asked.suffix, 3).result(30.0)[0]) == 3


def test_faults_reach_who_asked_and_the_engine_goes_on(watched: tuple[Engine, Watched], asked: FramePrompts) -> None:
    engine, _ = watched
    with pytest.raises(SimlingoError, match="no frame has been read"):
        engine.say(asked.suffix).result(30.0)
    with pytest.raises(InvalidInputError, match="not finite"):
        engine.plan(Reading(1, picture(), np.full((2, 2), np.nan), asked.driving, asked.shared))
    assert engine.plan(reading(asked)).path.shape == (20, 2)


@pytest.mark.parametrize("how", ["called off", "closed"])
def test_a_plan_that_waits_for_its_text_can_be_called_off(
    watched: tuple[Engine, Watched], asked: FramePrompts, how: str
) -> None:
    engine, backend = watched
    backend.go_on.clear()
    called_off, faults = threading.Event(), []

    def ask() -> None:
        try:
            engine.plan_after_text(reading(asked, ids=asked.commentary), 50, called_off)
        except SpeechCancelledError as error:
            faults.append(error)

    waiting = threading.Thread(target=ask)
    waiting.start()
    assert backend.held.wait(10.0)
    closing = threading.Thread(target=engine.close)
    if how == "closed":
        closing.start()
        while not engine._closed:
            time.sleep(0.01)
    else:
        called_off.set()
    backend.go_on.set()
    waiting.join(30.0)
    assert len(faults) == 1
    assert backend.calls.count("token") == 1
    if how == "closed":
        closing.join(30.0)
        assert not closing.is_alive()
    else:
        assert engine.plan(reading(asked)).path.shape == (20, 2)


def test_the_engine_plans_batches_and_texts_go_on_from_the_newest_frame(engine: Engine, asked: FramePrompts) -> None:
    alone = [engine.plan(reading(asked, stamp=seed, seed=seed, ids=asked.driving[seed:])) for seed in range(2)]
    wanted = engine.say(asked.suffix, 3).result(30.0)
    prompts = [asked.driving[seed:] for seed in range(2)]  # of two lengths
    found = engine.plan_batch([picture(0), picture(1)], prompts, np.stack([POINTS] * 2))
    for number, one in enumerate(alone):
        np.testing.assert_allclose(found.path[number], one.path, atol=1e-4)
        np.testing.assert_allclose(found.speed_waypoints[number], one.speed_waypoints, atol=1e-4)
    assert found.judgements == [None, None], "this network has no head that judges"
    assert engine.say(asked.suffix, 3).result(30.0) == wanted
    with pytest.raises(InvalidInputError, match="got 1, 2"):
        engine.plan_batch([picture()], prompts, np.stack([POINTS] * 2))


def test_a_closed_engine_answers_nobody_and_leaves_nobody_waiting(
    watched: tuple[Engine, Watched], asked: FramePrompts
) -> None:
    engine, backend = watched
    engine.plan(reading(asked))
    backend.go_on.clear()
    running, waiting = engine.say(asked.suffix, 500), engine.say(asked.suffix, 500)
    closing = threading.Thread(target=engine.close)
    closing.start()
    backend.go_on.set()
    closing.join(30.0)
    assert not closing.is_alive()
    for speech in (running, waiting):
        with pytest.raises(SpeechCancelledError):
            speech.result(0.0)
    with pytest.raises(SimlingoError, match="closed"):
        engine.plan(reading(asked))
    with pytest.raises(SimlingoError, match="closed"):
        engine.say(asked.suffix)
