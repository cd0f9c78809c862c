"""What was learned: answers that follow one part of a clip's quality go with that part and with no other."""

import numpy as np
import pandas as pd
import pytest
from finished_runs import report_of, run_of

from hybrid.folders import ExperimentFolder
from hybrid.report.simulated import learned

CLIPS = 400
RESULTS = pd.DataFrame(
    {"arm": ["seer", "mover", "mean"], "title": ["Seer", "Mover", "Mean"], "family": ["hybrid", "convolution", "image"]}
)


def section_of(tmp_path, truth: pd.DataFrame, goodness: dict[str, np.ndarray]):
    """Of answers by arm whose expected grade falls as `goodness` rises; two runs an arm."""
    truth.to_csv(tmp_path / "truth.csv", index=False)
    (tmp_path / "report").mkdir()
    runs = []
    for arm, good in goodness.items():
        best = np.asarray(1 / (1 + np.exp(-good)))
        answer_NK, clip_N = np.stack([best, 1 - best], axis=1), truth["clip"].to_numpy()
        for fold in (0, 1):
            of_fold, tested = ExperimentFolder(tmp_path).run(arm, 0, fold), np.arange(len(truth)) % 2 == fold
            runs.append(run_of(of_fold, 0, fold, clip_N[tested], answer_NK[tested], answer_NK[tested]))
    return learned(report_of(tmp_path, runs, {}, RESULTS))


def test_each_part_of_quality_is_told_apart(tmp_path):
    rng = np.random.default_rng(0)
    parts = {f"quality_{part}": rng.normal(size=CLIPS) for part in ("form", "motion", "event")}
    truth = pd.DataFrame({"clip": [f"{n}.mp4" for n in range(CLIPS)], **parts, "quality_interaction": 0.0})
    truth["quality"], truth["event"] = sum(parts.values()), "turns"
    goodness = {"seer": truth["quality"], "mover": truth["quality_motion"], "mean": np.zeros(CLIPS)}
    section = section_of(tmp_path, truth, goodness)
    (table,), (picture,) = section.tables, section.pictures
    seer, mover, mean = table.frame.to_dict("records")
    assert seer["all_mean"] > 0.95 and mover["motion_mean"] > 0.95
    for part in ("form", "motion", "event"):
        assert seer[f"{part}_mean"] == pytest.approx(3**-0.5, abs=0.12)
        assert mean[f"{part}_mean"] == 0
    assert abs(mover["event_mean"]) < 0.12 and abs(mover["form_mean"]) < 0.12
    assert "interaction_mean" not in table.frame  # it does not vary
    assert "Mover" in picture.svg and (tmp_path / "report" / "learned.png").stat().st_size > 0


def test_of_a_lag_set_each_lag_is_told_apart(tmp_path):
    rng = np.random.default_rng(1)
    lag, sign = rng.choice([2, 12], CLIPS), rng.choice([-1, 1], CLIPS)
    truth = pd.DataFrame({"clip": [f"{n}.mp4" for n in range(CLIPS)], "quality": sign, "event": "relation"})
    truth["event_first"], truth["event_second"] = 1, 1 + lag
    goodness = {"seer": sign, "mover": np.where(lag == 2, sign, rng.normal(size=CLIPS)), "mean": np.zeros(CLIPS)}
    (table,) = section_of(tmp_path, truth, goodness).tables
    seer, mover, _ = table.frame.to_dict("records")
    assert [seer["lag2_mean"], seer["lag12_mean"]] == pytest.approx([1, 1])
    assert mover["lag2_mean"] == pytest.approx(1) and abs(mover["lag12_mean"]) < 0.15


def test_there_is_none_of_clips_of_which_nothing_is_known(tmp_path):
    answer_NK = np.array([[0.5, 0.5]])
    run = run_of(ExperimentFolder(tmp_path).run("seer", 0, 0), 0, 0, ["a.mp4"], answer_NK, answer_NK)
    assert learned(report_of(tmp_path, [run], {}, RESULTS)) is None
