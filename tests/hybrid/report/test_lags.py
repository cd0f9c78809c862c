"""Error by lag: of each lag's own clips, and of lag presets alone."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from hybrid.evaluation.statistics import clustered_bootstrap
from hybrid.report.evidence import Evidence
from hybrid.report.lags import lags_part
from hybrid.report.truth import truth_of

CLIPS = 60
GROUPS = {f"{n}.mp4": f"donor{n % 12}" for n in range(CLIPS)}
RESULTS = pd.DataFrame({"arm": ["near", "none"], "title": ["Near", "None"], "family": ["hybrid", "hybrid"]})


@pytest.fixture
def evidence(tmp_path) -> Evidence:
    """Of good clips; 'near' is right about lag 2 and undecided about lag 12, 'none' is undecided."""
    rng = np.random.default_rng(0)
    lag = np.repeat([2, 12], CLIPS // 2)
    names = [f"{n}.mp4" for n in range(CLIPS)]
    truth = pd.DataFrame({"clip": names, "quality": 1.0, "event": "relation"})
    truth["event_first"], truth["event_second"] = 1, 1 + lag
    truth.to_csv(tmp_path / "truth.csv", index=False)
    (tmp_path / "report").mkdir()
    rows = []
    for arm, best in (("near", np.where(lag == 2, 0.9, 0.5)), ("none", np.full(CLIPS, 0.5))):
        best = best + rng.uniform(-0.05, 0.05, CLIPS)
        answer = pd.DataFrame({"clip": names, "predicted_A": best, "predicted_B": 1 - best})
        rows.append(answer.assign(target_A=1.0, target_B=0.0, arm=arm, repeat=0, fold=0))
    folder, dataset = SimpleNamespace(report=tmp_path / "report"), SimpleNamespace(root=tmp_path)
    return Evidence(folder, [], [{"simulated": True}], pd.concat(rows), pd.DataFrame(), GROUPS, ("A", "B"), dataset, "")


def test_each_lag_is_of_its_own_clips(evidence, tmp_path):
    table, picture = lags_part(RESULTS, evidence, truth_of(evidence), {"mean predictor": 25.0})
    near, none = table.frame.to_dict("records")
    tested = evidence.predictions[evidence.predictions["arm"] == "near"][: CLIPS // 2]
    error = 100 * (1 - tested["predicted_A"]) ** 2
    assert near["lag2"] == pytest.approx(error.mean())
    expected = clustered_bootstrap(error, [GROUPS[clip] for clip in tested["clip"]])
    assert [near["lag2_low"], near["lag2_high"]] == pytest.approx([expected.low, expected.high])
    assert near["lag2"] < 2 and none["lag2"] > 20 and near["lag12"] > 20
    assert "Near: lag 2" in picture.alt and (tmp_path / "report" / "lags.png").stat().st_size > 0
    assert "mean predictor" in picture.svg


def test_a_clip_tested_twice_counts_once(evidence):
    once, _ = lags_part(RESULTS, evidence, truth_of(evidence), {})
    again = evidence.predictions.assign(repeat=1)
    twice = replace(evidence, predictions=pd.concat([evidence.predictions, again]))
    pd.testing.assert_frame_equal(lags_part(RESULTS, twice, truth_of(twice), {})[0].frame, once.frame)


def test_other_sets_have_none(evidence, tmp_path):
    truth = pd.read_csv(tmp_path / "truth.csv")
    truth.loc[0, "event"] = "turns"
    truth.to_csv(tmp_path / "truth.csv", index=False)
    assert lags_part(RESULTS, evidence, truth_of(evidence), {}) is None
