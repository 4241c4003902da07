"""What a network makes of an instruction: scores to a judgement, the same in every way to run it, and in the plan."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from tiny_model import JUDGING, TINY, write_tiny_model  # noqa: E402

from simlingo.contracts import (  # noqa: E402
    MODEL_CAMERA,
    Command,
    Instruction,
    InvalidInputError,
    Navigation,
    Observation,
)
from simlingo.model.checkpoint import load_network  # noqa: E402
from simlingo.model.config import ModelConfig  # noqa: E402
from simlingo.model.driver import ModelPolicy  # noqa: E402
from simlingo.model.engine import Engine, Reading  # noqa: E402
from simlingo.model.engine.backend import Backend, checked_judgement  # noqa: E402
from simlingo.model.engine.onnx_backend import OnnxBackend  # noqa: E402
from simlingo.model.engine.static_backend import StaticBackend  # noqa: E402
from simlingo.model.engine.torch_backend import TorchBackend  # noqa: E402
from simlingo.model.judgement import KINDS, OUTCOMES, SCORES, Judgement, judgement_of  # noqa: E402
from simlingo.model.language_prompt import InstructionFlag  # noqa: E402
from simlingo.model.network import SimLingoNetwork  # noqa: E402
from simlingo.model.processor import Processor  # noqa: E402
from simlingo.requests import Reason, RequestKind, Verdict  # noqa: E402


def scores_of(kind: RequestKind | None, outcomes: dict[Reason | None, float]) -> np.ndarray:
    scores = np.full(SCORES, -4.0)
    scores[KINDS.index(kind)] = 3.0
    for outcome, score in outcomes.items():
        scores[len(KINDS) + OUTCOMES.index(outcome)] = score
    return scores


def test_the_likeliest_kind_and_outcome_are_taken() -> None:
    found = judgement_of(scores_of(RequestKind.LANE_LEFT, {Reason.NO_LANE: 2.0, None: 1.0}))
    assert found == Judgement(RequestKind.LANE_LEFT, Verdict.IMPOSSIBLE, Reason.NO_LANE)
    assert judgement_of(scores_of(None, {None: 2.0})) == Judgement(None, Verdict.FOLLOW, None)


def test_reasons_of_one_verdict_count_together() -> None:
    """Danger from a vehicle or from a person: whichever it is, it is not followed."""
    found = judgement_of(scores_of(RequestKind.GO, {None: 1.0, Reason.VEHICLE: 0.9, Reason.WALKER: 0.8}))
    assert found == Judgement(RequestKind.GO, Verdict.UNSAFE, Reason.VEHICLE)


@given(st.lists(st.floats(-50.0, 50.0), min_size=SCORES, max_size=SCORES))
def test_verdict_and_reason_never_contradict_each_other(values: list[float]) -> None:
    found = judgement_of(np.array(values))
    assert (found.verdict is Verdict.FOLLOW) is (found.reason is None)
    if found.reason is not None:
        assert found.reason.verdict is found.verdict


def test_scores_that_cannot_be_are_refused() -> None:
    assert checked_judgement(None) is None
    for scores in (np.zeros((1, SCORES - 1)), np.full((1, SCORES), np.nan), np.zeros(SCORES)):
        with pytest.raises(InvalidInputError, match="the network's judgement is not finite"):
            checked_judgement(scores)


def test_the_head_reads_the_last_query_and_no_other() -> None:
    network = SimLingoNetwork(JUDGING, 5, 6).eval()
    hidden = torch.randn(2, 40, JUDGING.language.hidden_size)
    scores = network.judgement(hidden)
    assert scores is not None
    assert scores.shape == (2, SCORES)
    hidden[:, :-1] = 0.0
    torch.testing.assert_close(network.judgement(hidden), scores)
    assert SimLingoNetwork(TINY, 5, 6).judgement(hidden) is None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("judging"), JUDGING, graphs=False)


@pytest.fixture
def backends(folder: Path) -> list[Backend]:
    network, _ = load_network(folder)
    network.eval()
    with torch.no_grad():  # else every judgement of such small weights is the same
        for part in network.judgement_head:
            if isinstance(part, torch.nn.Linear):
                part.weight.mul_(40.0)
    return [TorchBackend(network), StaticBackend(network)]


def reading(config: ModelConfig, folder: Path, words: str) -> tuple[np.ndarray, list[int], np.ndarray]:
    rng = np.random.default_rng(len(words))
    tile = config.image.tile
    picture = rng.integers(0, 256, (tile, 2 * tile, 3), dtype=np.uint8)
    processor = Processor(config, load_network(folder)[1])
    ids = processor.instruction("Current speed: 3.0 m/s.", words, InstructionFlag.SAFETY).ids
    return picture, ids, rng.normal(0.0, 10.0, (2, 2))


@pytest.mark.medium
def test_every_way_to_run_a_network_judges_alike(folder: Path, backends: list[Backend], judging_folder: Path) -> None:
    onnx = OnnxBackend(judging_folder, threads=1)
    exported = TorchBackend(load_network(judging_folder)[0].eval())
    seen = set()
    for words in ("go faster", "turn left", "stop at once", "sing"):
        picture, ids, points = reading(JUDGING, folder, words)
        for group in ([onnx, exported], backends):
            found = [backend.plan(backend.see(picture), ids, points).judgement for backend in group]
            again = [
                backend.drive(backend.plan(backend.see(picture), ids, points).context).judgement for backend in group
            ]
            batch = [
                backend.plan_batch([picture] * 2, [ids] * 2, np.stack([points] * 2)).judgements for backend in group
            ]
            assert found[0] is not None
            assert {*found, *again, *batch[0], *batch[1]} == {found[0]}
            seen.add(found[0])
    assert len(seen) >= 2, "two networks that judge alike would prove nothing"


def observation() -> Observation:
    image = np.random.default_rng(1).integers(0, 256, (512, 1024, 3), dtype=np.uint8)
    navigation = Navigation(np.array([(10.0, 0.0), (20.0, 1.0)]), Command.FOLLOW_LANE, Command.FOLLOW_LANE, 30.0)
    return Observation(1, image, MODEL_CAMERA, 5.0, navigation)


@pytest.mark.parametrize(
    ("outcome", "refused"),
    [(None, False), (Reason.RED_LIGHT, True), (Reason.NO_LANE, True), (Reason.NOT_DRIVING, True)],
)
def test_a_plan_says_what_was_understood_and_whether_it_is_followed(
    folder: Path, outcome: Reason | None, refused: bool
) -> None:
    network, tokenizer = load_network(folder)
    with torch.no_grad():
        last = network.judgement_head[-1]
        last.weight.zero_()
        last.bias.copy_(torch.from_numpy(scores_of(RequestKind.STOP, {outcome: 5.0})))
    policy = ModelPolicy(TorchBackend(network.eval()), tokenizer)
    try:
        plain = policy.plan(observation())
        assert (plain.refused, plain.reason, plain.request) == (False, None, None), "nothing was asked for"
        policy.set_instruction(Instruction("one", 0, "please stop"))
        plan = policy.plan(observation())
        assert (plan.instruction_id, plan.refused, plan.reason, plan.request) == (
            "one",
            refused,
            outcome,
            RequestKind.STOP,
        )
        assert np.array_equal(plan.path, plain.path) is refused, "what is not followed changes nothing"
        assert np.array_equal(plan.speed_waypoints, plain.speed_waypoints) is refused
        assert ("without_instruction" in plan.timing) is refused
        policy.set_instruction(Instruction("two", 0, ""))
        routed = policy.plan(observation())
        assert (routed.instruction_id, routed.refused, routed.request) == ("two", False, None)
        policy.set_instruction(Instruction("three", 0, "x" * 10_000))
        unread = policy.plan(observation())
        assert (unread.refused, unread.reason, unread.request) == (True, Reason.NOT_UNDERSTOOD, None)
    finally:
        policy.close()


@pytest.mark.parametrize("backend", [TorchBackend, StaticBackend])
def test_texts_about_a_refused_instruction_go_on_from_the_same_reading(folder: Path, backend: type[Backend]) -> None:
    """The plan without the instruction is made in between; nobody who speaks of the frame notices."""
    network, tokenizer = load_network(folder)
    processor = Processor(network.config, tokenizer)
    said = []
    for reason in (None, Reason.RED_LIGHT):
        with torch.no_grad():
            last = network.judgement_head[-1]
            last.weight.zero_()
            last.bias.copy_(torch.from_numpy(scores_of(RequestKind.STOP, {reason: 5.0})))
        engine = Engine(backend(network.eval()), processor.end_of_turn)
        try:
            picture, _, points = reading(JUDGING, folder, "go faster")
            here = "Current speed: 3.0 m/s."
            prompt = processor.instruction(here, "go faster", InstructionFlag.SAFETY)
            engine.plan(Reading(3, picture, points, prompt.ids, prompt.shared, processor.plan(here).ids))
            said.append((*engine.say(processor.commentary(here).request, 6).result(30.0), reason))
        finally:
            engine.close()
    assert said[0][:2] == said[1][:2]
    assert said[0][1] == 3
