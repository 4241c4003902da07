"""Sizes from the configurations that foreign checkpoints come with.

InternVL's ``config.json`` writes every size down (SimLingo's parity cases extend it by LoRA, token ids and picture);
a Hydra run's ``.hydra/config.yaml`` names a hub id, whose sizes ``named`` knows.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from simlingo.contracts import InvalidInputError
from simlingo.model.checkpoints.named import INTERNVL2_1B, PLACEHOLDERS, PUBLISHED_LORA, published_config
from simlingo.model.config import ImageConfig, LanguageConfig, LoraConfig, ModelConfig, TokenIds, VisionConfig
from simlingo.model.config_checks import check_sizes

#: What the network is built for; another value is another architecture. A field that is not there has this value, or
#: its tensors tell.
_FIXED: dict[str, tuple[object, ...]] = {
    "ps_version": ("v2",),
    "select_layer": (-1,),
    "vision_config.norm_type": ("layer_norm",),
    "vision_config.qk_normalization": (False,),
    "vision_config.qkv_bias": (True,),
    "vision_config.hidden_act": ("gelu",),
    "vision_config.layer_norm_eps": (1e-6,),
    "vision_config.num_channels": (3,),
    "llm_config.hidden_act": ("silu",),
    "llm_config.use_sliding_window": (False,),
    # Dynamic scaling begins beyond max_position_embeddings, which no prompt reaches.
    "llm_config.rope_scaling.type": (None, "default", "dynamic"),
    "llm_config.rope_scaling.rope_type": (None, "default", "dynamic"),
    "lora.target": ("all-linear",),
}
#: Width over height from which InternVL's tiling takes two tiles side by side and not one (spec A.2): the middle of 1 and 2.
_TWO_TILES_FROM = 1.5
#: What ``config.json`` of InternVL calls our fields, for errors.
_THEIR_NAMES = {
    "image.tile": "vision_config.image_size",
    "vision.hidden_size": "vision_config.hidden_size",
    "vision.layers": "vision_config.num_hidden_layers",
    "vision.heads": "vision_config.num_attention_heads",
    "vision.patch": "vision_config.patch_size",
    "language.hidden_size": "llm_config.hidden_size",
    "language.layers": "llm_config.num_hidden_layers",
    "language.heads": "llm_config.num_attention_heads",
    "language.key_value_heads": "llm_config.num_key_value_heads",
    "token_ids.image_context": "token_ids.img_context",
    "token_ids.end_of_turn": "token_ids.eos",
}


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        InvalidInputError: missing, not UTF-8, no JSON, or no object.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInputError(f"configuration {path} cannot be read ({error}); copy the checkpoint again") from error
    if not isinstance(values, dict):
        raise InvalidInputError(f"configuration {path} is no JSON object; copy the checkpoint again")
    return values


def internvl_config(path: Path, name: str, *, driving: bool) -> ModelConfig:
    """The configuration of an InternVL ``config.json``.

    Args:
        path: the file.
        name: the model's name in ours.
        driving: whether the weights are SimLingo's, with LoRA, and not the plain backbone.

    Raises:
        InvalidInputError: a size is missing or impossible, or names another architecture.
    """
    values = _Values(read_json(path), path)
    for field, allowed in _FIXED.items():
        if (found := values.get(field, allowed[0])) not in allowed:
            raise InvalidInputError(
                f"{path}: {field} is {found!r}, this network has {allowed[0]!r}: another architecture"
            )
    image, vision = values.get("image", {}), values.integer("vision_config.image_size")
    tile = values.integer("force_image_size", vision)
    if tile != vision:
        raise InvalidInputError(f"{path}: force_image_size {tile} differs from vision_config.image_size {vision}")
    language = LanguageConfig(
        hidden_size=values.integer("llm_config.hidden_size"),
        layers=values.integer("llm_config.num_hidden_layers"),
        heads=values.integer("llm_config.num_attention_heads"),
        key_value_heads=values.integer("llm_config.num_key_value_heads"),
        intermediate_size=values.integer("llm_config.intermediate_size"),
        vocab_size=values.integer("llm_config.vocab_size"),
        rope_theta=values.number("llm_config.rope_theta"),
        rms_norm_eps=values.number("llm_config.rms_norm_eps", 1e-6),
    )
    config = ModelConfig(
        name=name,
        image=_image(values, path, tile, driving)
        if image
        else replace(INTERNVL2_1B.image, tile=tile, jpeg_round_trip=driving),
        vision=VisionConfig(
            hidden_size=values.integer("vision_config.hidden_size"),
            layers=values.integer("vision_config.num_hidden_layers"),
            heads=values.integer("vision_config.num_attention_heads"),
            intermediate_size=values.integer("vision_config.intermediate_size"),
            patch=values.integer("vision_config.patch_size"),
        ),
        language=language,
        downsample_ratio=values.number("downsample_ratio", 0.5),
        route_hidden=INTERNVL2_1B.route_hidden,
        speed_hidden=INTERNVL2_1B.speed_hidden,
        point_hidden=INTERNVL2_1B.point_hidden,
        added_tokens=len(PLACEHOLDERS),
        max_new_tokens=values.integer("max_new_tokens", INTERNVL2_1B.max_new_tokens),
        lora=LoraConfig(values.integer("lora.r"), values.number("lora.alpha")) if driving else None,
        drives=driving,
        speaks=driving,
        answers=driving,
        distance_to_first_point=values.flag("distance_to_first_point", True),
    )
    if values.get("token_ids", None):
        config = _with_token_ids(config, values)
    check_sizes(config, path, _THEIR_NAMES)
    return config


def hydra_config(path: Path) -> ModelConfig:
    """The configuration of a training run of the published code, from its ``.hydra/config.yaml``.

    Raises:
        InvalidInputError: the file cannot be read, names no model, an unknown one, or two, or asks for a third tile.
    """
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise InvalidInputError(f"configuration {path} cannot be read ({error}); copy the run again") from error
    model = values.get("model") if isinstance(values, dict) else None
    language = model.get("language_model") if isinstance(model, dict) else None
    vision = model.get("vision_model") if isinstance(model, dict) else None
    variants = [part["variant"] for part in (vision, language) if isinstance(part, dict) and part.get("variant")]
    if not all(isinstance(variant, str) for variant in variants):
        raise InvalidInputError(
            f"{path}: model.vision_model.variant and model.language_model.variant are {variants!r}, each must be the hub "
            "id of a model; take the file of the run that wrote the weights"
        )
    if len(set(variants)) != 1:
        raise InvalidInputError(
            f"{path} names {'no model' if not variants else 'different models'} under model.vision_model.variant and "
            "model.language_model.variant; take the file of the run that wrote the weights"
        )
    if any(value is not False for value in _everywhere(values, "use_global_img")):
        raise InvalidInputError(
            f"{path} sets use_global_img: these weights see the whole picture as a third tile, this network has the two "
            "of the published weights; take weights that were trained with use_global_img false"
        )
    language = language if isinstance(language, dict) else {}
    if language.get("lora") is False:
        raise InvalidInputError(f"{path} has model.language_model.lora false; the published layout holds LoRA factors")
    values = _Values(language, path)
    rank = values.integer("lora_r", PUBLISHED_LORA.rank)
    alpha = values.number("lora_alpha", PUBLISHED_LORA.alpha)
    return published_config(variants[0], LoraConfig(rank, alpha), str(path))


def _everywhere(values: Any, key: str) -> list[Any]:
    """The values of ``key`` at any depth: a run may keep the settings of its data set anywhere."""
    inside = values.values() if isinstance(values, dict) else values if isinstance(values, list) else ()
    here = [values[key]] if isinstance(values, dict) and key in values else []
    return here + [found for value in inside for found in _everywhere(value, key)]


class _Values:
    """Fields of nested mappings by dotted names, with errors that name the file and the field."""

    def __init__(self, values: dict[str, Any], path: Path) -> None:
        self._values = values
        self._path = path

    def get(self, field: str, default: Any) -> Any:
        value: Any = self._values
        for part in field.split("."):
            if not isinstance(value, dict) or part not in value:
                return default
            value = value[part]
        return value

    def number(self, field: str, default: float | None = None, *, zero: bool = False) -> float:
        value = self.get(field, default)
        number = not isinstance(value, bool) and isinstance(value, int | float)
        if not number or not (0 < value < float("inf") or (zero and value == 0)):
            found = "is missing" if value is None else f"is {value!r}"
            limit = "from 0 on" if zero else "above 0"
            raise InvalidInputError(f"{self._path}: {field} {found}, it must be a number {limit}")
        return float(value)

    def flag(self, field: str, default: bool) -> bool:
        value = self.get(field, default)
        if not isinstance(value, bool):
            raise InvalidInputError(f"{self._path}: {field} is {value!r}, it must be true or false")
        return value

    def integer(self, field: str, default: int | None = None, *, zero: bool = False) -> int:
        value = self.number(field, default, zero=zero)
        if value != int(value):
            raise InvalidInputError(f"{self._path}: {field} is {value}, it must be whole")
        return int(value)


def _image(values: _Values, path: Path, tile: int, driving: bool) -> ImageConfig:
    """The picture; SimLingo's weights have seen JPEGs unless the file says otherwise (spec A.2)."""
    raw = values.get("image.raw", None)
    if not (isinstance(raw, list) and len(raw) == 2 and all(isinstance(edge, int) and edge > 0 for edge in raw)):
        raise InvalidInputError(f"{path}: image.raw is {raw!r}, it must be [height, width] of the camera in pixels")
    height, width = raw
    rows = values.integer("image.crop_rows", height - int(height * 4.8) // 16)  # the bonnet is below
    if rows > height:
        raise InvalidInputError(f"{path}: image.crop_rows is {rows}, a picture of image.raw has {height} rows")
    if width < _TWO_TILES_FROM * rows:
        raise InvalidInputError(
            f"{path}: a picture of {width}x{rows} (image.raw, image.crop_rows) is not cut into two tiles side by side, as "
            f"this network sees it; it must be {_TWO_TILES_FROM} times as wide as high, or wider"
        )
    return ImageConfig(
        raw_width=width,
        raw_height=height,
        crop_top=0,
        crop_bottom=rows,
        tile=tile,
        jpeg_round_trip=values.flag("image.jpeg_round_trip", driving),
    )


def _with_token_ids(config: ModelConfig, values: _Values) -> ModelConfig:
    ids = TokenIds(
        image_context=values.integer("token_ids.img_context", zero=True),
        target_point=values.integer("token_ids.target_point", zero=True),
        end_of_turn=values.integer("token_ids.eos", zero=True),
    )
    added = max(0, ids.target_point + 1 - config.language.vocab_size)
    return replace(config, token_ids=ids, added_tokens=added)
