"""Words that say what the intervals say: no more, and nothing without a figure."""

from types import SimpleNamespace

import numpy as np
from made_up_comparisons import comparison, measure

from hybrid.analysis.base import MeasureResult
from hybrid.analysis.page.context import ModelStyle, PageContext
from hybrid.analysis.page.differences import by_pair, caution, differences, sentence, summary
from hybrid.analysis.page.figures import KINDS, PARTS, draw_parts

STYLES = {
    "slowfast": ModelStyle("SlowFast", "convolution"),
    "timesformer": ModelStyle("TimeSformer", "transformer"),
    "hybrid": ModelStyle("Hybrid (ours)", "hybrid"),
}
PAGE = PageContext(None, STYLES)
PAIRS = [("slowfast", "timesformer"), ("slowfast", "hybrid")]


def results(*means, runs=3, spread=0.1, name="distance (s)"):
    """By model, in the order of STYLES; none for None."""
    rng = np.random.default_rng(0)
    return {
        label: [MeasureResult(figures={name: mean + spread * rng.normal(size=6)}) for _ in range(runs)]
        for label, mean in zip(STYLES, means, strict=True)
        if mean is not None
    }


def compare(*means, **options):
    made = comparison(measure("field", "Field"), results(*means, **options), 6)
    return differences(made, made.names("figures"), "field-figures", PAIRS)


def test_a_clear_difference_and_none_are_told_apart():
    clear, none = compare(1.0, 2.0, 1.0)
    assert clear.difference.differs and clear.higher == "timesformer"
    assert sentence(clear, PAGE) == (
        f"distance (s): higher in TimeSformer (SlowFast {clear.first_mean:.3g}, TimeSformer {clear.second_mean:.3g}; "
        f"SlowFast minus TimeSformer {clear.difference.mean:+.3g}, "
        f"95 % over 3 trained models {clear.difference.run_low:+.3g} to {clear.difference.run_high:+.3g}, "
        f"95 % over 6 clips {clear.difference.clip_low:+.3g} to {clear.difference.clip_high:+.3g})."
    )
    assert not none.difference.differs
    assert sentence(none, PAGE).startswith("distance (s): not shown to differ between SlowFast and Hybrid (ours)")
    first, second = by_pair([clear, none], PAIRS)
    assert first.second_higher == {"Field": [clear]} and not first.first_higher and not first.not_shown
    assert second.not_shown == {"Field": [none]}
    assert all(one.picture == "field-figures" for one in (clear, none))


def test_trainings_that_contradict_each_other_show_no_difference():
    made = comparison(
        measure("field", "Field"),
        {
            "slowfast": [MeasureResult(figures={"x": np.full(6, value)}) for value in (0.0, 4.0)],
            "timesformer": [MeasureResult(figures={"x": np.full(6, 1.0)}) for _ in range(2)],
        },
        6,
    )
    (one,) = differences(made, ["x"], "field-figures", PAIRS)
    assert one.difference.clip_low == one.difference.clip_high == 1.0 and not one.difference.differs


def test_what_a_model_does_not_have_is_not_compared():
    assert [(one.first, one.second) for one in compare(1.0, None, 2.0)] == [("slowfast", "hybrid")]
    assert compare(1.0, np.nan, None) == []


def test_a_caution_counts_and_says_when_there_is_one_training():
    assert caution(compare(1.0, 2.0, 1.0)).startswith("1 of 2 comparisons differ")
    assert "one training of each" not in caution(compare(1.0, 2.0, 1.0))
    assert "one training of each" in caution(compare(1.0, 2.0, 1.0, runs=1))


def test_a_summary_names_the_clearest_of_each_pair_and_no_more_than_fit_a_screen():
    made = [
        one
        for n, far in enumerate((0.5, 8.0, 2.0, 4.0, 0.0))
        for one in differences(
            comparison(measure(f"field{n}", f"Field {n}"), results(1.0, 1.0 + far, 1.0), 6), ["distance (s)"], "", PAIRS
        )
    ]
    first, second = summary(made, PAIRS, PAGE)
    assert first.startswith(
        "SlowFast and TimeSformer: 4 of 5 figures differ. The clearest: Field 1, distance (s) (higher"
    )
    named = [part[: len("Field 0")] for part in first.partition("The clearest: ")[2].split("; ")]
    assert named == ["Field 1", "Field 3", "Field 2"]
    assert second == "SlowFast and Hybrid (ours): 0 of 5 figures differ."


def test_a_measure_whose_clearest_figure_is_the_clearest_is_named_whatever_its_others_show():
    made = [
        one
        for n, far in enumerate((8.0, 2.0, 3.0, 4.0))
        for figure, distance in {"clear": far, "faint": 0.5}.items()
        for one in differences(
            comparison(measure(f"field{n}", f"Field {n}"), results(1.0, 1.0 + distance, None, name=figure), 6),
            [figure],
            "",
            PAIRS[:1],
        )
        if n == 0 or figure == "clear"
    ]
    (told,) = summary(made, PAIRS, PAGE)
    assert "5 of 5 figures differ. The clearest: Field 0, clear (higher" in told and "faint" not in told
    assert told.count("; ") == 2 and "Field 1" not in told


def test_parts_are_bars_of_every_model_and_method(tmp_path):
    figures = {f"lift {part}": np.full(4, value) for part, value in zip(PARTS, (3.0, 2.0, 0.5), strict=True)}
    methods = [
        comparison(measure("localisation_a", "Relevance, Grad-CAM"), {"slowfast": [MeasureResult(figures=figures)]}, 4),
        comparison(
            measure("localisation_b", "Relevance, Rollout"), {"hybrid": [MeasureResult(figures=figures)] * 2}, 4
        ),
    ]
    picture = draw_parts(methods, KINDS[0], PageContext(SimpleNamespace(folder=tmp_path), STYLES))
    assert "Grad-CAM, SlowFast: head 3, midpiece 2, tail 0.5" in picture.alt and "TimeSformer" not in picture.alt
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {"parts-lift.svg", "parts-lift.png"}
