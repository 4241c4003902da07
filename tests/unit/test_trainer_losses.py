"""Losses against values worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from trainer_cases import MODEL, frames, tiny_config  # noqa: E402

from simlingo.model.checkpoint import build_network  # noqa: E402
from simlingo.model.judgement import KINDS  # noqa: E402
from simlingo.model.network import SimLingoNetwork  # noqa: E402
from simlingo.model.processor import Processor  # noqa: E402
from simlingo.model.tokenizer import PromptTokenizer  # noqa: E402
from training.datasets.cells import CELLS, CLASSES  # noqa: E402
from training.trainer.batches import BatchMaker  # noqa: E402
from training.trainer.config import LossConfig, LossWeights  # noqa: E402
from training.trainer.heads import HelperHeads, class_weights  # noqa: E402
from training.trainer.losses import (  # noqa: E402
    DrivingLosses,
    answer_places,
    depth_loss,
    gap_loss,
    pace_loss,
    point_loss,
    semantic_loss,
    shared_tokens,
    values_of,
)
from training.trainer.sample import UNTOLD, outcome_label  # noqa: E402
from training.trainer.tokenizer import train_tokenizer  # noqa: E402


def test_points_are_summed_over_x_and_y_and_averaged_over_points_and_samples() -> None:
    predicted = torch.zeros(2, 2, 2)
    label = torch.tensor([[[0.5, 0.0], [3.0, -2.0]], [[0.0, 0.0], [0.0, 1.0]]])
    # smooth L1: 0.5 d^2 below 1, d - 0.5 from there on
    each = [0.125 + 0.0, 2.5 + 1.5, 0.0, 0.0 + 0.5]
    assert point_loss(predicted, label).value.item() == pytest.approx(sum(each) / 4)


def test_cells_weigh_as_their_class() -> None:
    scores = torch.tensor([[[0.0, 0.0], [math.log(3.0), 0.0]]])  # probabilities 1/2 and 3/4 of the first class
    classes = torch.tensor([[1, 0]], dtype=torch.uint8)
    weight = torch.tensor([1.0, 5.0])
    expected = (5.0 * math.log(2.0) + 1.0 * math.log(4.0 / 3.0)) / 6.0
    assert semantic_loss(scores, classes, weight).value.item() == pytest.approx(expected)


def test_rare_classes_have_their_weights() -> None:
    weights = dict(zip(CLASSES, class_weights(LossConfig()).tolist(), strict=True))
    heavy = {
        "light_red": 20.0,
        "light_yellow": 20.0,
        "light_green": 20.0,
        "pedestrian": 5.0,
        "light_off": 5.0,
        "sign": 5.0,
        "vehicle": 2.0,
    }
    assert weights == {name: heavy.get(name, 1.0) for name in CLASSES}
    other = class_weights(LossConfig(lit_lens_weight=7.0, small_thing_weight=3.0, vehicle_weight=4.0)).tolist()
    assert sorted(other) == [1.0] * (len(CLASSES) - 7) + [3.0] * 3 + [4.0] + [7.0] * 3


def test_depth_is_compared_by_its_logarithm_and_near_is_near() -> None:
    log_depth = torch.tensor([[0.0, 1.0, 0.0]])
    depth = torch.tensor([[math.e**2, math.e, 0.0]], dtype=torch.float16)
    expected = (2.0 + 0.0 + abs(math.log(0.5))) / 3.0
    assert depth_loss(log_depth, depth).value.item() == pytest.approx(expected, abs=1e-3)


def test_gaps_are_in_tens_of_metres_within_fifty() -> None:
    predicted, distance = torch.tensor([0.0, 0.0, 5.0]), torch.tensor([5.0, -3.0, 80.0])
    # wanted 0.5, 0, 5
    assert gap_loss(predicted, distance).value.item() == pytest.approx(0.125 / 3)
    predicted = torch.tensor([2.0, 9.0])
    distance = torch.tensor([10.0, 10.0])
    assert gap_loss(predicted, distance, torch.tensor([True, False])).value.item() == pytest.approx(0.5)
    assert gap_loss(predicted, distance, torch.tensor([True, True])).value.item() == pytest.approx((0.5 + 7.5) / 2)
    assert gap_loss(predicted, distance, torch.tensor([False, False])).value.item() == 0.0


def test_the_state_before_a_token_of_the_answer_has_to_tell_it() -> None:
    mask = torch.tensor([[0, 0, 1, 1], [0, 1, 1, 1]])
    assert answer_places(mask).tolist() == [[False, True, True], [True, True, True]]


@pytest.mark.parametrize(
    "name",
    [
        "path", "speed_waypoints", "text", "semantic", "depth", "light", "lead", "cause", "request", "outcome", "words",
        "named_speed", "pace",
    ],
)  # fmt: skip
def test_each_loss_has_its_weight_in_the_sum(name: str) -> None:
    wanted = {
        "path": 1.0,
        "speed_waypoints": 1.0,
        "text": 1.0,
        "semantic": 1.0,
        "depth": 0.3,
        "light": 1.0,
        "lead": 0.1,
        "cause": 0.5,
        "request": 1.0,
        "outcome": 1.0,
        "words": 1.0,
        "named_speed": 1.0,
        "pace": 0.5,
    }
    losses = {each: torch.tensor(float(each == name)) for each in wanted}
    assert DrivingLosses(MODEL, LossConfig()).total(losses).item() == pytest.approx(wanted[name])
    doubled = LossConfig(weights=LossWeights(**{name: 7.0}))
    assert DrivingLosses(MODEL, doubled).total(losses).item() == pytest.approx(7.0)


def test_a_cell_is_read_where_its_patch_lies() -> None:
    """One patch with a feature of its own: only its 4 x 4 cells differ from the others."""
    heads = HelperHeads(MODEL)
    side = MODEL.image.tile // MODEL.vision.patch
    vision = torch.zeros(1, 2, side * side, MODEL.vision.hidden_size)
    vision[0, 1, 3 * side + 5] = 1.0  # right tile, row 3, column 5
    with torch.no_grad():
        scores, log_depth = heads.cells_of(vision)
    assert scores.shape == (1, CELLS, 2 * CELLS, len(CLASSES))
    edge = CELLS // side
    plain = log_depth[0, :edge, :edge].repeat(side, 2 * side)
    changed = (log_depth[0] != plain).numpy()
    rows, columns = np.nonzero(changed)
    assert set(rows) == set(range(3 * edge, 4 * edge))
    assert set(columns) == set(range(CELLS + 5 * edge, CELLS + 6 * edge))


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    """A network, its losses, a batch of two frames and what the losses say."""
    path = tmp_path_factory.mktemp("losses") / "tokenizer.json"
    train_tokenizer(path, 512)
    tokenizer = PromptTokenizer.load(path)
    torch.manual_seed(1)
    network, losses = build_network(MODEL, tokenizer), DrivingLosses(MODEL, LossConfig())
    batch = BatchMaker(frames(3), Processor(MODEL, tokenizer), tiny_config()).plain(np.array([0, 2]))
    batch["light_state"] = torch.tensor([0, 0, 1, 2], dtype=torch.uint8)
    batch["request"] = torch.tensor([3, UNTOLD, 1, 0])
    batch["outcome"] = torch.tensor([0, UNTOLD, UNTOLD, 5])
    batch["named_speed"] = torch.tensor([float("nan"), 12.0, float("nan"), 3.0])
    with torch.no_grad():
        return network, losses, batch, values_of(losses(network, batch))


def test_the_prompts_of_a_batch_begin_alike_and_share_that(judged, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """The placeholders of the picture stand there, which are most of a prompt."""
    network, losses, batch, _ = judged
    shared = shared_tokens(batch["input_ids"], batch["attention_mask"])
    assert shared > MODEL.image_tokens
    assert (batch["input_ids"][:, :shared] == batch["input_ids"][:1, :shared]).all()
    calls = []
    original = network.shared_hidden
    monkeypatch.setattr(network, "shared_hidden", lambda *given: calls.append(given[2:]) or original(*given))
    with torch.no_grad():
        losses(network, batch)
    assert calls == [(2, shared)]


def test_a_prompt_that_is_all_shared_keeps_its_last_token() -> None:
    ids, mask = torch.tensor([[4, 5, 6], [4, 5, 6]]), torch.ones(2, 3)
    assert shared_tokens(ids, mask) == 2
    assert shared_tokens(ids, torch.tensor([[1, 0, 1], [1, 1, 1]])) == 1
    assert shared_tokens(torch.tensor([[4, 5, 6], [4, 9, 6]]), mask) == 1
    assert shared_tokens(torch.tensor([[3, 5, 6], [4, 5, 6]]), mask) == 0


def hidden_of(network, batch):  # type: ignore[no-untyped-def]
    with torch.no_grad():
        image = network.image_embeddings(network.vision_tokens(batch["frames"]))
        pairs = torch.stack((image[0], image[0], image[1], image[1]))
        embeddings = network.prompt_embeddings(batch["input_ids"], batch["target_points"], pairs)
        return network.sequence_hidden(embeddings, batch["attention_mask"])


def smooth_l1(apart: np.ndarray) -> np.ndarray:
    apart = np.abs(apart)
    return np.where(apart < 1.0, 0.5 * apart**2, apart - 0.5)


def test_both_prompts_of_a_frame_are_judged_by_their_own_labels(judged) -> None:  # type: ignore[no-untyped-def]
    network, _, batch, found = judged
    with torch.no_grad():
        path, speed = network.heads(hidden_of(network, batch))
    for name, points in (("path", path), ("speed_waypoints", speed)):
        expected = smooth_l1((points - batch[name]).numpy()).sum(-1).mean()
        assert found[name].item() == pytest.approx(float(expected), rel=1e-5)


def test_the_pace_is_that_of_the_steps_from_the_ego_on_where_an_instruction_is_followed(judged) -> None:  # type: ignore[no-untyped-def]
    network, _, batch, found = judged
    with torch.no_grad():
        _, speed = network.heads(hidden_of(network, batch))
    steps = [
        np.diff(points.double().numpy(), axis=1, prepend=0.0) / 0.25 for points in (speed, batch["speed_waypoints"])
    ]
    followed = [row for row, outcome in enumerate(batch["outcome"].tolist()) if outcome == outcome_label(None)]
    assert followed == [0]
    expected = 0.25 * smooth_l1((steps[0] - steps[1]) / 0.25)[followed].sum(-1).mean()
    assert found["pace"].item() == pytest.approx(float(expected), rel=1e-4)


def test_plans_that_no_words_decide_have_a_pace_too_where_asked_for_and_refusals_never(judged) -> None:  # type: ignore[no-untyped-def]
    network, _, batch, found = judged
    losses = DrivingLosses(MODEL, LossConfig(pace_without_words=True))
    with torch.no_grad():
        _, speed = network.heads(hidden_of(network, batch))
        everywhere = values_of(losses(network, batch))["pace"]
    counts = torch.tensor([True, True, True, False])  # followed, no words, no words, refused
    wanted = pace_loss(speed, batch["speed_waypoints"], counts).value
    assert everywhere.item() == pytest.approx(wanted.item(), rel=1e-5)
    assert everywhere.item() != pytest.approx(found["pace"].item(), rel=1e-3)


@pytest.mark.parametrize(("creeps_mps", "loss"), [(0.5, 0.375 / 10), (0.1, 0.02 / 10), (-2.0, 1.875 / 10)])
def test_a_plan_that_creeps_on_at_its_end_pays_for_that_step(creeps_mps: float, loss: float) -> None:
    stops = torch.zeros(1, 10, 2)
    stops[0, :, 0] = torch.tensor([1.0, 1.5, *[1.75] * 8])
    creeps = stops.clone()
    creeps[0, -1, 0] += 0.25 * creeps_mps
    assert pace_loss(creeps, stops, torch.tensor([True])).value.item() == pytest.approx(loss, rel=1e-5)
    both = torch.cat((creeps, stops + 9.0)), torch.cat((stops, stops))
    assert pace_loss(*both, torch.tensor([True, False])).value.item() == pytest.approx(loss, rel=1e-5)
    assert pace_loss(*both, torch.tensor([False, False])).value.item() == 0.0


def test_text_is_learned_on_the_answers_alone(judged) -> None:  # type: ignore[no-untyped-def]
    network, _, batch, found = judged
    hidden, ids, answers = hidden_of(network, batch), batch["input_ids"], batch["answer_mask"]
    told = []
    with torch.no_grad():
        for row in range(len(ids)):
            for place in range(1, ids.shape[1]):
                if answers[row, place]:
                    scores = network.lm_head(hidden[row, place - 1]).double()
                    told.append(float(torch.logsumexp(scores, 0) - scores[ids[row, place]]))
    assert len(told) == int(answers.sum())
    assert found["text"].item() == pytest.approx(sum(told) / len(told), rel=1e-5)


def test_the_scene_is_told_by_the_last_query(judged) -> None:  # type: ignore[no-untyped-def]
    network, losses, batch, found = judged
    with torch.no_grad():
        values = losses.heads.scene(hidden_of(network, batch)[:, -1]).double().numpy()
    rows = np.arange(4)

    def entropy(scores: np.ndarray, wanted: np.ndarray) -> float:
        return float((np.log(np.exp(scores).sum(1)) - scores[rows, wanted]).mean())

    light, cause = batch["light_state"].numpy().astype(int), batch["cause"].numpy().astype(int)
    assert found["light"].item() == pytest.approx(entropy(values[:, :3], light), rel=1e-5)
    assert found["cause"].item() == pytest.approx(entropy(values[:, 5:], cause), rel=1e-5)
    gaps = [np.clip(batch[name].numpy(), 0, 50) / 10 for name in ("light_distance", "lead_distance")]
    lead = smooth_l1(values[:, 4] - gaps[1]).mean() + smooth_l1(values[2:, 3] - gaps[0][2:]).mean()
    assert found["lead"].item() == pytest.approx(float(lead), rel=1e-5)


def test_what_words_ask_for_is_told_by_the_prompts_last_token_and_only_where_they_ask(judged) -> None:  # type: ignore[no-untyped-def]
    network, losses, batch, found = judged
    hidden = hidden_of(network, batch)
    read = torch.stack([hidden[row, place] for row, place in enumerate(batch["asked_at"].tolist())])
    with torch.no_grad():
        values = losses.heads.words(read).double().numpy()
    scores, rows = values[:, :-1], [0, 2, 3]
    wanted = batch["request"].numpy()[rows]
    entropy = np.log(np.exp(scores[rows]).sum(1)) - scores[rows, wanted]
    assert found["words"].item() == pytest.approx(float(entropy.mean()), rel=1e-5)
    assert found["named_speed"].item() == pytest.approx(
        float(smooth_l1(values[[1, 3], -1] - np.array([1.2, 0.3])).mean()), rel=1e-5
    )


def test_the_head_that_judges_learns_what_is_told_alone(judged) -> None:  # type: ignore[no-untyped-def]
    _, _, batch, _ = judged
    torch.manual_seed(2)
    model = replace(MODEL, judgement_hidden=8)
    network, losses = SimLingoNetwork(model, 5, 6), DrivingLosses(model, LossConfig())
    network.image_context_id, network.target_point_id = judged[0].image_context_id, judged[0].target_point_id
    found = values_of(losses(network, batch))
    with torch.no_grad():
        scores = network.judgement(hidden_of(network, batch)).double().numpy()
    for name, part, rows in (
        ("request", scores[:, : len(KINDS)], [0, 2, 3]),
        ("outcome", scores[:, len(KINDS) :], [0, 3]),
    ):
        wanted = batch[name].numpy()[rows]
        entropy = np.log(np.exp(part[rows]).sum(1)) - part[rows, wanted]
        assert found[name].item() == pytest.approx(float(entropy.mean()), rel=1e-5)
    nothing = {**batch, "request": torch.full((4,), UNTOLD), "outcome": torch.full((4,), UNTOLD)}
    silent = values_of(losses(network, nothing))
    assert silent["request"].item() == silent["outcome"].item() == silent["words"].item() == 0.0
    silent["request"].backward()


def test_cells_are_judged_on_the_frames(judged) -> None:  # type: ignore[no-untyped-def]
    network, losses, batch, found = judged
    with torch.no_grad():
        scores, log_depth = losses.heads.cells_of(network.vision_tokens(batch["frames"]))
    assert found["depth"].item() == pytest.approx(depth_loss(log_depth, batch["depth"]).value.item(), rel=1e-5)
    classes, values = batch["classes"].numpy().astype(int).ravel(), scores.double().numpy().reshape(-1, len(CLASSES))
    weight = class_weights(LossConfig()).numpy()[classes]
    each = np.log(np.exp(values).sum(1)) - values[np.arange(len(classes)), classes]
    assert found["semantic"].item() == pytest.approx(float((weight * each).sum() / weight.sum()), rel=1e-4)


def test_every_loss_reaches_the_network(judged) -> None:  # type: ignore[no-untyped-def]
    network, losses, batch, found = judged
    assert list(found) == [
        "semantic", "depth", "path", "speed_waypoints", "pace", "text", "words", "named_speed", "light", "cause", "lead",
    ]  # fmt: skip
    for name in found:
        network.zero_grad()
        values_of(losses(network, batch))[name].backward()
        assert network.vlm.vision_tower.embeddings.position_embeddings.grad.abs().sum() > 0, name
    network.zero_grad()


def test_the_last_token_tells_every_kind_and_one_speed() -> None:
    kinds, speed = HelperHeads(MODEL).words_of(torch.zeros(5, MODEL.language.hidden_size))
    assert (kinds.shape, speed.shape) == ((5, len(KINDS)), (5,))
