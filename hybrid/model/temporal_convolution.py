"""Local mixing over time in the attention's place: what global attention has to beat."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn.functional import gelu

from baselines.contract import Intermediates
from hybrid.model.branch import TemporalBranch
from hybrid.model.clock import Clock


class TimelineBranch(TemporalBranch):
    """A place's tokens laid out on the frames of the clip, mixed between neighbouring frames, followed by a GELU.

    Slow's tokens lie at the frames they are of, on top of Fast's where both are read; a frame without a token is zero.
    So a kernel of k sees k frames of the clip, whichever pathway asks, as an attention with a window of k does. Each
    asking pathway takes the result at its own frames.
    """

    asks_with_tokens = False

    def mix(
        self,
        token: dict[str, Tensor],
        clocks: dict[str, Clock],
        grid: tuple[int, int],
        into: Intermediates | None = None,
        name: str = "",
    ) -> dict[str, Tensor]:
        lines: dict[tuple[str, ...], Tensor] = {}
        for read in self.visibility.reads.values():
            if read not in lines:
                lines[read] = gelu(self.along_time(self.timeline(read, token, clocks)))
        return {
            asking: lines[read].index_select(2, clocks[asking].frame_T)
            for asking, read in self.visibility.reads.items()
        }

    @staticmethod
    def timeline(read: tuple[str, ...], token: dict[str, Tensor], clocks: dict[str, Clock]) -> Tensor:
        """(B, S, frames of the clip, D): the sum of the tokens that are of each frame."""
        batch, places, _, width = token[read[0]].shape
        line = token[read[0]].new_zeros(batch, places, clocks[read[0]].num_frames, width)
        for pathway in read:
            line[:, :, clocks[pathway].frame_T] += token[pathway]
        return line

    def along_time(self, x_BSTD: Tensor) -> Tensor:
        """One token a frame, of every place -> the same, mixed."""
        raise NotImplementedError


class TemporalConvolution(TimelineBranch):
    """Each channel by itself, convolved over `kernel` frames; zeros beyond the ends of the clip."""

    def __init__(self, channels: dict[str, int], *, kernel: int, **frame):
        super().__init__(channels, **frame)
        width = frame["width"]
        self.convolution = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)

    def along_time(self, x_BSTD: Tensor) -> Tensor:
        x_NDT = rearrange(x_BSTD, "b s t d -> (b s) d t")
        return rearrange(self.convolution(x_NDT), "(b s) d t -> b s t d", b=len(x_BSTD))


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
