"""Whether an explanation changes when the model forgets what it has learned."""

from __future__ import annotations

import numpy as np
from tqdm import tqdm

from baselines import ClipModel
from hybrid.analysis.attribution import Attribution
from hybrid.analysis.measure import Curve, Finding, Measure
from hybrid.analysis.sanity.probes import CurveProbe, MapProbe
from hybrid.analysis.sanity.randomised import layers_from_the_top, randomised
from hybrid.analysis.sanity.similarity import spearman, ssim
from hybrid.analysis.subject import Clips, Subject


class Randomisation(Measure):
    """Similarity of each clip's answer to that of the same model with weights shuffled.

    cascading: in the topmost 1, 2, ... layers together, down to all. independent: in one layer alone. An answer that
    stays although all layers are shuffled is about the clip alone. No more follows, and methods must not be ranked by
    it: noise falls furthest, and the activations below the shuffled layers stay what they were, so that a good map need
    not fall to 0 (A. Binder et al.: Shortcomings of Top-Down Randomization-Based Sanity Checks, arXiv 2211.12486).

    Spearman's correlation over pixels or over a curve's points, and for maps the structural similarity as well.
    """

    unit = ""
    source = "J. Adebayo et al.: Sanity Checks for Saliency Maps, NeurIPS 2018, model parameter randomization test"

    def __init__(self, probe: MapProbe | CurveProbe, seed: int = 0):
        self.probe, self.seed = probe, seed
        self.name = f"randomisation_{probe.name}"
        self.title = f"Randomised weights, {probe.title}"

    def applies_to(self, model: ClipModel) -> bool:
        return self.probe.applies_to(model)

    def passes(self, model: ClipModel, num_frames: int) -> float:
        return self.answers(model) * self.probe.passes(model, num_frames)

    def passes_once(self, model: ClipModel, num_frames: int) -> float:
        return self.answers(model) * self.probe.passes_once(model, num_frames)

    def answers(self, model: ClipModel) -> int:
        """Models asked: the trained one, every step of the cascade, and every layer alone but the topmost again."""
        return 2 * len(layers_from_the_top(model))

    def measure(self, subject: Subject, clips: Clips, batch_size: int = 16) -> Finding:
        layers = layers_from_the_top(subject.model)
        similarities = {"rank correlation": spearman}
        if isinstance(self.probe, MapProbe):
            similarities["structural similarity"] = ssim
        learned = self.probe.answer(subject, clips, batch_size)

        def compared(names: tuple[str, ...]) -> dict[str, np.ndarray]:
            forgetful = randomised(subject, set(names), self.seed)
            answer = self.probe.answer(forgetful, clips, batch_size)
            return {name: alike(learned, answer) for name, alike in similarities.items()}

        def after(choices: list[tuple[str, ...]]) -> list[dict[str, np.ndarray]]:
            bar = tqdm(choices, desc=f"{subject.label} {self.name}", unit="layer", disable=None, leave=False)
            return [compared(names) for names in bar]

        cascading = after([sum(layers[:depth], ()) for depth in range(1, len(layers) + 1)])
        independent = [cascading[0], *after(layers[1:])]  # both begin with the topmost layer alone
        finding = Finding()
        for name in similarities:
            for kind, steps in (("cascading", cascading), ("independent", independent)):
                y_NX = np.stack([step[name] for step in steps], axis=1)
                label = "layers shuffled, from the top" if kind == "cascading" else "layer shuffled, from the top"
                finding.curves[f"{kind}, {name}"] = Curve(np.arange(1, len(steps) + 1), y_NX, label, name)
            finding.figures[f"{name}, all shuffled"] = cascading[-1][name]
            finding.figures[f"{name}, top shuffled"] = cascading[0][name]
        return finding


def of_attribution(attribution: Attribution) -> Randomisation:
    return Randomisation(MapProbe(attribution))


def of_curve(measure: Measure, curve: str) -> Randomisation:
    return Randomisation(CurveProbe(measure, curve))
