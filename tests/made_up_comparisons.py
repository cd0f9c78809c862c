"""Results of a measure for several models as an analysis reads them, without any model."""

from types import SimpleNamespace

from hybrid.analysis.base import Measure, MeasureResult
from hybrid.analysis.comparison import Comparison


def measure(name: str, title: str) -> Measure:
    made = Measure()
    made.name, made.title, made.source, made.unit = name, title, "nobody", ""
    return made


def comparison(of: Measure, results: dict[str, list[MeasureResult]], clips: int) -> Comparison:
    """One result for each run, all of the same clips, each a group of its own."""
    names = tuple(f"clip{n}" for n in range(clips))
    return Comparison(
        of,
        {
            label: [(_run(f"repeat{r}-fold0", names), result) for r, result in enumerate(runs)]
            for label, runs in results.items()
        },
    )


def _run(name: str, clips: tuple[str, ...]) -> SimpleNamespace:
    trained_run = SimpleNamespace(test_to_train=None)
    return SimpleNamespace(name=name, trained_run=trained_run, clip_names=clips, clip_groups=clips)
