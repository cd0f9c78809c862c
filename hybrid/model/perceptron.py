"""What a transformer's layer does after attention: think about what was seen."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import gelu

from hybrid.model.linear import linear


class Perceptron(nn.Module):
    """token + seen, and on top of it a two-layer perceptron of their sum, normalised first.

    Own features and those of other moments pass one nonlinearity together, so that their relation can be
    computed at once; without it, that is left to the convolutions of the next stage, and after the last there are none.
    The second half of a layer of Vaswani et al., Attention is all you need, 2017, section 3.3, normalised as in
    TimeSformer (Bertasius et al., 2021, eq. 9).
    """

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.widen = linear(width, hidden)
        self.narrow = linear(hidden, width)

    def forward(self, token_BSTD: Tensor, seen_BSTD: Tensor) -> Tensor:
        both_BSTD = token_BSTD + seen_BSTD
        return both_BSTD + self.narrow(gelu(self.widen(self.norm(both_BSTD))))
