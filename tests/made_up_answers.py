"""Answers of models as an analysis gathers them, without any model."""

from types import SimpleNamespace

from hybrid.analysis.answers import Answers
from hybrid.analysis.measure import Finding, Measure


def measure(name: str, title: str) -> Measure:
    made = Measure()
    made.name, made.title, made.source, made.unit = name, title, "nobody", ""
    return made


def answers(of: Measure, findings: dict[str, list[Finding]], clips: int) -> Answers:
    """A finding a run, of as many clips, each a group of its own."""
    names = tuple(f"clip{n}" for n in range(clips))
    return Answers(
        of,
        {
            label: [(_asked(f"repeat{r}-fold0", names), finding) for r, finding in enumerate(runs)]
            for label, runs in findings.items()
        },
    )


def _asked(run: str, names: tuple[str, ...]) -> SimpleNamespace:
    return SimpleNamespace(source=SimpleNamespace(run=run, test_to_train=None), names=names, groups=names)
