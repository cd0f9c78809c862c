import os
import time

import pytest

from hybrid.experiment.folder import ExperimentFolder
from hybrid.experiment.progress import Progress, clock
from hybrid.files import write_json, write_text


@pytest.fixture
def runs(tmp_path):
    folder = ExperimentFolder(tmp_path)
    return [folder.run(model, 0, fold) for model in ("slow", "quick") for fold in (0, 1, 2)]


def finish(run, seconds):
    write_json(run.result, {"seconds": seconds})


def test_nothing_is_known_before_the_first_run_is_under_way(runs):
    progress = Progress(runs)
    assert progress.seconds_left() is None and progress.position() == 0
    assert progress.seconds_left(runs[0], share_done=0.5, spent=10) == pytest.approx(6 * 20 - 10)


def test_a_models_finished_runs_say_how_long_its_others_take(runs):
    progress = Progress(runs, started=time.time() - 32)
    finish(runs[0], 30)
    finish(runs[3], 2)
    assert progress.seconds_left() == pytest.approx(2 * 30 + 2 * 2)
    assert progress.position() == 2


def test_a_failed_run_is_not_waited_for(runs):
    progress = Progress(runs, started=time.time() - 30)
    finish(runs[0], 30)
    write_text(runs[1].error, "ValueError: no")
    assert progress.pending() == runs[2:]
    assert progress.seconds_left() == pytest.approx(4 * 30)


def test_runs_side_by_side_shorten_the_wait(runs):
    progress = Progress(runs, started=time.time() - 30)
    finish(runs[0], 30)
    finish(runs[1], 30)
    assert progress.seconds_left() == pytest.approx(4 * 30 / 2)


def test_what_was_done_before_says_nothing_of_side_by_side(runs):
    for run in runs[:2]:
        finish(run, 30)
        os.utime(run.result, (time.time() - 3600,) * 2)
    assert Progress(runs, started=time.time() - 1).seconds_left() == pytest.approx(4 * 30)


def test_a_run_elsewhere_reads_the_same_plan(runs, tmp_path):
    progress = Progress(runs)
    progress.write(ExperimentFolder(tmp_path))
    assert Progress.read(ExperimentFolder(tmp_path)) == progress


def test_the_clock_reads_like_a_clock():
    assert clock(None) == "?" and clock(65) == "01:05" and clock(3723) == "1:02:03"
