"""What can be measured of a cell in one frame: the numbers that a time step is asked for, and how a view turns them."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn

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
    right_B2, down_B2 = turn_B22.unbind(1)
    determinant_B = right_B2[:, 0] * down_B2[:, 1] - right_B2[:, 1] * down_B2[:, 0]
    mirrored_B11 = determinant_B.sign()[:, None, None]
    return torch.cat([turned_BTV2.flatten(-2), signed * mirrored_B11, plain], dim=-1)


def any_turns(batch: int, like: Tensor) -> Tensor:
    """(B, 2, 2): a turn by any angle for each clip, half of them mirrored."""
    angle_B, mirror_B = (
        2 * torch.pi * torch.rand(batch, device=like.device),
        torch.rand(batch, device=like.device) < 0.5,
    )
    cos_B, sin_B, sign_B = angle_B.cos(), angle_B.sin(), 1 - 2.0 * mirror_B
    rows = torch.stack([sign_B * cos_B, sign_B * sin_B], -1), torch.stack([-sin_B, cos_B], -1)
    return torch.stack(rows, -2).to(like.dtype)


class FrameReader(nn.Module):
    """The FRAME_VALUES of every frame, read linearly off time steps: each step answers for the frames it stands for.

    Answers of several pathways are added. steps: of each pathway, frames that a step stands for, and its width.
    """

    def __init__(self, steps: list[tuple[int, int]]) -> None:
        super().__init__()
        self.pathways = nn.ModuleList(nn.Linear(width, len(FRAME_VALUES) * frames) for frames, width in steps)

    def forward(self, steps: list[Tensor]) -> Tensor:
        """(B, S, width) of each pathway -> (B, T, D)"""
        answers = [read(x_BSW) for read, x_BSW in zip(self.pathways, steps, strict=True)]
        return sum(rearrange(x_BSR, "b s (f d) -> b (s f) d", d=len(FRAME_VALUES)) for x_BSR in answers)
