import numpy as np
import pytest
from experiments import write_experiment

from hybrid.evaluation.comparisons import contrasts
from hybrid.evaluation.effects import effects
from hybrid.evaluation.results import load_experiment
from hybrid.evaluation.statistics import corrected_resampled_t, holm


@pytest.fixture
def told(tmp_path):
    arms = {"hybrid": 0.2, "window-3": 0.3, "positions-none": 0.35, "window-3+positions-none": 0.5}
    folder = write_experiment(tmp_path, arms, repeats=2)
    results = load_experiment(folder)
    return results, results.by_arm, results.groups


def test_a_row_is_the_contrast_with_the_default(told):
    results, runs, groups = told
    table = effects(runs, "hybrid", ["window-3", "positions-none"], groups, repetitions=300)
    pairs = contrasts(results, 300).set_index(["arm_a", "arm_b"])
    for row in table.to_dict("records"):
        pair = pairs.loc[("hybrid", row["arm"])]
        assert row["difference"] == pytest.approx(-pair["difference"]) and row["low"] == pytest.approx(-pair["high"])
        assert row["clip_low"] == pytest.approx(-pair["clip_high"], rel=1e-6) and row["p"] == pytest.approx(pair["p"])
        assert row["difference"] > 0 and "hybrid has a lower MSE than " + row["arm"] in row["words"]
        assert "exploratory" in row["words"]
    assert table["p_holm"].tolist() == pytest.approx(holm(table["p"]).tolist())
    assert table["interaction"].isna().all()


def test_an_interaction_is_what_lies_beyond_the_sum(told):
    _, runs, groups = told
    joint = "window-3+positions-none"
    parts = {joint: ("window-3", "positions-none")}
    (row,) = effects(runs, "hybrid", [joint], groups, parts=parts, repetitions=100).to_dict("records")
    mse = {arm: 100 * np.array([of[key].mse for key in sorted(of)]) for arm, of in runs.items()}
    beyond = mse[joint] - mse["window-3"] - mse["positions-none"] + mse["hybrid"]
    test = corrected_resampled_t(beyond, 0.25)  # five folds
    assert row["interaction"] == pytest.approx(beyond.mean()) and beyond.mean() > 0
    assert [row["interaction_low"], row["interaction_high"]] == pytest.approx([test.low, test.high])


def test_an_arm_that_cannot_be_paired_is_there_without_figures(told):
    _, runs, groups = told
    runs["window-3"] = {key: run for key, run in runs["window-3"].items() if key == (0, 0)}
    table = effects(runs, "hybrid", ["window-3", "window-5", "positions-none"], groups, repetitions=100)
    assert table["arm"].tolist() == ["window-3", "window-5", "positions-none"]
    assert table["difference"].isna().tolist() == [True, True, False]
    assert table["p_holm"].tolist()[2] == table["p"].tolist()[2], "one comparison needs no adjustment"
    assert len(effects({}, "hybrid", ["window-3"], {})) == 1
