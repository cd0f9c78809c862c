import pytest

from hybrid.experiment.folder import ExperimentFolder
from hybrid.experiment.progress import Progress, clock
from hybrid.files import write_json


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
    progress = Progress(runs)
    finish(runs[0], 30)
    finish(runs[3], 2)
    assert progress.seconds_left() == pytest.approx(2 * 30 + 2 * 2)
    assert progress.position() == 2


def test_a_failed_run_is_not_waited_for(runs):
    progress = Progress(runs)
    finish(runs[0], 30)
    progress.failed.add(runs[1].label)
    assert progress.pending() == runs[2:]
    assert progress.seconds_left() == pytest.approx(4 * 30)


def test_the_clock_reads_like_a_clock():
    assert clock(None) == "?" and clock(65) == "01:05" and clock(3723) == "1:02:03"
