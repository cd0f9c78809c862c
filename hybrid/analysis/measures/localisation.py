"""Where relevance lies: on the head, the midpiece or the tail."""

import torch
import torch.nn.functional as F
from torch import Tensor

from hybrid.analysis.attributions.grad_cam import last_stages
from hybrid.analysis.base import Attribution, AttributionMeasure, InputClips, MeasureResult, ModelUnderTest
from hybrid.analysis.measures.batching import magnitudes
from hybrid.data.simulated import HEAD, MIDPIECE, TAIL
from hybrid.errors import UserError

PARTS = {"head": HEAD, "midpiece": MIDPIECE, "tail": TAIL}


class Localisation(AttributionMeasure):
    """For each part of the cell, over the frames that the model sees:

    share: of |relevance| that lies on the part. area: share of pixels that do. lift = share / area: how many times more
    relevance a pixel of the part has than the mean pixel; 1 for relevance that knows nothing of the cell.
    hit: the pointing game, the share of frames whose most relevant pixel lies on the part (of several equal ones, as
    many as do); chance is the area.

    A tail is one or two pixels wide where the cells of a model's last map have 8 to 32: 'near tail' is the tail widened
    by half such a cell, without head and midpiece. How wide that is differs between models: compare them by the others.
    NaN for a clip that lacks the part, or has no relevance.
    """

    def __init__(self, attribution: Attribution):
        super().__init__(attribution)
        self.name = f"localisation_{attribution.name}"
        self.title = f"Relevance on head and tail, {attribution.title}"
        self.source = (
            "energy: H. Wang et al.: Score-CAM, CVPR workshops 2020, over the area here; pointing game: "
            "J. Zhang et al.: Top-down Neural Attention by Excitation Backprop, ECCV 2016, without its tolerance"
        )

    def measure(self, tested: ModelUnderTest, clips: InputClips, batch_size: int = 16) -> MeasureResult:
        mask_NTHW = checked_masks(clips)
        seen = len(tested.model.used_frames(mask_NTHW.shape[1]))
        widen = half_a_cell(tested, clips)
        rows: dict[str, list[Tensor]] = {}
        done = 0
        for relevance_BTHW in magnitudes(self.attribution, tested, clips, batch_size):
            mask_BTHW = mask_NTHW[done : done + len(relevance_BTHW), :seen]
            done += len(relevance_BTHW)
            for part, on_BTHW in parts(mask_BTHW, widen).items():
                for figure, value_B in located(relevance_BTHW[:, :seen], on_BTHW).items():
                    rows.setdefault(f"{figure} {part}", []).append(value_B)
        return MeasureResult(figures={name: torch.cat(values).double().numpy() for name, values in rows.items()})


def checked_masks(clips: InputClips) -> Tensor:
    """(N, T, H, W) uint8 at the size of the clips."""
    if clips.mask_NTHW is None:
        raise UserError("this data set has no masks/ of head and tail, so where relevance lies cannot be measured")
    wanted = (len(clips), *clips.clip_NCTHW.shape[2:])
    if clips.mask_NTHW.shape != wanted:
        raise ValueError(f"masks must be of the clips' size {wanted}, not {clips.mask_NTHW.shape}")
    return torch.as_tensor(clips.mask_NTHW)


@torch.no_grad()
def half_a_cell(tested: ModelUnderTest, clips: InputClips) -> int:
    """Pixels of half a cell of the model's last map, as Grad-CAM takes it; the finest one of two pathways."""
    _, inside = tested.model.forward_intermediates(clips.clip_NCTHW[:1].to(tested.device))
    cells = max(stage.x_BCTHW.shape[-1] for stage in last_stages(tested.model, inside).values())
    return clips.clip_NCTHW.shape[-1] // cells // 2


def parts(mask_BTHW: Tensor, widen: int) -> dict[str, Tensor]:
    """True where a pixel is of the part: the three parts, the tail widened by so many pixels, the whole cell."""
    on = {part: mask_BTHW == code for part, code in PARTS.items()}
    window = 2 * widen + 1
    near_BTHW = F.max_pool2d(on["tail"].float(), window, stride=1, padding=widen) > 0
    return on | {"near tail": near_BTHW & ~on["head"] & ~on["midpiece"], "cell": mask_BTHW > 0}


def located(relevance_BTHW: Tensor, on_BTHW: Tensor) -> dict[str, Tensor]:
    """share, area, lift and hit, (B,) each, of relevance from 0 up and one part."""
    relevance_BTHW, on = relevance_BTHW.double(), on_BTHW.double()
    nan = torch.tensor(float("nan"), dtype=torch.double)
    whole_B, pixels_B = relevance_BTHW.sum(dim=(1, 2, 3)), on.sum(dim=(1, 2, 3))
    known_B = (whole_B > 0) & (pixels_B > 0)
    share_B = torch.where(known_B, (relevance_BTHW * on).sum(dim=(1, 2, 3)) / whole_B, nan)
    area_B = torch.where(pixels_B > 0, on.mean(dim=(1, 2, 3)), nan)
    return {
        "share": share_B,
        "area": area_B,
        "lift": share_B / area_B,
        "hit": torch.where(known_B, hits(relevance_BTHW, on), nan),
    }


def hits(relevance_BTHW: Tensor, on_BTHW: Tensor) -> Tensor:
    """(B,) over the frames that have relevance."""
    top_BT11 = relevance_BTHW.amax(dim=(2, 3), keepdim=True)
    at_top = ((relevance_BTHW == top_BT11) & (top_BT11 > 0)).double()
    frame_BT = (top_BT11 > 0).double().flatten(1)
    hit_BT = (at_top * on_BTHW).sum(dim=(2, 3)) / at_top.sum(dim=(2, 3)).clamp_min(1)
    return hit_BT.sum(dim=1) / frame_BT.sum(dim=1)
