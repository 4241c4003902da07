"""config.json of our own layout: what cannot be is named before a network is built from it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from checkpoint_cases import TINY

from simlingo.contracts import InvalidInputError
from simlingo.model.config import ModelConfig


def our_config(folder: Path, field: str, value: Any) -> Path:
    """A configuration of our own layout with another value in one field."""
    config = json.loads(TINY.to_json())
    *parents, last = field.split(".")
    part = config
    for name in parents:
        part = part[name]
    part[last] = value
    (folder / "config.json").write_text(json.dumps(config))
    return folder / "config.json"


@pytest.mark.parametrize(
    ("field", "value", "sign"),
    [
        ("vision.heads", 5, "vision.hidden_size 16 cannot be divided by vision.heads 5"),
        ("vision.patch", 0, "whole number above 0"),
        ("vision.patch", 9, "image.tile 28 cannot be divided by vision.patch 9"),
        ("vision.layers", -1, "whole number above 0"),
        ("vision.layers", True, "whole number above 0"),
        ("vision.hidden_size", 16.5, "whole number above 0"),
        ("language.key_value_heads", 0, "whole number above 0"),
        ("language.key_value_heads", 3, "language.heads 4 cannot be divided"),
        ("language.heads", 8, "cannot be divided by twice language.heads 16"),
        ("language.hidden_size", "24", "whole number above 0"),
        ("language.rope_theta", float("nan"), "number above 0"),
        ("downsample_ratio", 0, "number above 0"),
        ("downsample_ratio", "a", "number above 0"),
        ("downsample_ratio", 0.3, "1 divided by a whole number"),
        ("downsample_ratio", 0.125, "patches along a tile 4 cannot be divided by 1 / downsample_ratio 8"),
        ("route_hidden", [1], "two whole numbers"),
        ("point_hidden", "ab", "two whole numbers"),
        ("speed_hidden", None, "whole number above 0"),
        ("name", 5, "a text"),
        ("speaks", "yes", "true or false"),
        ("max_new_tokens", "many", "whole number above 0"),
        ("added_tokens", -8, "whole number from 0 on"),
        ("lora.alpha", "x", "number above 0"),
        ("lora", False, "not of this version"),
        ("image.raw_width", "x", "whole number above 0"),
        ("image.crop_bottom", 49, "within the frame"),
        ("image.crop_top", 34, "keep no rows"),
        ("token_ids.image_context", None, "whole number from 0 on"),
        ("token_ids.image_context", 60, "ids end at 59"),
        ("token_ids.target_point", 68, "ids end at 67"),
    ],
)
def test_impossible_values_of_our_layout_are_named(tmp_path: Path, field: str, value: Any, sign: str) -> None:
    path = our_config(tmp_path, field, value)
    with pytest.raises(InvalidInputError, match=re.escape(sign)) as caught:
        ModelConfig.load(path)
    assert str(path) in str(caught.value)
    assert field.rpartition(".")[2] in str(caught.value) or field == "lora"


@pytest.mark.parametrize("field", ["lora", "token_ids"])
def test_parts_of_our_layout_may_be_absent(tmp_path: Path, field: str) -> None:
    assert getattr(ModelConfig.load(our_config(tmp_path, field, None)), field) is None
    assert ModelConfig.load(our_config(tmp_path, "name", "tiny")) == TINY
