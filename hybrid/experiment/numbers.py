"""Values of a configuration that would make no sense, all named at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hybrid.config import ModelConfig, ProtocolConfig
from hybrid.errors import UserError

Rule = tuple[str, Any, str, bool]
"""the key, its value, what it must be in words, and whether it is"""


def refuse_wrong(rules: Iterable[Rule]) -> None:
    """A UserError with a line for every value that is not what it must be."""
    if wrong := [f"{key} must be {rule}, not {value}" for key, value, rule, right in rules if not right]:
        raise UserError("\n".join(wrong))


def protocol_rules(protocol: ProtocolConfig) -> list[Rule]:
    crop_size, shift = protocol.crop_size, protocol.augment.shift
    return [
        ("protocol.epochs", protocol.epochs, "1 or more", protocol.epochs >= 1),
        ("protocol.batch_size", protocol.batch_size, "2 or more", protocol.batch_size >= 2),
        ("protocol.num_frames", protocol.num_frames, "8, 16 or 32", protocol.num_frames in (8, 16, 32)),
        ("protocol.frame_rate", protocol.frame_rate, "positive", protocol.frame_rate > 0),
        ("protocol.crop_size", crop_size, "a multiple of 32 from 64 up", crop_size >= 64 and crop_size % 32 == 0),
        ("protocol.num_folds", protocol.num_folds, "2 or more", protocol.num_folds >= 2),
        ("protocol.repeats", protocol.repeats, "1 or more", protocol.repeats >= 1),
        ("protocol.augment.shift", shift, "from 0 to 0.5", 0 <= shift <= 0.5),
    ]


def model_rules(model: ModelConfig) -> list[Rule]:
    rate = model.recipe.learning_rate
    return [
        ("model.num_frames", model.num_frames, "8, 16 or 32", model.num_frames in (8, 16, 32)),
        ("model.frame_rate", model.frame_rate, "positive", model.frame_rate > 0),
        ("model.recipe.learning_rate", rate, "positive", rate > 0),
    ]
