"""The ways to run the torch network, each against the plain one: a cache built anew by transformers, or no cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from simlingo.contracts import InvalidInputError, SimlingoError  # noqa: E402
from simlingo.model.checkpoint import load_network  # noqa: E402
from simlingo.model.engine import memory, precision  # noqa: E402
from simlingo.model.engine.batch import plan_batch  # noqa: E402
from simlingo.model.engine.decoder import Decoder  # noqa: E402
from simlingo.model.engine.published import published_plan  # noqa: E402
from simlingo.model.engine.static_backend import StaticBackend  # noqa: E402
from simlingo.model.engine.torch_backend import TorchBackend  # noqa: E402
from simlingo.model.graph_modules import queries_of, read_on  # noqa: E402
from simlingo.model.network import SimLingoNetwork  # noqa: E402

#: One fixture, a network compiled by torch, takes longer than the quick part has.
pytestmark = pytest.mark.medium
POINTS = np.array([[10.0, 1.0], [30.0, -2.0]])
KINDS = {"torch": TorchBackend, "static": StaticBackend}
NO_GPU = "needs a CUDA GPU: capture and replay of the graphs cannot be tried on a CPU"


@pytest.fixture(scope="module")
def network(tiny_folder: Path) -> SimLingoNetwork:
    return load_network(tiny_folder)[0]


@pytest.fixture
def own_network(tiny_folder: Path) -> SimLingoNetwork:
    """One to convert."""
    return load_network(tiny_folder)[0]


@pytest.fixture(params=KINDS)
def backend(request: pytest.FixtureRequest, network: SimLingoNetwork) -> Any:
    return KINDS[request.param](network)


def picture(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (192, 384, 3), dtype=np.uint8)


def prompt(network: SimLingoNetwork, words: int = 20) -> list[int]:
    """A picture, ordinary words and two target points."""
    image = [network.image_context_id] * network.config.image_tokens
    return [40, *image, *range(60, 60 + words), *[network.target_point_id] * 2, 90, 91]


class Plain:
    """Scores and plans of a prompt and what follows it, by the cache that transformers builds anew each time."""

    def __init__(self, network: SimLingoNetwork, ids: list[int], seed: int = 0) -> None:
        self._network, self._ids = network, ids
        with torch.no_grad():
            image = network.image_embeddings(network.vision_tokens(torch.from_numpy(picture(seed))[None]))
            points = torch.from_numpy(POINTS[None]).float()
            self._prompt = network.prompt_embeddings(torch.tensor([ids]), points, image)

    def scores(self, after: list[int], shared: int | None = None) -> np.ndarray:
        with torch.no_grad():
            hidden, _ = read_on(self._network, self._all(after, shared), None)
            return self._network.lm_head(hidden[0, -1]).numpy()

    def path(self, after: list[int], shared: int | None = None) -> np.ndarray:
        with torch.no_grad():
            embeddings = torch.cat((self._all(after, shared), queries_of(self._network)), dim=1)
            return self._network.heads(read_on(self._network, embeddings, None)[0])[0][0].numpy()

    def _all(self, after: list[int], shared: int | None) -> Any:
        words = self._network.vlm.language_model.embed_tokens(torch.tensor([after], dtype=torch.int64))
        return torch.cat((self._prompt[:, :shared], words), dim=1)


def close(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(found, wanted, atol=2e-5)


def test_one_pass_gives_the_plain_plan_and_the_plain_scores(backend: Any, network: SimLingoNetwork) -> None:
    ids = prompt(network)
    plain = Plain(network, ids)
    image = backend.see(picture())
    outcome = backend.plan(image, ids, POINTS)
    close(outcome.path, plain.path([]))
    scores, context, timing = backend.read(image, ids, POINTS)
    close(scores, plain.scores([]))
    close(backend.drive(context).path, outcome.path)
    assert set(timing) <= {"prefill", "prefill, queries and heads"}


def test_no_context_is_changed_by_reading_on(backend: Any, network: SimLingoNetwork) -> None:
    """Two texts, a plan and a newer frame branch from one reading, in the order that shares most memory."""
    ids = prompt(network)
    shared = len(ids) - 4
    plain = Plain(network, ids)
    whole = backend.plan(backend.see(picture()), ids, POINTS).context
    begun = backend.cut(whole, shared)
    first_scores, first = backend.read_on(begun, [7, 8, 9])
    close(first_scores, plain.scores([7, 8, 9], shared))
    second_scores, second = backend.read_on(begun, [11])  # branches where the first text already lies
    close(second_scores, plain.scores([11], shared))
    backend.plan(backend.see(picture(5)), prompt(network, 25), POINTS)  # a newer frame comes between two tokens
    for number in range(3):
        word = 20 + number
        said = [7, 8, 9, *range(20, word + 1)]
        scores, first = backend.read_on(first, [word])  # the first goes on, by one token at a time
        close(scores, plain.scores(said, shared))
        close(backend.drive(first).path, plain.path(said, shared))
    middle = backend.cut(first, shared + 4)  # back in the middle of the text in hand
    close(backend.read_on(middle, [31])[0], plain.scores([7, 8, 9, 20, 31], shared))
    close(backend.drive(first).path, plain.path([7, 8, 9, 20, 21, 22], shared))
    close(backend.read_on(second, [12])[0], plain.scores([11, 12], shared))
    again = backend.cut(first, shared + 3)
    close(backend.read_on(again, [30])[0], plain.scores([7, 8, 9, 30], shared))  # the same for a text put away
    close(backend.read_on(first, [23])[0], plain.scores([7, 8, 9, 20, 21, 22, 23], shared))
    close(backend.drive(whole).path, plain.path([]))
    close(backend.read_on(begun, [7, 8, 9])[0], first_scores)


def test_a_growing_text_stays_where_it_is(network: SimLingoNetwork) -> None:
    """Neither the queries nor a plan between two tokens make a copy of all that was read."""
    backend = TorchBackend(network)
    _, begun, _ = backend.read(backend.see(picture()), prompt(network), POINTS)
    context = begun
    for word in range(20, 25):
        _, context = backend.read_on(context, [word])
        backend.drive(context)
        assert context.rows is begun.rows
    assert backend.read_on(begun, [20])[1].rows is not begun.rows


def test_a_long_text_grows_beyond_the_first_room(network: SimLingoNetwork) -> None:
    ids = prompt(network)
    backend = TorchBackend(network)
    _, context, _ = backend.read(backend.see(picture()), ids, POINTS)
    words = [number % 50 + 3 for number in range(300)]
    for begin in range(0, len(words), 30):
        scores, context = backend.read_on(context, words[begin : begin + 30])
    close(scores, Plain(network, ids).scores(words))


def test_a_long_question_is_read_in_pieces_of_fixed_length(network: SimLingoNetwork) -> None:
    ids, words = prompt(network), [number % 50 + 3 for number in range(70)]
    backend = StaticBackend(network)
    _, context, _ = backend.read(backend.see(picture()), ids, POINTS)
    scores, context = backend.read_on(context, words)
    close(scores, Plain(network, ids).scores(words))
    close(backend.drive(context).path, Plain(network, ids).path(words))


def test_what_does_not_fit_the_fixed_shapes_is_refused_with_the_cure(network: SimLingoNetwork) -> None:
    backend = StaticBackend(network, prompt_tokens=network.config.image_tokens + 30)
    image = backend.see(picture())
    with pytest.raises(InvalidInputError, match=r"the prompt has .* prompt_tokens"):
        backend.plan(image, prompt(network, 40), POINTS)
    context = backend.plan(image, prompt(network), POINTS).context
    with pytest.raises(InvalidInputError, match="more than the"):
        backend.read_on(context, [5] * 500)


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_is_the_same_to_its_end(kind: str, network: SimLingoNetwork) -> None:
    ids = prompt(network)
    backend = KINDS[kind](network)
    scores, context, _ = backend.read(backend.see(picture()), ids, POINTS)
    text: list[int] = []
    while len(text) < 15:
        text.append(int(np.argmax(scores)))
        scores, context = backend.read_on(context, text[-1:])
    wanted, wanted_text = published_plan(network, picture(), ids, POINTS, 15, end_of_turn=-1)
    assert text == wanted_text
    close(backend.drive(context).path, wanted.path)


def test_a_batch_gives_what_each_frame_gives_alone(network: SimLingoNetwork) -> None:
    prompts = [prompt(network, words) for words in (20, 31, 5)]
    points = np.stack([POINTS, POINTS + 3.0, POINTS * 0.5])
    found = plan_batch(network, [picture(seed) for seed in range(3)], prompts, points)
    backend = TorchBackend(network)
    for number in range(3):
        alone = backend.plan(backend.see(picture(number)), prompts[number], points[number])
        close(found.path[number], alone.path)
        close(found.speed_waypoints[number], alone.speed_waypoints)
    assert np.abs(found.path[0] - found.path[1]).max() > 1e-3  # the frames differ at all


def test_a_batch_of_unequal_counts_is_refused(network: SimLingoNetwork) -> None:
    with pytest.raises(InvalidInputError, match=r"got 1, 2 and an array \(1, 2, 2\)"):
        plan_batch(network, [picture()], [prompt(network)] * 2, POINTS[None])


@pytest.mark.parametrize(("kind", "tolerance"), [("bf16", 0.05), ("int8", 0.1)])
@pytest.mark.parametrize("way", KINDS)
def test_lower_precisions_stay_near_full_precision(
    way: str, kind: precision.Precision, tolerance: float, network: SimLingoNetwork, own_network: SimLingoNetwork
) -> None:
    ids = prompt(network)
    wanted = Plain(network, ids).path([])
    backend = KINDS[way](precision.prepare(own_network, kind))
    found = backend.plan(backend.see(picture()), ids, POINTS)
    size = np.abs(wanted).max()
    assert 0.0 < np.abs(found.path - wanted).max() < tolerance * size
    plain, _ = published_plan(own_network, picture(), ids, POINTS, 3, end_of_turn=-1)
    assert np.isfinite(plain.path).all()


def test_metres_stay_in_full_precision(own_network: SimLingoNetwork) -> None:
    made = precision.prepare(own_network, "bf16")
    assert made.route_head[0].weight.dtype == made.point_encoder[0].weight.dtype == torch.float32
    assert made.vlm.language_model.layers[0].mlp.up_proj.weight.dtype == made.route_queries.dtype == torch.bfloat16


@pytest.mark.parametrize("tokens", [0, 550, 600])
def test_positions_turn_by_the_same_angles_in_every_precision(
    tokens: int, network: SimLingoNetwork, own_network: SimLingoNetwork
) -> None:
    """Rotary frequencies stay fp32: at position 550 their rounding to bf16 would be a large angle."""
    made = precision.prepare(own_network, "bf16")
    rotary = made.vlm.language_model.rotary_emb
    assert rotary.inv_freq.dtype == rotary.original_inv_freq.dtype == torch.float32
    found, wanted = Decoder(made), Decoder(network)
    for table in ("_cos", "_sin"):
        assert torch.equal(getattr(found, table)[tokens], getattr(wanted, table)[tokens].bfloat16())
    own = rotary(made.route_queries, torch.tensor([[tokens]]))  # plain passes and batches ask transformers
    assert all(
        torch.equal(mine[0, 0], table[tokens].bfloat16())
        for mine, table in zip(own, (wanted._cos, wanted._sin), strict=True)
    )


@pytest.mark.parametrize("kind", ["bf16", "int8"])
def test_pictures_are_normalised_in_full_precision(
    kind: precision.Precision, network: SimLingoNetwork, own_network: SimLingoNetwork
) -> None:
    """And rounded afterwards, to what vision runs in."""
    frames = torch.arange(256, dtype=torch.uint8).repeat(network.config.image.tile**2 * 6 // 256 + 1)
    frames = frames[: network.config.image.tile**2 * 6].view(1, network.config.image.tile, -1, 3)
    wanted = network.tile_pixels(frames)
    found = precision.prepare(own_network, kind).tile_pixels(frames)
    assert found.dtype == (torch.bfloat16 if kind == "bf16" else torch.float32)
    assert torch.equal(found, wanted.to(found.dtype))


def test_int8_holds_the_large_weights_in_a_quarter(own_network: SimLingoNetwork) -> None:
    made = precision.prepare(own_network, "int8")
    left = [name for name, part in made.named_modules() if type(part) is torch.nn.Linear]
    assert all(name.startswith(("route_head", "speed_head", "point_encoder")) for name in left)
    assert made.vlm.language_model.layers[0].mlp.up_proj.weight().dtype == torch.qint8
    assert made.lm_head.weight().dtype == torch.qint8


@pytest.mark.parametrize(
    ("kind", "device", "message"),
    [("fp8", "cpu", "one of fp32, bf16, int8"), ("fp32", "tpu", "take cpu or cuda"), ("fp32", "meta", "not supported")],
)
def test_unknown_precisions_and_devices_are_named(kind: str, device: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        precision.check(kind, device)


def test_a_missing_gpu_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InvalidInputError, match="sees no NVIDIA GPU here; take --device cpu"):
        precision.check("bf16", "cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(InvalidInputError, match="int8 runs on a CPU only"):
        precision.check("int8", "cuda")


def test_too_little_memory_is_told_with_its_cure(monkeypatch: pytest.MonkeyPatch, network: SimLingoNetwork) -> None:
    cpu = torch.device("cpu")
    memory.require_memory(1, cpu)
    with pytest.raises(SimlingoError, match=r"needs about .* bf16.*int8.*text policy never"):
        memory.require_memory(2**50, cpu)

    def full(*_: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    backend = TorchBackend(network)
    monkeypatch.setattr(network, "vision_tokens", full)
    with pytest.raises(SimlingoError, match="text policy never"):
        backend.see(picture())


def test_torchs_own_word_for_a_full_cpu_is_known_and_other_faults_pass() -> None:
    with pytest.raises(SimlingoError, match="memory ran out"), memory.memory_told():
        torch.empty(2**50, dtype=torch.uint8)
    with pytest.raises(RuntimeError, match="shape"), memory.memory_told():
        raise RuntimeError("shape mismatch")


@pytest.mark.skipif(not torch.cuda.is_available(), reason=NO_GPU)
@pytest.mark.parametrize("way", KINDS)
def test_on_a_gpu_captured_passes_give_the_plain_numbers(
    way: str, network: SimLingoNetwork, own_network: SimLingoNetwork
) -> None:
    ids = prompt(network)
    plain = Plain(network, ids)
    backend = KINDS[way](precision.prepare(own_network, "fp32", "cuda"))
    for _ in range(2):  # the second is a replay on other values
        backend.plan(backend.see(picture(9)), prompt(network, 7), POINTS)
        outcome = backend.plan(backend.see(picture()), ids, POINTS)
        np.testing.assert_allclose(outcome.path, plain.path([]), atol=5e-3)
        scores, context = backend.read_on(outcome.context, [5])
        np.testing.assert_allclose(scores, plain.scores([5]), atol=5e-3)
        np.testing.assert_allclose(backend.drive(context).path, plain.path([5]), atol=5e-3)
