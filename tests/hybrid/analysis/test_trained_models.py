"""Which trained models are found, what they are called, and which clips they may be asked about."""

import shutil

import pytest
from untrained_runs import untrained, write_untrained

from hybrid.analysis.trained_models import find_trained_runs
from hybrid.errors import UserError
from hybrid.training.checkpoint import save_trained


@pytest.fixture(scope="module")
def experiment(tmp_path_factory, small_dataset):
    return write_untrained(tmp_path_factory.mktemp("runs") / "first", small_dataset, models=("vgg16", "slowfast"))


def called(runs):
    return [(run.label, run.name) for run in runs]


def test_every_finished_run_is_found_in_the_order_of_the_registry(experiment):
    runs = ("repeat0-fold0", "repeat0-fold1")
    assert called(find_trained_runs([experiment.path])) == [(m, run) for m in ("vgg16", "slowfast") for run in runs]
    assert called(find_trained_runs([experiment.path / "slowfast"])) == [("slowfast", run) for run in runs]
    run = experiment.run("slowfast", 0, 1)
    assert called(find_trained_runs([run.path])) == called(find_trained_runs([run.model])) == [("slowfast", runs[1])]


def test_models_and_runs_are_chosen_by_name_and_pattern(experiment):
    assert called(find_trained_runs([experiment.path], ["slowfast"], ["*-fold1"])) == [("slowfast", "repeat0-fold1")]
    with pytest.raises(UserError, match="no model is named 'hybird'; there are: .*slowfast"):
        find_trained_runs([experiment.path], ["hybird"])
    with pytest.raises(UserError, match="no run is called repeat9.*; there are: repeat0-fold0, repeat0-fold1"):
        find_trained_runs([experiment.path], [], ["repeat9*"])


def test_a_run_may_be_asked_about_the_clips_of_its_own_fold(experiment, small_dataset):
    first, second = find_trained_runs([experiment.path], ["vgg16"])
    assert not first.held_out & second.held_out
    assert len(first.held_out | second.held_out) == 12
    assert first.test_to_train == pytest.approx(len(first.held_out) / len(second.held_out))
    assert first.seed != second.seed


def test_a_file_apart_has_its_name_from_its_content(experiment, tmp_path):
    save_trained(tmp_path / "mine.ckpt", untrained("slowfast", experiment="first", fold=1))
    (run,) = find_trained_runs([tmp_path / "mine.ckpt"])
    assert called([run]) == [("slowfast", "repeat0-fold1")]
    assert not run.of_experiment and run.test_to_train is None


def test_models_of_two_experiments_are_told_apart(experiment, tmp_path):
    second = tmp_path / "second"
    shutil.copytree(experiment.path, second)
    labels = {run.label for run in find_trained_runs([experiment.path, second / "vgg16"])}
    assert labels == {"slowfast", "vgg16 (first)", "vgg16 (second)"}
    third = tmp_path / "elsewhere" / "first"
    shutil.copytree(experiment.path, third)
    with pytest.raises(UserError, match="are both slowfast repeat0-fold0"):
        find_trained_runs([experiment.path, third])


def test_the_same_folder_twice_is_one(experiment):
    assert called(find_trained_runs([experiment.path, experiment.path / "vgg16"])) == called(
        find_trained_runs([experiment.path])
    )


def test_what_is_not_there_is_explained(tmp_path):
    with pytest.raises(UserError, match="no such checkpoint or folder"):
        find_trained_runs([tmp_path / "none"])
    with pytest.raises(UserError, match="holds no finished run"):
        find_trained_runs([tmp_path])
