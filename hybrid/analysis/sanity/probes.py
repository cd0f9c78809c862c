"""What a sanity check asks again and again of changed models: an attribution's maps, or a measure's curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from baselines import ClipModel
from hybrid.analysis.attribution import Attribution
from hybrid.analysis.attributions.placing import frames_seen
from hybrid.analysis.measure import Measure
from hybrid.analysis.relevance.maps import magnitudes
from hybrid.analysis.subject import Clips, Subject


@dataclass(frozen=True)
class MapProbe:
    """Relevance without signs, (N, T, H, W), of the frames that the model sees."""

    attribution: Attribution

    @property
    def name(self) -> str:
        return self.attribution.name

    @property
    def title(self) -> str:
        return self.attribution.title

    def applies_to(self, model: ClipModel) -> bool:
        return self.attribution.applies_to(model)

    def passes(self, model: ClipModel, num_frames: int) -> float:
        return self.attribution.passes(model, num_frames)

    def passes_once(self, model: ClipModel, num_frames: int) -> float:
        return 0

    def answer(self, subject: Subject, clips: Clips, batch_size: int) -> np.ndarray:
        seen = frames_seen(subject.model, clips.clip_NCTHW.shape[2])
        maps = magnitudes(self.attribution, subject, clips, batch_size)
        return torch.cat([relevance_BTHW[:, :seen] for relevance_BTHW in maps]).numpy()


@dataclass(frozen=True)
class CurveProbe:
    """One curve of a measure, (N, X)."""

    of: Measure
    curve: str

    @property
    def name(self) -> str:
        return f"{self.of.name}_{self.curve}".replace(" ", "_")

    @property
    def title(self) -> str:
        return f"{self.of.title}, {self.curve}"

    def applies_to(self, model: ClipModel) -> bool:
        return self.of.applies_to(model)

    def passes(self, model: ClipModel, num_frames: int) -> float:
        return self.of.passes(model, num_frames)

    def passes_once(self, model: ClipModel, num_frames: int) -> float:
        return self.of.passes_once(model, num_frames)

    def answer(self, subject: Subject, clips: Clips, batch_size: int) -> np.ndarray:
        return self.of.measure(subject, clips, batch_size).curves[self.curve].y_NX
