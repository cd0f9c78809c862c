"""Whether an explanation changes when the model forgets what it has learned."""

import copy
import zlib
from collections.abc import Collection
from dataclasses import replace

import numpy as np
import torch
from scipy.stats import spearmanr
from timm.models import group_parameters
from tqdm import tqdm

from baselines import ClipModel
from hybrid.analysis.base import Attribution, Curve, InputClips, Measure, MeasureResult, ModelUnderTest
from hybrid.analysis.measures.batching import magnitudes


class Randomisation(Measure):
    """Similarity of each clip's answer to that of the same model with weights shuffled.

    cascading: in the topmost 1, 2, ... layers together, down to all. independent: in one layer alone. An answer that
    stays although all layers are shuffled is about the clip alone. No more follows, and methods must not be ranked by
    it: noise falls furthest, and the activations below the shuffled layers stay what they were, so that a good map need
    not fall to 0 (A. Binder et al.: Shortcomings of Top-Down Randomization-Based Sanity Checks, arXiv 2211.12486).
    Of a frozen network's model the layers are the probe's, which alone has learned here: "all shuffled" then leaves the
    network as it is.

    Spearman's correlation over pixels or over a curve's points, and for maps the structural similarity as well.
    """

    source = "J. Adebayo et al.: Sanity Checks for Saliency Maps, NeurIPS 2018, model parameter randomization test"

    def __init__(self, of: Attribution | Measure, curve: str = ""):
        """of: what is checked, the maps of an attribution or one `curve` of a measure."""
        self.of, self.curve = of, curve
        self.name = f"randomisation_{of.name}" + (f"_{curve}".replace(" ", "_") if curve else "")
        self.title = f"Randomised weights, {of.title}" + (f", {curve}" if curve else "")

    def least(self, name: str) -> float:
        return -1

    def applies_to(self, model: ClipModel) -> bool:
        return self.of.applies_to(model)

    def passes(self, model: ClipModel, num_frames: int) -> float:
        # the trained one, every step of the cascade, and every layer alone but the topmost again
        return 2 * len(layers_from_the_top(model)) * self.of.passes(model, num_frames)

    def passes_once(self, model: ClipModel, num_frames: int) -> float:
        return 2 * len(layers_from_the_top(model)) * self.of.passes_once(model, num_frames)

    def answer(self, tested: ModelUnderTest, clips: InputClips, batch_size: int) -> np.ndarray:
        """The curve (N, X), or relevance without signs (N, T, H, W) of the frames that the model sees."""
        if isinstance(self.of, Measure):
            return self.of.measure(tested, clips, batch_size).curves[self.curve].y_NX
        seen = len(tested.model.used_frames(clips.clip_NCTHW.shape[2]))
        maps = magnitudes(self.of, tested, clips, batch_size)
        return torch.cat([relevance_BTHW[:, :seen] for relevance_BTHW in maps]).numpy()

    def measure(self, tested: ModelUnderTest, clips: InputClips, batch_size: int = 16) -> MeasureResult:
        layers = layers_from_the_top(tested.model)
        similarities = {"rank correlation": spearman}
        if isinstance(self.of, Attribution):
            similarities["structural similarity"] = ssim
        learned = self.answer(tested, clips, batch_size)

        def after(choices: list[tuple[str, ...]]) -> list[dict[str, np.ndarray]]:
            steps = []
            for names in tqdm(choices, f"{tested.label} {self.name}", unit="layer", disable=None, leave=False):
                answer = self.answer(randomised(tested, set(names)), clips, batch_size)
                steps.append({name: alike(learned, answer) for name, alike in similarities.items()})
            return steps

        cascading = after([sum(layers[:depth], ()) for depth in range(1, len(layers) + 1)])
        independent = [cascading[0], *after(layers[1:])]  # both begin with the topmost layer alone
        result = MeasureResult()
        for name in similarities:
            for kind, steps in (("cascading", cascading), ("independent", independent)):
                y_NX = np.stack([step[name] for step in steps], axis=1)
                label = "layers shuffled, from the top" if kind == "cascading" else "layer shuffled, from the top"
                result.curves[f"{kind}, {name}"] = Curve(np.arange(1, len(steps) + 1), y_NX, label, name)
            result.figures[f"{name}, all shuffled"] = cascading[-1][name]
            result.figures[f"{name}, top shuffled"] = cascading[0][name]
        return result


def layers_from_the_top(model: ClipModel) -> list[tuple[str, ...]]:
    """Names of the parameters of each layer, the classifier's first, as layer-wise learning rates group them."""
    groups = group_parameters(model, model.group_matcher(coarse=True))
    return [tuple(groups[depth]) for depth in sorted(groups, reverse=True)]


def randomised(tested: ModelUnderTest, names: Collection[str], seed: int = 0) -> ModelUnderTest:
    """A copy of the model in which the numbers of each of these parameters are in random order.

    Shuffled and not drawn anew: mean and spread of each tensor stay, so that a map changes for what was learned and not
    for the size of the weights, and any parameter can be treated alike. What training left constant stays as it is, and
    so do BatchNorm's running statistics.
    """
    model = copy.deepcopy(tested.model)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name in names:
                generator = torch.Generator().manual_seed(zlib.crc32(f"{seed} {name}".encode()))
                order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
                parameter.copy_(parameter.flatten()[order].reshape(parameter.shape))
    return replace(tested, model=model)


def spearman(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(N,) rank correlation over all that each clip has, (N, ...); NaN where one of the two has no order."""
    pairs = zip(one.reshape(len(one), -1), other.reshape(len(other), -1), strict=True)
    return np.array([np.nan if np.ptp(a) == 0 or np.ptp(b) == 0 else spearmanr(a, b).statistic for a, b in pairs])


def ssim(one_NTHW: np.ndarray, other_NTHW: np.ndarray) -> np.ndarray:
    """(N,) structural similarity of maps, each clip's divided by its largest value; mean over the frames."""
    from torchmetrics.functional.image import structural_similarity_index_measure  # here, since it takes seconds

    one, other = (torch.from_numpy(by_largest(maps)).float() for maps in (one_NTHW, other_NTHW))
    return structural_similarity_index_measure(one, other, data_range=1.0, reduction="none").double().numpy()


def by_largest(maps_NTHW: np.ndarray) -> np.ndarray:
    largest_N = maps_NTHW.max(axis=(1, 2, 3), keepdims=True)
    return maps_NTHW / np.where(largest_N > 0, largest_N, 1)
