"""Configurations that checkpoints name by a hub id instead of writing their sizes down."""

from __future__ import annotations

import difflib
from dataclasses import replace

from simlingo.contracts import InvalidInputError
from simlingo.model.config import ImageConfig, LanguageConfig, LoraConfig, ModelConfig, VisionConfig

#: The published picture: all 1024 columns, rows 0 to 358, two tiles of 448 (spec A.2).
PUBLISHED_IMAGE = ImageConfig(raw_width=1024, raw_height=512, crop_top=0, crop_bottom=359, tile=448)
#: Placeholder tokens that SimLingo adds behind the vocabulary; only the last, <TARGET_POINT>, is used (spec A.6).
PLACEHOLDERS = (
    "<WAYPOINTS>", "<WAYPOINTS_DIFF>", "<ORG_WAYPOINTS_DIFF>", "<ORG_WAYPOINTS>",
    "<WAYPOINT_LAST>", "<ROUTE>", "<ROUTE_DIFF>", "<TARGET_POINT>",
)  # fmt: skip
#: Adapters of the published weights (spec A.4), where a configuration says only that there are some.
PUBLISHED_LORA = LoraConfig(rank=32, alpha=64.0)

#: InternViT-300M with Qwen2-0.5B and SimLingo's heads (spec A.3 to A.7).
INTERNVL2_1B = ModelConfig(
    name="simlingo-1b",
    image=PUBLISHED_IMAGE,
    vision=VisionConfig(hidden_size=1024, layers=24, heads=16, intermediate_size=4096, patch=14),
    language=LanguageConfig(
        hidden_size=896, layers=24, heads=14, key_value_heads=2, intermediate_size=4864, vocab_size=151655
    ),
    downsample_ratio=0.5,
    route_hidden=(512, 256),
    speed_hidden=256,
    point_hidden=(256, 512),
    added_tokens=len(PLACEHOLDERS),
    distance_to_first_point=True,
)

#: By hub id.
NAMED = {"OpenGVLab/InternVL2-1B": INTERNVL2_1B}


def named_config(variant: str, source: str) -> ModelConfig:
    """The sizes of the model that ``variant`` names, a hub id or a path that ends like one.

    Raises:
        InvalidInputError: not in the registry; names the nearest. ``source`` is the file that asked.
    """
    wanted = variant.rstrip("/").rsplit("/", 1)[-1].lower()
    for hub_id, config in NAMED.items():
        if hub_id.rsplit("/", 1)[-1].lower() == wanted:
            return config
    nearest = difflib.get_close_matches(variant, NAMED, n=1)
    raise InvalidInputError(
        f"{source} names the model {variant!r}, whose sizes are not known here (known: {', '.join(NAMED)})"
        + (f"; did it mean {nearest[0]}?" if nearest else "; put a config.json with the sizes beside the weights")
    )


def published_config(variant: str, lora: LoraConfig, source: str) -> ModelConfig:
    """The configuration of SimLingo's published weights on the backbone ``variant``."""
    config = named_config(variant, source)
    return replace(config, lora=lora, image=replace(config.image, jpeg_round_trip=True), speaks=True, answers=True)
