"""Static and dynamic units: which units tell what a cell looks like, and which tell how it moves."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from baselines import ClipModel
from hybrid.analysis.base import InputClips, Matrix, Measure, MeasureResult, ModelUnderTest
from hybrid.analysis.measures.batching import pooled, stacked
from hybrid.analysis.measures.rendered import as_input, pairs_that_share, spec_of

KINDS = ("static", "dynamic", "both", "neither")
INFORMATION = ("static information (nats)", "motion information (nats)", "dynamic information (nats)")

Pairs = tuple[Iterable[Tensor], Iterable[Tensor]]
"""clips (C, T, H, W); those at the same place in both have something in common"""


@dataclass(frozen=True)
class StaticDynamicUnits(Measure):
    """Information that a unit's activations in two clips share when the clips share form alone, or motion alone.

    A unit is a channel of a stage, averaged over space and time. Its information is -log(1 - rho^2) / 2 nats, rho the
    correlation over pairs of clips where that is positive: what two normal variables share, and a lower bound else.
    Pairs are rendered: cells with one form, and everything else drawn anew; cells with one beat and event.

    Cells that share a beat share their posture in every frame too, which a frame shows. So the motion pairs are
    also shown with their frames shuffled, each clip in an order of its own behind its first frame: what is left is
    not dynamic. dynamic information: that of the motion pairs less that of the shuffled ones, not below 0.
    A unit is static if its rho over form pairs is above chance, dynamic if its rho over motion pairs is above both
    chance and its rho when shuffled (Fisher's z); each test is one-sided at `level`. The published measure takes 0.5
    for the bound on rho, where two clips are one recording; cells that share a form are never that alike. Units that
    tell nothing have about 1 / (4 pairs) nats by chance, 0.002 for 128 pairs.
    """

    name = "units"
    title = "Static and dynamic units"
    source = "Kowal et al.: A deeper dive into what deep spatiotemporal networks encode, CVPR 2022"
    rendered = True

    passes_a_clip = 0
    num_pairs: int = 128
    level: float = 0.01

    def passes_once(self, model: ClipModel, num_frames: int) -> float:
        return 6 * self.num_pairs

    def measure(self, tested: ModelUnderTest, clips: InputClips, batch_size: int = 16) -> MeasureResult:
        def sharing(shared: str) -> Pairs:
            both = pairs_that_share(shared, self.num_pairs, spec_of(clips))
            return tuple(as_input(tested, frames_PTHWC) for frames_PTHWC in both)

        shuffled_motion = tuple(map(shuffled, sharing("motion"), (0, 1)))
        return self.of_pairs(tested, sharing("form"), sharing("motion"), shuffled_motion, batch_size)

    def of_pairs(
        self, tested: ModelUnderTest, form: Pairs, motion: Pairs, shuffled_motion: Pairs, batch_size: int
    ) -> MeasureResult:
        """The result for any pairs of clips that share the one or the other."""
        of_three = [
            [activations(tested, clips, batch_size) for clips in pairs] for pairs in (form, motion, shuffled_motion)
        ]
        rho_3D = {
            stage: np.stack([correlation(ones[stage], others[stage]) for ones, others in of_three])
            for stage in of_three[0][0]
        }
        matrix = np.stack([shares(rho, self.num_pairs, self.level) for rho in rho_3D.values()])
        last_of = {stage.pathway: rho for stage, rho in rho_3D.items()}
        last_3D = np.concatenate(list(last_of.values()), axis=1)
        units = dict(zip((f"{kind} units" for kind in KINDS), shares(last_3D, self.num_pairs, self.level), strict=True))
        form_D, motion_D, shuffled_D = information(last_3D)
        nats = form_D.mean(), motion_D.mean(), np.maximum(motion_D - shuffled_D, 0).mean()
        return MeasureResult(
            overall=units | dict(zip(INFORMATION, map(float, nats), strict=True)),
            matrices={"units": Matrix(matrix, tuple(stage.name for stage in rho_3D), KINDS)},
        )


class Stage(NamedTuple):
    name: str
    pathway: str


def shares(rho_3D: np.ndarray, num_pairs: int, level: float) -> np.ndarray:
    """(4,) of D units, in the order of KINDS; they sum to 1.

    rho_3D: each unit's correlation over form pairs, motion pairs, and these shuffled.
    """
    bound = stats.norm.isf(level) / np.sqrt(num_pairs - 3)  # of Fisher's z of an uncorrelated pair
    z_form, z_motion, z_shuffled = np.arctanh(rho_3D)
    static_D = z_form > bound
    dynamic_D = (z_motion > bound) & (z_motion - z_shuffled > np.sqrt(2) * bound)
    kinds = (static_D & ~dynamic_D, dynamic_D & ~static_D, static_D & dynamic_D, ~static_D & ~dynamic_D)
    return np.array([kind_D.mean() for kind_D in kinds])


def information(rho_D: np.ndarray) -> np.ndarray:
    """Nats that two normal variables of this correlation share; 0 of a negative one, which nothing shared explains."""
    return -np.log1p(-(np.maximum(rho_D, 0) ** 2)) / 2


def correlation(one_PD: np.ndarray, other_PD: np.ndarray) -> np.ndarray:
    """(D,); 0 of a unit that does not vary. At most 0.9999, so that its information is finite."""
    one_PD, other_PD = (x_PD - x_PD.mean(axis=0) for x_PD in (one_PD, other_PD))
    spread_D = np.sqrt((one_PD**2).sum(axis=0) * (other_PD**2).sum(axis=0))
    rho_D = np.divide((one_PD * other_PD).sum(axis=0), spread_D, out=np.zeros_like(spread_D), where=spread_D > 0)
    return rho_D.clip(-0.9999, 0.9999)


@torch.no_grad()
def activations(tested: ModelUnderTest, clips: Iterable[Tensor], batch_size: int) -> dict[Stage, np.ndarray]:
    """(N, D) a stage: its channels' means over space and time."""
    parts: dict[Stage, list[Tensor]] = {}
    for clip_BCTHW in stacked(clips, batch_size):
        _, inside = tested.model.forward_intermediates(clip_BCTHW)
        for name, steps in pooled(tested.model, inside).items():
            parts.setdefault(Stage(name, steps.pathway), []).append(steps.h_BDS.mean(dim=2).double().cpu())
    return {stage: torch.cat(part).numpy() for stage, part in parts.items()}


def shuffled(clips: Iterable[Tensor], seed: int) -> Iterator[Tensor]:
    """Every clip's frames but the first in a random order of its own."""
    rng = np.random.default_rng(seed)
    for clip_CTHW in clips:
        yield clip_CTHW[:, np.append(0, 1 + rng.permutation(clip_CTHW.shape[1] - 1))]
