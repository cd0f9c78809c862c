"""What was learned: answers that follow one part of a clip's quality go with that part and with no other."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from hybrid.report.evidence import Evidence
from hybrid.report.learned import learned_part
from hybrid.report.truth import truth_of

CLIPS = 400
RESULTS = pd.DataFrame(
    {"arm": ["seer", "mover", "mean"], "title": ["Seer", "Mover", "Mean"], "family": ["hybrid", "convolution", "image"]}
)


def evidence_of(tmp_path, truth: pd.DataFrame, goodness: dict[str, np.ndarray]) -> Evidence:
    """Answers by arm whose expected grade falls as `goodness` rises; two runs an arm."""
    truth.to_csv(tmp_path / "truth.csv", index=False)
    (tmp_path / "report").mkdir()
    predictions = []
    for arm, good in goodness.items():
        best = 1 / (1 + np.exp(-good))
        answers = pd.DataFrame({"clip": truth["clip"], "predicted_A": best, "predicted_B": 1 - best})
        predictions.append(answers.assign(arm=arm, repeat=0, fold=np.arange(len(truth)) % 2))
    folder, dataset = SimpleNamespace(report=tmp_path / "report"), SimpleNamespace(root=tmp_path)
    results, answers = [{"simulated": True}], pd.concat(predictions)
    return Evidence(folder, [], results, answers, pd.DataFrame(), {}, ("A", "B"), dataset, "")


def part_of(evidence: Evidence):
    return learned_part(RESULTS, evidence, truth_of(evidence))


def test_each_part_of_quality_is_told_apart(tmp_path):
    rng = np.random.default_rng(0)
    parts = {f"quality_{part}": rng.normal(size=CLIPS) for part in ("form", "motion", "event")}
    truth = pd.DataFrame({"clip": [f"{n}.mp4" for n in range(CLIPS)], **parts, "quality_interaction": 0.0})
    truth["quality"], truth["event"] = sum(parts.values()), "turns"
    goodness = {"seer": truth["quality"], "mover": truth["quality_motion"], "mean": np.zeros(CLIPS)}
    table, picture = part_of(evidence_of(tmp_path, truth, goodness))
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
    table, _ = part_of(evidence_of(tmp_path, truth, goodness))
    seer, mover, _ = table.frame.to_dict("records")
    assert [seer["lag2_mean"], seer["lag12_mean"]] == pytest.approx([1, 1])
    assert mover["lag2_mean"] == pytest.approx(1) and abs(mover["lag12_mean"]) < 0.15


def test_there_is_none_of_clips_of_which_nothing_is_known(tmp_path):
    evidence = evidence_of(tmp_path, pd.DataFrame({"clip": ["a.mp4", "b.mp4"]}), {"seer": np.zeros(2)})
    (tmp_path / "truth.csv").unlink()
    assert part_of(evidence) is None
