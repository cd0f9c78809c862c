"""Where in space a query finds its keys."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor


class SamePlace:
    """A query sees its own place, in every frame. Also the interface of the others."""

    shares_keys = False
    """whether the queries of all places see the same keys"""

    def view(self, x_BSTD: Tensor) -> Tensor:
        """The tokens keys and values are made of, (B, places, T, D)."""
        return x_BSTD

    def around(self, x_BShTD: Tensor, grid: tuple[int, int]) -> Tensor:
        """Keys or values of each place, (B, G, h, P T, D); G is S, or 1 where all places share them."""
        return x_BShTD


class Neighbourhood(SamePlace):
    """The 3x3 places around the query, in every frame: whatever moves a place on is still seen.

    At the border the square moves inwards instead of being cut, so that every query has as many keys (Hassani et al.,
    Neighborhood attention transformer, 2023); a grid of 2x2 is seen whole. Motionformer (Patrick et al., 2021) says
    why the same place is not enough for what moves.
    """

    def around(self, x_BShTD: Tensor, grid: tuple[int, int]) -> Tensor:
        place_SP = self.places(*grid).to(x_BShTD.device)
        return rearrange(x_BShTD[:, place_SP], "b s p h t d -> b s h (p t) d")

    @staticmethod
    def places(height: int, width: int) -> Tensor:
        """(H W, P): the places that each place sees, row by row."""

        def along(size: int) -> Tensor:  # (size, min(3, size))
            first = (torch.arange(size) - 1).clamp(0, max(size - 3, 0))
            return first[:, None] + torch.arange(min(3, size))

        row, column = along(height), along(width)
        place = row[:, None, :, None] * width + column[None, :, None, :]
        return rearrange(place, "h w i j -> (h w) (i j)")


class FrameMean(SamePlace):
    """The mean over space of every frame: what happened when, not where."""

    shares_keys = True

    def view(self, x_BSTD: Tensor) -> Tensor:
        return x_BSTD.mean(dim=1, keepdim=True)


class Joint(SamePlace):
    """Every place of every frame, as in TimeSformer's joint space-time attention; places differ by content alone."""

    shares_keys = True

    def around(self, x_BShTD: Tensor, grid: tuple[int, int]) -> Tensor:
        return rearrange(x_BShTD, "b s h t d -> b 1 h (s t) d")


KEYS = {
    "place": SamePlace,
    "neighbourhood": Neighbourhood,
    "frame": FrameMean,
    "frame_to_frame": FrameMean,  # of a branch whose queries are frames' means too
    "joint": Joint,
}
