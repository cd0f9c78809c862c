"""Whether measures that go about it differently find the same frames important: computed from their answers."""

from __future__ import annotations

from collections.abc import Mapping

from hybrid.analysis.agreement import agreement
from hybrid.analysis.answers import Answers
from hybrid.analysis.measure import Curve, Finding, Measure

SOURCES = {
    "receptive_field": ("receptive field", "frames"),
    "occlusion": ("occlusion", "effect, freeze"),
    "frame_mass_integrated_gradients_blur": ("integrated gradients", "share"),
}
"""by measure, its short name and the curve over frames that stands for it"""


class FrameAgreement(Measure):
    """Spearman's correlation over the frames of a clip between what two measures say of each frame, 1 to -1.

    Of the receptive field the frame's share of all influence, of frame occlusion the change of the answer without it,
    of integrated gradients its share of relevance. Measures that agree may be wrong together; where they do not, what
    one of them says of single frames is its own. It costs nothing: the answers are those of the measures.
    """

    name = "frame_agreement"
    title = "Agreement of measures on frames"
    source = "rank correlation as in Adebayo et al.: Sanity checks for saliency maps, NeurIPS 2018"
    unit = ""


def frame_agreement(gathered: Mapping[str, Answers]) -> Answers | None:
    """None where fewer than two of the measures have been answered."""
    there = {name: gathered[name] for name in SOURCES if name in gathered}
    findings: dict[str, list] = {}
    for label in dict.fromkeys(label for answers in there.values() for label in answers.labels):
        for asked in [asked for asked, _ in next(iter(there.values())).findings.get(label, [])]:
            importance_NT = {
                short: curve.y_NX
                for short, curve in (
                    (SOURCES[name][0], _curve(answers, label, asked.source.run, SOURCES[name][1]))
                    for name, answers in there.items()
                )
                if curve is not None
            }
            figures = {f"{one} and {other}": rho_N for (one, other), rho_N in agreement(importance_NT).items()}
            if figures:
                findings.setdefault(label, []).append((asked, Finding(figures=figures)))
    return Answers(FrameAgreement(), findings) if findings else None


def _curve(answers: Answers, label: str, run: str, name: str) -> Curve | None:
    for asked, finding in answers.findings.get(label, []):
        if asked.source.run == run:
            return finding.curves.get(name)
    return None
