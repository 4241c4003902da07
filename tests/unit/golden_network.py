"""A golden case for the network: weights by a formula, and SimLingo written out in numpy from its description.

Nothing of the network under test is used, so that the case tells where the network, its key map or its cache is wrong.
The answers lie in ``golden/network.npz``. To write them again, after the case itself was changed:

    python tests/unit/golden_network.py
"""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

GOLDEN = Path(__file__).parent / "golden" / "network.npz"
Array = npt.NDArray[np.float64]
Weights = dict[str, Array]

#: Sizes of ``checkpoint_cases.pair_config``: vision, language, and what lies between and behind them.
TILE, PATCH, VISION, VISION_LAYERS, VISION_HEADS, VISION_MLP = 28, 7, 16, 2, 2, 24
WIDTH, LAYERS, HEADS, KV_HEADS, MLP, VOCABULARY = 24, 2, 4, 2, 40, 60
RANK, LORA_SCALE, TEXT_TOKENS = 4, 6.0 / 4, 5
IMAGE, TARGET, END = 50, 67, 3
_TOWER, _LM = "vision_model.image_encoder.model.", "language_model.model.base_model.model."
_SCALES = ("norm", "ls1", "ls2", "mlp1.0.weight")  # by which activations are multiplied: around 1


def weights() -> Weights:
    """The published state dict, aliases too."""
    values = {name: _values(name, shape) for name, shape in _shapes().items()}
    values[f"{_LM}embed_tokens.weight"] = values[f"{_LM}model.embed_tokens.weight"]
    values["adaptors.language.embed_tokens.weight"] = values[f"{_LM}model.embed_tokens.weight"]
    values["adaptors.language.lm_head.weight"] = values[f"{_LM}lm_head.weight"]
    return values


def _shapes() -> dict[str, tuple[int, ...]]:
    patches = (TILE // PATCH) ** 2
    embeddings = f"{_TOWER}vision_model.embeddings."
    shapes: dict[str, tuple[int, ...]] = {
        f"{embeddings}class_embedding": (1, 1, VISION),
        f"{embeddings}position_embedding": (1, patches + 1, VISION),
        f"{embeddings}patch_embedding.weight": (VISION, 3, PATCH, PATCH),
        f"{embeddings}patch_embedding.bias": (VISION,),
    }

    def add(name: str, *shape: int, bias: bool = True) -> None:
        shapes[f"{name}.weight"] = shape
        if bias:
            shapes[f"{name}.bias"] = shape[:1]

    for i in range(VISION_LAYERS):
        layer = f"{_TOWER}vision_model.encoder.layers.{i}."
        shapes |= {f"{layer}ls1": (VISION,), f"{layer}ls2": (VISION,)}
        add(f"{layer}attn.qkv", 3 * VISION, VISION)
        add(f"{layer}attn.proj", VISION, VISION)
        add(f"{layer}mlp.fc1", VISION_MLP, VISION)
        add(f"{layer}mlp.fc2", VISION, VISION_MLP)
        add(f"{layer}norm1", VISION)
        add(f"{layer}norm2", VISION)
    add(f"{_TOWER}mlp1.0", 4 * VISION)
    add(f"{_TOWER}mlp1.1", WIDTH, 4 * VISION)
    add(f"{_TOWER}mlp1.3", WIDTH, WIDTH)
    add(f"{_LM}model.embed_tokens", VOCABULARY, WIDTH, bias=False)
    narrow = WIDTH // HEADS * KV_HEADS
    for i in range(LAYERS):
        layer = f"{_LM}model.layers.{i}."
        for part, rows, columns in (
            ("self_attn.q_proj", WIDTH, WIDTH), ("self_attn.k_proj", narrow, WIDTH), ("self_attn.v_proj", narrow, WIDTH),
            ("self_attn.o_proj", WIDTH, WIDTH), ("mlp.gate_proj", MLP, WIDTH), ("mlp.up_proj", MLP, WIDTH),
            ("mlp.down_proj", WIDTH, MLP),
        ):  # fmt: skip
            add(f"{layer}{part}.base_layer", rows, columns, bias=part[-6:-5] in "qkv")
            shapes[f"{layer}{part}.lora_A.default.weight"] = (RANK, columns)
            shapes[f"{layer}{part}.lora_B.default.weight"] = (rows, RANK)
        add(f"{layer}input_layernorm", WIDTH, bias=False)
        add(f"{layer}post_attention_layernorm", WIDTH, bias=False)
    add(f"{_LM}model.norm", WIDTH, bias=False)
    add(f"{_LM}lm_head", VOCABULARY, WIDTH, bias=False)
    shapes |= {
        "adaptors.driving.query_embeds_wps": (1, 20, WIDTH),
        "adaptors.driving.query_embeds_speed": (1, 10, WIDTH),
    }
    for name, sizes in (
        ("adaptors.driving.route_head", (WIDTH, 12, 10, 2)),
        ("adaptors.driving.speed_wps_head", (WIDTH, 14, 2)),
        ("wp_encoder.mlp", (2, 6, 18, WIDTH)),
    ):
        for i, (columns, rows) in enumerate(pairwise(sizes)):
            add(f"{name}.{2 * i}", rows, columns, bias=rows > 2)
    return shapes


def _values(name: str, shape: tuple[int, ...]) -> Array:
    """Sines of a rising frequency, another beginning for each name; fp32 numbers."""
    index = np.arange(math.prod(shape), dtype=np.float64)
    begin = sum(place * letter for place, letter in enumerate(name.encode(), 1)) % 1009
    wave = np.sin(begin + 0.37 * index + 0.0113 * index * index)
    if any(part in name for part in _SCALES) and not name.endswith("bias"):
        wave = 1.0 + 0.3 * wave
    elif len(shape) == 1:
        wave = 0.2 * wave
    elif "embed" not in name:
        wave = 1.6 * wave / math.sqrt(math.prod(shape[1:]))
    return wave.reshape(shape).astype(np.float32).astype(np.float64)


def inputs() -> dict[str, Any]:
    """A frame, token ids and target points."""
    row, column, colour = np.indices((48, 96, 3))
    frame = (37 * row + 11 * column + 91 * colour + row * column) % 256
    ids = [7, 12, 31, *[IMAGE] * 8, 22, 9, TARGET, TARGET, 41, 5, 17]
    points = np.array([[7.5, -1.25], [42.0, 3.5]], np.float32)
    return {"frame": frame.astype(np.uint8), "input_ids": np.array([ids]), "target_points": points}


def vision(w: Weights, pixels: Array) -> Array:
    """Pixels (2, 3, tile, tile) to embeddings (2 * 4, width): tower, unshuffle, projector (spec A.3)."""
    tower, side = f"{_TOWER}vision_model.", TILE // PATCH
    cut = pixels.reshape(2, 3, side, PATCH, side, PATCH).transpose(0, 2, 4, 1, 3, 5).reshape(2, side * side, -1)
    kernel = w[f"{tower}embeddings.patch_embedding.weight"].reshape(VISION, -1)
    x = cut @ kernel.T + w[f"{tower}embeddings.patch_embedding.bias"]
    first = np.broadcast_to(w[f"{tower}embeddings.class_embedding"], (2, 1, VISION))
    x = np.concatenate((first, x), axis=1) + w[f"{tower}embeddings.position_embedding"]
    for i in range(VISION_LAYERS):
        layer = f"{tower}encoder.layers.{i}."
        q, k, v = np.split(_linear(w, f"{layer}attn.qkv", _layer_norm(w, f"{layer}norm1", x, 1e-6)), 3, axis=-1)
        seen = _attention(*(_heads(part, VISION_HEADS) for part in (q, k, v)), causal=False)
        x = x + w[f"{layer}ls1"] * _linear(w, f"{layer}attn.proj", seen)
        inner = _gelu(_linear(w, f"{layer}mlp.fc1", _layer_norm(w, f"{layer}norm2", x, 1e-6)))
        x = x + w[f"{layer}ls2"] * _linear(w, f"{layer}mlp.fc2", inner)
    grid = x[:, 1:].reshape(2, side, side, VISION)
    blocks = [grid[:, dy::2, dx::2] for dy in (0, 1) for dx in (0, 1)]
    x = _layer_norm(w, f"{_TOWER}mlp1.0", np.concatenate(blocks, axis=-1).reshape(-1, 4 * VISION), 1e-5)
    return _linear(w, f"{_TOWER}mlp1.3", _gelu(_linear(w, f"{_TOWER}mlp1.1", x)))


def prompt(w: Weights, ids: list[int], points: Array, image: Array) -> Array:
    """Token embeddings (L, width) with picture and target points in their places (spec A.5, A.6)."""
    x = w[f"{_LM}model.embed_tokens.weight"][np.minimum(ids, VOCABULARY - 1)].copy()
    encoded = points
    for number in (0, 2, 4):
        encoded = _linear(w, f"wp_encoder.mlp.{number}", encoded if number == 0 else np.maximum(encoded, 0.0))
    x[np.equal(ids, IMAGE)] = image
    x[np.equal(ids, TARGET)] = encoded
    return x


def language(w: Weights, x: Array) -> Array:
    """Embeddings (L, width) to states behind the last norm: Qwen2 with its LoRA factors (spec A.4)."""
    size = WIDTH // HEADS
    angle = np.outer(np.arange(len(x)), 1e6 ** (-np.arange(0, size, 2) / size))
    turn = np.exp(1j * angle)

    def rotated(part: Array) -> Array:
        pairs = (part[..., : size // 2] + 1j * part[..., size // 2 :]) * turn
        return np.concatenate((pairs.real, pairs.imag), axis=-1)

    for i in range(LAYERS):
        layer = f"{_LM}model.layers.{i}."
        normed = _rms_norm(w, f"{layer}input_layernorm", x)
        q, k, v = (_adapted(w, f"{layer}self_attn.{part}_proj", normed) for part in "qkv")
        keys, values = (np.repeat(_heads(part, KV_HEADS), HEADS // KV_HEADS, axis=0) for part in (k, v))
        seen = _attention(rotated(_heads(q, HEADS)), rotated(keys), values, causal=True)
        x = x + _adapted(w, f"{layer}self_attn.o_proj", seen)
        normed = _rms_norm(w, f"{layer}post_attention_layernorm", x)
        inner = _silu(_adapted(w, f"{layer}mlp.gate_proj", normed)) * _adapted(w, f"{layer}mlp.up_proj", normed)
        x = x + _adapted(w, f"{layer}mlp.down_proj", inner)
    return _rms_norm(w, f"{_LM}model.norm", x)


def answers(w: Weights, case: dict[str, Any], pixels: Array) -> dict[str, Any]:
    """All that a case holds: text by full passes, then the queries behind it, heads and sums (spec A.7)."""
    image = vision(w, pixels)
    begin = prompt(w, case["input_ids"][0].tolist(), case["target_points"].astype(np.float64), image)
    x, text = begin, []
    while len(text) < TEXT_TOKENS and END not in text:
        scores = w[f"{_LM}lm_head.weight"] @ language(w, x)[-1]
        text.append(int(scores.argmax()))
        x = np.concatenate((x, w[f"{_LM}model.embed_tokens.weight"][text[-1:]]))
    queries = [w["adaptors.driving.query_embeds_wps"][0], w["adaptors.driving.query_embeds_speed"][0]]
    hidden = language(w, np.concatenate((x, *queries)))[-30:]
    result = {
        "vision_features": image, "prompt_embeds": begin, "query_hidden": hidden,
        "route": _steps(w, "adaptors.driving.route_head", hidden[:20], 3).cumsum(axis=0),
        "speed_wps": _steps(w, "adaptors.driving.speed_wps_head", hidden[20:], 2).cumsum(axis=0),
    }  # fmt: skip
    return {**{name: value.astype(np.float32) for name, value in result.items()}, "text_ids": np.array([text])}


def _steps(w: Weights, name: str, x: Array, layers: int) -> Array:
    for number in range(layers):
        x = _linear(w, f"{name}.{2 * number}", x if number == 0 else _silu(x))
    return x


def _linear(w: Weights, name: str, x: Array) -> Array:
    return x @ w[f"{name}.weight"].T + w.get(f"{name}.bias", np.zeros(1))


def _adapted(w: Weights, name: str, x: Array) -> Array:
    low = x @ w[f"{name}.lora_A.default.weight"].T @ w[f"{name}.lora_B.default.weight"].T
    return _linear(w, f"{name}.base_layer", x) + LORA_SCALE * low


def _layer_norm(w: Weights, name: str, x: Array, epsilon: float) -> Array:
    centred = x - x.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + epsilon)
    return np.asarray(centred / spread * w[f"{name}.weight"] + w[f"{name}.bias"])


def _rms_norm(w: Weights, name: str, x: Array) -> Array:
    return np.asarray(x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-6) * w[f"{name}.weight"])


def _heads(x: Array, count: int) -> Array:
    """(..., L, D) to (..., heads, L, D / heads)."""
    return np.swapaxes(x.reshape(*x.shape[:-1], count, -1), -2, -3)


def _attention(q: Array, k: Array, v: Array, *, causal: bool) -> Array:
    scores = q @ np.swapaxes(k, -1, -2) / math.sqrt(q.shape[-1])
    if causal:
        scores = np.where(np.tri(scores.shape[-1], dtype=bool), scores, -np.inf)
    share = np.exp(scores - scores.max(axis=-1, keepdims=True))
    seen = np.swapaxes(share / share.sum(axis=-1, keepdims=True) @ v, -2, -3)
    return seen.reshape(*seen.shape[:-2], -1)


def _silu(x: Array) -> Array:
    return np.asarray(x / (1.0 + np.exp(-x)))


def _gelu(x: Array) -> Array:
    return np.asarray(0.5 * x * (1.0 + np.vectorize(math.erf)(x / math.sqrt(2.0))))


def normalised(picture: npt.NDArray[np.uint8]) -> Array:
    """A picture (tile, 2 * tile, 3) as pixels (2, 3, tile, tile), left tile first."""
    tiles = picture.reshape(TILE, 2, TILE, 3).transpose(1, 3, 0, 2) / 255.0
    mean, spread = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    return np.asarray((tiles - mean[:, None, None]) / spread[:, None, None])


def _write() -> None:
    from PIL import Image

    case = inputs()
    crop = Image.fromarray(case["frame"][:34]).resize((2 * TILE, TILE), Image.Resampling.BICUBIC)
    GOLDEN.parent.mkdir(exist_ok=True)
    np.savez_compressed(GOLDEN, **answers(weights(), case, normalised(np.asarray(crop))))


if __name__ == "__main__":
    _write()
