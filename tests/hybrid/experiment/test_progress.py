import os
import time

import pytest

from hybrid.experiment.progress import Progress, live_line, monitored
from hybrid.files import write_json, write_text
from hybrid.folders import ExperimentFolder


@pytest.fixture
def runs(tmp_path):
    folder = ExperimentFolder(tmp_path)
    return [folder.run(model, 0, fold) for model in ("slow", "quick") for fold in (0, 1, 2)]


def finish(run, seconds):
    write_json(run.result, {"seconds": seconds})


def test_nothing_is_known_before_the_first_run_is_under_way(runs):
    progress = Progress(runs, epochs=4)
    assert progress.seconds_left() is None and progress.pending() == runs and not progress.under_way()


def test_a_models_finished_runs_say_how_long_its_others_take(runs):
    progress = Progress(runs, epochs=4, started=time.time() - 32)
    finish(runs[0], 30)
    finish(runs[3], 2)
    assert progress.seconds_left() == pytest.approx(2 * 30 + 2 * 2)
    assert len(progress.pending()) == 4


def test_a_failed_run_is_not_waited_for(runs):
    progress = Progress(runs, epochs=4, started=time.time() - 30)
    finish(runs[0], 30)
    write_text(runs[1].error, "ValueError: no")
    assert progress.pending() == runs[2:]
    assert progress.seconds_left() == pytest.approx(4 * 30)


def test_runs_side_by_side_shorten_the_wait(runs):
    progress = Progress(runs, epochs=4, started=time.time() - 30)
    finish(runs[0], 30)
    finish(runs[1], 30)
    assert progress.seconds_left() == pytest.approx(4 * 30 / 2)


def test_what_was_done_before_says_nothing_of_side_by_side(runs):
    for run in runs[:2]:
        finish(run, 30)
        os.utime(run.result, (time.time() - 3600,) * 2)
    assert Progress(runs, epochs=4, started=time.time() - 1).seconds_left() == pytest.approx(4 * 30)


def test_the_epochs_of_runs_under_way_count(runs):
    progress = Progress(runs, epochs=4, started=time.time() - 30)
    finish(runs[0], 30)
    write_text(runs[1].metrics, "epoch,train/mse\n0,0.1\n1,0.1\n2,0.1\n")
    assert progress.under_way() == {runs[1]: 3}
    assert progress.seconds_left() == pytest.approx(30 / 4 + 4 * 30)
    line = live_line(progress, finished=1)
    assert line.startswith("1 of 6 runs done; slow/repeat0-fold1 epoch 3/4; elapsed 00:3") and "left 02:07" in line


def test_every_run_is_told_once_when_it_ends(runs, capsys):
    finish(runs[0], 30)
    with monitored(Progress(runs, epochs=4)):
        write_text(runs[1].error, "Traceback\nRuntimeError: out of memory\n")
        write_json(runs[3].result, {"seconds": 61, "metrics": {"mse": 0.0123}})
    assert capsys.readouterr().out.splitlines() == [
        "[2/6] slow/repeat0-fold1         FAILED: RuntimeError: out of memory",
        "[3/6] quick/repeat0-fold0        MSE 1.23 x 10^-2   took 01:01",
    ]
