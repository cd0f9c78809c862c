"""Our count beside the one its authors print, at their input and their number of classes."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from baselines.registry import ModelEntry, Published
from hybrid import create_model
from hybrid.profiling.cost import profile_model


@dataclass(frozen=True)
class Comparison:
    """Millions of parameters and GMAC, ours and published; the published gmac is None where none is printed."""

    parameters: float
    gmac: float
    published: Published

    @property
    def parameters_off(self) -> float:
        """in per cent of the published figure"""
        return 100 * (self.parameters / self.published.parameters - 1)

    @property
    def gmac_off(self) -> float | None:
        return None if self.published.gmac is None else 100 * (self.gmac / self.published.gmac - 1)

    @property
    def counted_at(self) -> str:
        frames = "one frame" if self.published.frames == 1 else f"{self.published.frames} frames"
        return f"{frames} of {self.published.crop} px, {self.published.classes} classes"


def against_published(entry: ModelEntry) -> Comparison | None:
    """Build and count the default variant as it was published; None where the entry has no figures."""
    if entry.published is None:
        return None
    there = entry.published
    frames = max(there.frames, 8)  # of which an image model sees one
    model = create_model(entry.name, num_grades=there.classes, num_frames=frames, crop_size=there.crop)
    profile = profile_model(AnySize(model), (3, frames, there.crop, there.crop))
    return Comparison(profile.parameters / 1e6, profile.gmac, there)


class AnySize(nn.Module):
    """Without the check of the crop: torchvision's native 112 px are no multiple of 32."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, clip_BCTHW: Tensor) -> Tensor:
        return self.model.forward_head(self.model.forward_features(clip_BCTHW))
