"""Local mixing over time in the attention's place: what global attention has to beat."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn.functional import gelu

from baselines.contract import Intermediates
from hybrid.model.branch import PathwayTokens, TemporalBranch


class TimelineBranch(TemporalBranch):
    """A place's tokens laid out on the frames of the clip, mixed between neighbouring frames, followed by a GELU.

    Slow's tokens lie at the frames they are of, on top of Fast's where both are read; a frame without a token is zero.
    So a kernel of k sees k frames of the clip, whichever pathway is updated, as an attention with a window of k does.
    Each pathway that is updated takes the result at its own frames.
    """

    queries_need_tokens = False

    def mix(self, tokens: PathwayTokens, into: Intermediates | None = None, name: str = "") -> dict[str, Tensor]:
        lines: dict[tuple[str, ...], Tensor] = {}
        for keys in self.mask.key_pathways_of.values():
            if keys not in lines:
                lines[keys] = gelu(self.along_time(self.timeline(keys, tokens)))
        return {
            query: lines[keys].index_select(2, tokens.times[query].frame_T)
            for query, keys in self.mask.key_pathways_of.items()
        }

    @staticmethod
    def timeline(pathways: tuple[str, ...], tokens: PathwayTokens) -> Tensor:
        """(B, S, frames of the clip, D): the sum of the pathways' tokens that are of each frame."""
        first_BSTD = tokens.x_BSTD[pathways[0]]
        batch, places, _, width = first_BSTD.shape
        line = first_BSTD.new_zeros(batch, places, tokens.times[pathways[0]].num_frames, width)
        for pathway in pathways:
            line[:, :, tokens.times[pathway].frame_T] += tokens.x_BSTD[pathway]
        return line

    def along_time(self, x_BSTD: Tensor) -> Tensor:
        """One token a frame, of every place -> the same, mixed."""
        raise NotImplementedError


class TemporalConvolution(TimelineBranch):
    """Each channel by itself, convolved over `kernel` frames; zeros beyond the ends of the clip."""

    def __init__(self, channels: dict[str, int], *, kernel: int, **common):
        super().__init__(channels, **common)
        width = common["width"]
        self.convolution = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)

    def along_time(self, x_BSTD: Tensor) -> Tensor:
        x_NDT = rearrange(x_BSTD, "b s t d -> (b s) d t")
        return rearrange(self.convolution(x_NDT), "(b s) d t -> b s t d", b=x_BSTD.shape[0])


class TemporalShift(TimelineBranch):
    """An eighth of the channels comes from the frame before, an eighth from the frame after; nothing is learned.

    Lin et al., TSM: Temporal shift module, 2019, section 3, with the share they found best for residual branches.
    """

    def along_time(self, x_BSTD: Tensor) -> Tensor:
        eighth = x_BSTD.shape[-1] // 8
        before, after, stays = x_BSTD.split([eighth, eighth, x_BSTD.shape[-1] - 2 * eighth], dim=-1)
        edge = torch.zeros_like(before[:, :, :1])
        shifted = torch.cat([edge, before[:, :, :-1]], dim=2), torch.cat([after[:, :, 1:], edge], dim=2)
        return torch.cat([*shifted, stays], dim=-1)
