from datetime import datetime

import pandas as pd
import pytest

from hybrid.experiment.plan import START, Plan, in_words, measured_seconds, seconds_of_finished_runs
from hybrid.files import write_json
from hybrid.folders import ExperimentFolder
from hybrid.profiling import timing


@pytest.fixture
def plan(tmp_path):
    rows = [
        {"arm": "hybrid", "settings": "", "asked_by": "a, b, c, d, e", "runs": 5, "done": 5, "seconds": 100.0},
        {
            "arm": "window-3",
            "settings": "model.options.window=3",
            "asked_by": "a",
            "runs": 5,
            "done": 1,
            "seconds": 90.0,
        },
    ]
    return Plan(ExperimentFolder(tmp_path / "e"), pd.DataFrame(rows).assign(source="a measured step"), at_a_time=2)


def test_what_is_left_is_what_is_not_done(plan):
    assert plan.runs_left == 4 and plan.seconds_left == 4 * 90 / 2
    text = in_words(plan, now=datetime(2026, 1, 2, 23, 59))
    assert "2 arms, 10 runs, 4 of them to do: about 03:00, 2 at a time, until Sat 03 Jan 00:02; then the report" in text
    assert "many" in text and "01:40" in text


def test_of_what_is_done_there_is_no_time_left(plan):
    done = Plan(plan.folder, plan.arms.assign(done=5), at_a_time=2)
    assert in_words(done).endswith("2 arms, 10 runs, 0 of them to do")
    one = Plan(plan.folder, plan.arms.assign(done=1, runs=1)[:1], at_a_time=2)
    assert in_words(one).endswith("1 arm, 1 run, 0 of them to do")


def test_finished_runs_say_how_long_the_others_take(tmp_path):
    folder = ExperimentFolder(tmp_path)
    for fold, seconds in enumerate((10, 20)):
        write_json(folder.run("hybrid", 0, fold).result, {"seconds": seconds})
    assert seconds_of_finished_runs(folder, "hybrid") == 15
    assert seconds_of_finished_runs(folder, "window-3") is None


def test_a_measured_step_stands_for_all_of_a_run(config_of, monkeypatch):
    clips = []
    monkeypatch.setattr(timing, "time_training_step", lambda model, clip, **_: clips.append(clip) or 0.03)
    monkeypatch.setattr(timing, "time_inference", lambda model, clip, **_: 0.01)
    config = config_of("protocol.epochs=4", "protocol.num_folds=5", "accelerator=cpu", "model.num_frames=8")
    assert measured_seconds(config, 100, 5) == pytest.approx(START + 4 * (80 * 0.03 + 20 * 0.01))
    assert clips[0].shape == (4, 3, 8, 64, 64)
