"""Whether the values of a model configuration can be: their types, and sizes that must fit one another.

A configuration file is written by hand or by other programs; what is wrong in it is told by file, key and cure, before
a network is built from it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from simlingo.contracts import InvalidInputError

if TYPE_CHECKING:
    from simlingo.model.config import ModelConfig

#: Counts and numbers that may be 0; all others must be above it.
_FROM_ZERO = ("crop_top", "added_tokens", "judgement_hidden", "image_context", "target_point", "end_of_turn")
#: Ten times what such networks have. The network is laid out before its tensors are compared, layer by layer.
_MOST_LAYERS = 256
#: What an exported vision graph may compute in.
_VISION_GRAPHS = ("fp32", "int8")
_CURE = "correct it, or take the configuration that came with the weights"


def check_types(part: Any, path: Path, above: str = "") -> None:
    """Check every field of a configuration, and of the configurations in it, against its declared type.

    Args:
        part: a dataclass of ``config.py``.
        path: the file it was read from.
        above: dotted name of the field that holds ``part``, with a dot behind it.

    Raises:
        InvalidInputError: a value of another type, or a size below what it can be.
    """
    hints = get_type_hints(type(part))
    for field in dataclasses.fields(part):
        value, kind, name = getattr(part, field.name), hints[field.name], f"{above}{field.name}"
        if dataclasses.is_dataclass(value):
            check_types(value, path, f"{name}.")
        elif (wanted := _unmet(kind, value, zero=field.name in _FROM_ZERO)) is not None:
            raise InvalidInputError(f"{path}: {name} is {value!r}, it must be {wanted}; {_CURE}")


def check_sizes(config: ModelConfig, path: Path, names: Mapping[str, str] | None = None) -> None:
    """Check the sizes that must fit one another, or the network would be built wrong or not at all.

    Args:
        config: values of the right types.
        path: the file they were read from.
        names: what the file calls a field of ours, where it has another name for it.

    Raises:
        InvalidInputError: two sizes do not fit.
    """

    def fault(what: str) -> InvalidInputError:
        return InvalidInputError(f"{path}: {what}; {_CURE}")

    def named(field: str) -> str:
        return (names or {}).get(field, field)

    factor = 1.0 / config.downsample_ratio
    if factor != round(factor):
        raise fault(
            f"{named('downsample_ratio')} is {config.downsample_ratio:g}, it must be 1 divided by a whole number"
        )
    if config.vision_graph not in _VISION_GRAPHS:
        raise fault(f"vision_graph is {config.vision_graph!r}, it must be one of {', '.join(_VISION_GRAPHS)}")
    vision, language, image = config.vision, config.language, config.image
    for whole, value, part, divisor in (
        ("vision.hidden_size", vision.hidden_size, named("vision.heads"), vision.heads),
        # The rotation of positions takes the values of a head in pairs.
        ("language.hidden_size", language.hidden_size, f"twice {named('language.heads')}", 2 * language.heads),
        ("language.heads", language.heads, named("language.key_value_heads"), language.key_value_heads),
        ("image.tile", image.tile, named("vision.patch"), vision.patch),
        ("patches along a tile", image.tile // vision.patch, f"1 / {named('downsample_ratio')}", round(factor)),
    ):
        if value < divisor or value % divisor:
            raise fault(f"{named(whole)} {value} cannot be divided by {part} {divisor}")
    for field, layers in (("vision.layers", vision.layers), ("language.layers", language.layers)):
        if layers > _MOST_LAYERS:
            raise fault(f"{named(field)} is {layers}, it can be {_MOST_LAYERS} at most")
    if not image.crop_top < image.crop_bottom <= image.raw_height:
        raise fault(
            f"image.crop_top {image.crop_top} and image.crop_bottom {image.crop_bottom} keep no rows of a frame "
            f"of {image.raw_height}; image.crop_bottom must lie below the first and within the frame"
        )
    if config.token_ids is not None:
        end = language.vocab_size
        for token, number, limit in (
            ("image_context", config.token_ids.image_context, end),
            ("end_of_turn", config.token_ids.end_of_turn, end),
            ("target_point", config.token_ids.target_point, end + config.added_tokens),
        ):
            if number >= limit:
                raise fault(f"{named(f'token_ids.{token}')} is {number}, the model's ids end at {limit - 1}")


def _unmet(kind: Any, value: Any, *, zero: bool) -> str | None:
    """What ``value`` must be and is not; None where it is."""
    if kind is bool:
        return None if isinstance(value, bool) else "true or false"
    if kind is str:
        return None if isinstance(value, str) and value else "a text"
    if kind is int:
        limit = "from 0 on" if zero else "above 0"
        return None if _whole(value) and value >= (0 if zero else 1) else f"a whole number {limit}"
    if kind is float:
        number = not isinstance(value, bool) and isinstance(value, int | float) and 0 < value < float("inf")
        return None if number else "a number above 0"
    if kind == tuple[int, int]:
        return (
            None
            if len(value) == 2 and all(_whole(part) and part > 0 for part in value)
            else "two whole numbers above 0"
        )
    return None if value is None else "an object, or null"


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
