"""Sizes and switches of one SimLingo network, read from and written to ``config.json``."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simlingo.contracts import InvalidInputError
from simlingo.model.config_checks import check_sizes, check_types


@dataclass(frozen=True)
class ImageConfig:
    """How a camera frame becomes two square tiles (spec A.2)."""

    raw_width: int = 1024  # px
    raw_height: int = 512  # px
    crop_top: int = 72  # first row kept; above it are sky and roofs only
    crop_bottom: int = 360  # first row dropped; below it is the bonnet
    tile: int = 192  # px, edge of a tile; the two tiles stand side by side
    jpeg_round_trip: bool = False  # encode and decode the raw frame first, as the published weights saw it


@dataclass(frozen=True)
class VisionConfig:
    """The vision transformer (InternViT shape)."""

    hidden_size: int = 128
    layers: int = 5
    heads: int = 4
    intermediate_size: int = 512
    patch: int = 12  # px; a lens of a traffic light 25 m away is 2 px wide here


@dataclass(frozen=True)
class LanguageConfig:
    """The language model (Qwen2 shape)."""

    hidden_size: int = 192
    layers: int = 4
    heads: int = 6
    key_value_heads: int = 2
    intermediate_size: int = 512
    vocab_size: int = 1024
    rope_theta: float = 1e6
    rms_norm_eps: float = 1e-6


@dataclass(frozen=True)
class LoraConfig:
    """Low-rank adapters of the language model's linear layers, kept apart from the weights they adapt (spec A.4)."""

    rank: int = 32
    alpha: float = 64.0

    @property
    def scale(self) -> float:
        """What the product of both factors is multiplied by before it is added to the weight."""
        return self.alpha / self.rank


@dataclass(frozen=True)
class TokenIds:
    """Ids of the tokens that the network itself must know, for a checkpoint that comes without a tokenizer."""

    image_context: int
    target_point: int
    end_of_turn: int  # ends a generated text


@dataclass(frozen=True)
class ModelConfig:
    """Everything that fixes the shape of a network."""

    name: str = "simlingo-mini"
    format_version: int = 1
    image: ImageConfig = field(default_factory=ImageConfig)
    vision: VisionConfig = field(default_factory=VisionConfig)
    language: LanguageConfig = field(default_factory=LanguageConfig)
    vision_graph: str = "fp32"  # what the exported vision computes in: fp32, or int8 (simlingo.model.quantise)
    downsample_ratio: float = 0.25  # pixel unshuffle, spec A.3: 4 x 4 patches make a visual token
    route_hidden: tuple[int, int] = (128, 64)  # widths of the route head, spec A.7
    speed_hidden: int = 64  # width of the speed head, spec A.7
    point_hidden: tuple[int, int] = (64, 128)  # widths of the target-point encoder, spec A.5
    judgement_hidden: int = 0  # width of the head that judges instructions, ours alone; 0: there is none
    added_tokens: int = 0  # placeholder tokens whose ids follow the vocabulary and have no embedding (spec A.6)
    max_new_tokens: int = 100  # longest generated text, spec A.10
    drives: bool = True  # trained to drive; a plain backbone with fresh heads is not
    speaks: bool = False  # trained to comment on its driving
    answers: bool = False  # trained to answer questions
    instructions: bool = False  # trained to obey and to refuse instructions in words
    plain_words: bool = False  # instructions and questions are read as simlingo.model.plain_words writes them
    distance_to_first_point: bool = False  # a command's metres are those to the first target point, not along the route
    lora: LoraConfig | None = None  # None: the weights hold no adapters
    token_ids: TokenIds | None = None  # None: the tokenizer says them

    @property
    def unshuffle(self) -> int:
        """Patches along the edge of one visual token."""
        return round(1.0 / self.downsample_ratio)

    @property
    def tokens_per_tile(self) -> int:
        """Visual tokens that one tile gives to the language model."""
        side = self.image.tile // self.vision.patch // self.unshuffle
        return side * side

    @property
    def image_tokens(self) -> int:
        """Visual tokens of a frame (two tiles)."""
        return 2 * self.tokens_per_tile

    def to_json(self) -> str:
        """The configuration as indented JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def load(cls, path: Path) -> ModelConfig:
        """Read ``config.json``.

        Raises:
            InvalidInputError: the file is missing, is no JSON, names other fields than this class, or holds values that
                cannot be.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise InvalidInputError(
                f"model configuration {path} cannot be read ({error}); copy the whole model folder again"
            ) from error
        return cls._from_dict(values, path)

    @classmethod
    def _from_dict(cls, values: dict[str, Any], path: Path) -> ModelConfig:
        try:
            config = cls(
                **{
                    **values,
                    "image": ImageConfig(**values["image"]),
                    "vision": VisionConfig(**values["vision"]),
                    "language": LanguageConfig(**values["language"]),
                    "route_hidden": tuple(values["route_hidden"]),
                    "point_hidden": tuple(values["point_hidden"]),
                    "lora": None if values.get("lora") is None else LoraConfig(**values["lora"]),
                    "token_ids": None if values.get("token_ids") is None else TokenIds(**values["token_ids"]),
                }
            )
        except (KeyError, TypeError) as error:
            raise InvalidInputError(
                f"model configuration {path} is not of this version ({error}); export the model again"
            ) from error
        if config.format_version != cls.format_version:
            raise InvalidInputError(
                f"model configuration {path} has format {config.format_version}, this version reads {cls.format_version}"
            )
        check_types(config, path)
        check_sizes(config, path)
        return config


#: The model shipped with the repository.
MINI = ModelConfig()
