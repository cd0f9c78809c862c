"""What can be measured of a cell in one frame: the numbers that a time step is asked for, and how a view turns them."""

from __future__ import annotations

import torch
from torch import Tensor

VECTORS = ("heading", "head", "tail_near", "tail_middle", "tail_end", "velocity")
"""two numbers each, right and down"""
SIGNED, PLAIN = ("bend",), ("amplitude", "speed")
"""numbers whose sign a mirror turns, and those that look the same in every view"""
FRAME_VALUES = (*(f"{name}_{axis}" for name in VECTORS for axis in "xy"), *SIGNED, *PLAIN)
"""D of them, in this order"""
QUANTITIES = {
    "heading": ("heading",),
    "head": ("head",),
    "tail": ("tail_near", "tail_middle", "tail_end"),
    "velocity": ("velocity",),
    "bend": ("bend",),
    "amplitude": ("amplitude",),
    "speed": ("speed",),
}
"""by name, what counts together"""


def columns_of(quantity: str) -> list[int]:
    """Of the D numbers of a frame."""
    names = QUANTITIES[quantity]
    return [place for place, name in enumerate(FRAME_VALUES) if name in names or name[:-2] in names]


def turned(values_BTD: Tensor, turn_B22: Tensor) -> Tensor:
    """The values of clips that are turned or mirrored: a vector (right, down) times its clip's matrix."""
    vectors, signed, plain = values_BTD.split([2 * len(VECTORS), len(SIGNED), len(PLAIN)], dim=-1)
    turned_BTV2 = torch.einsum("btvi,bij->btvj", vectors.unflatten(-1, (-1, 2)), turn_B22)
    mirrored_B11 = torch.linalg.det(turn_B22).sign()[:, None, None]
    return torch.cat([turned_BTV2.flatten(-2), signed * mirrored_B11, plain], dim=-1)
