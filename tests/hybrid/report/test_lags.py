"""Error by lag: of each lag's own clips, and of lag presets alone."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from finished_runs import report_of, run_of

from hybrid.evaluation.results import RunResult
from hybrid.evaluation.statistics import clustered_bootstrap
from hybrid.folders import ExperimentFolder
from hybrid.report.simulated import lags

CLIPS = 60
GROUPS = {f"{n}.mp4": f"donor{n % 12}" for n in range(CLIPS)}
RESULTS = pd.DataFrame({"arm": ["near", "none"], "title": ["Near", "None"], "family": ["hybrid", "hybrid"]})


@pytest.fixture
def runs(tmp_path) -> list[RunResult]:
    """Of good clips; 'near' is right about lag 2 and undecided about lag 12, 'none' is undecided."""
    rng = np.random.default_rng(0)
    lag = np.repeat([2, 12], CLIPS // 2)
    names = [f"{n}.mp4" for n in range(CLIPS)]
    truth = pd.DataFrame({"clip": names, "quality": 1.0, "event": "relation"})
    truth["event_first"], truth["event_second"] = 1, 1 + lag
    truth.to_csv(tmp_path / "truth.csv", index=False)
    (tmp_path / "report").mkdir()
    runs, target_NK = [], np.tile([1.0, 0.0], (CLIPS, 1))
    for arm, best in (("near", np.where(lag == 2, 0.9, 0.5)), ("none", np.full(CLIPS, 0.5))):
        best = best + rng.uniform(-0.05, 0.05, CLIPS)
        folder = ExperimentFolder(tmp_path).run(arm, 0, 0)
        runs.append(run_of(folder, 0, 0, names, target_NK, np.stack([best, 1 - best], axis=1)))
    return runs


def test_each_lag_is_of_its_own_clips(runs, tmp_path):
    section = lags(report_of(tmp_path, runs, GROUPS, RESULTS))
    (table,), (picture,) = section.tables, section.pictures
    near, none = table.frame.to_dict("records")
    error = 100 * (1 - runs[0].prediction_NK[: CLIPS // 2, 0]) ** 2
    assert near["lag2"] == pytest.approx(error.mean())
    expected = clustered_bootstrap(error, [GROUPS[clip] for clip in runs[0].clips[: CLIPS // 2]])
    assert [near["lag2_low"], near["lag2_high"]] == pytest.approx([expected.low, expected.high])
    assert near["lag2"] < 2 and none["lag2"] > 20 and near["lag12"] > 20
    assert "Near: lag 2" in picture.alt and (tmp_path / "report" / "lags.png").stat().st_size > 0
    assert "mean predictor" in picture.svg


def test_a_clip_tested_twice_counts_once(runs, tmp_path):
    again = [replace(run, result=run.result | {"repeat": 1}) for run in runs]
    once, twice = (lags(report_of(tmp_path, some, GROUPS, RESULTS)) for some in (runs, [*runs, *again]))
    pd.testing.assert_frame_equal(twice.tables[0].frame, once.tables[0].frame)


def test_other_sets_have_none(runs, tmp_path):
    truth = pd.read_csv(tmp_path / "truth.csv")
    truth.loc[0, "event"] = "turns"
    truth.to_csv(tmp_path / "truth.csv", index=False)
    assert lags(report_of(tmp_path, runs, GROUPS, RESULTS)) is None
