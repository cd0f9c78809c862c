"""A model trained on all clips: to be used, in no table, with the error of its cross-validation beside it."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from support import ROOT, quick_overrides

from hybrid.config import NO_FOLD
from hybrid.data.folds import held_out_clips
from hybrid.errors import UserError
from hybrid.evaluation.results import load_experiment
from hybrid.experiment.hydra_jobs import asked_runs
from hybrid.experiment.prepare import check, prepare
from hybrid.files import read_json
from hybrid.folders import ExperimentFolder, run_folder
from hybrid.training.all_clips import expected_error, told
from hybrid.training.checkpoint import load_trained, short_digest
from hybrid.training.ensemble import checkpoints_in, find_checkpoints
from hybrid.training.run import train_run


def trained(config):
    dataset, folds_RN = prepare(config)
    return dataset, train_run(config, dataset, folds_RN[config.repeat])


def test_no_clip_is_tested_on_and_all_are_trained_on(config_of):
    config = config_of("model=resnet50", f"fold={NO_FOLD}", "protocol.repeats=2", "repeat=1")
    dataset, result = trained(config)
    run = run_folder(config)
    assert run.path.name == "repeat1-all" and run.done and not run.predictions.exists() and not run.last.exists()
    assert result == read_json(run.result)
    assert (result["fold"], result["train_clips"], result["test_clips"]) == (NO_FOLD, len(dataset), 0)
    assert result["expected"] is None and not {"metrics", "mean_predictor_mse"} & set(result)
    assert result["train_seconds_per_clip"] > 0
    model = load_trained(run.model)
    assert set(model.trained_on.digests) == set(map(short_digest, dataset.digests))
    assert model.origin["fold"] == NO_FOLD
    assert "test/mse" not in pd.read_csv(run.metrics)
    assert train_run(config, dataset, np.zeros(len(dataset))) == result, "what is done is not done again"
    assert told(run, 12) == (
        "resnet50/repeat1-all: trained on all 12 clips, tested on none. What to expect is unknown: no run of resnet50 "
        f"in {run.experiment.path} was tested"
    )


def test_its_error_is_that_of_cross_validation_and_no_table_counts_it(config_of):
    tested = [trained(config_of("model=resnet50", f"fold={fold}"))[1]["metrics"]["mse"] for fold in (0, 1)]
    trained(config_of("model=vgg16"))
    config = config_of("model=resnet50", f"fold={NO_FOLD}")
    result = trained(config)[1]
    expected = {"mse": np.mean(tested), "mse_sd": np.std(tested, ddof=1), "runs": 2}
    assert result["expected"] == pytest.approx(expected)
    run = run_folder(config)
    mean, sd = 100 * expected["mse"], 100 * expected["mse_sd"]
    assert told(run, 12).endswith(f"the MSE of its 2 cross-validated runs: {mean:.2f} (sd {sd:.2f}) x 10^-2")

    folder = run.experiment
    assert {(row.arm, row.fold) for row in load_experiment(folder).runs} == {
        ("resnet50", 0),
        ("resnet50", 1),
        ("vgg16", 0),
    }
    assert len(folder.done_runs()) == len(checkpoints_in(folder.path)) == 3
    # The folds answer for their model; the model of all clips does so where it is named.
    names = [path.parent.name for path in find_checkpoints(folder.path, "resnet50")]
    assert names == ["repeat0-fold0", "repeat0-fold1"]
    assert find_checkpoints(run.path) == find_checkpoints(run.model) == [run.model]


def test_it_answers_for_a_model_that_has_no_folds(tmp_path):
    for arm, run in (("a", "repeat0-all"), ("b", "repeat0-fold0"), ("b", "repeat0-all"), ("c", "repeat0-fold1")):
        folder = tmp_path / arm / run
        folder.mkdir(parents=True)
        (folder / "model.ckpt").touch()
        if arm != "c":
            (folder / "result.json").write_text("{}")
    found = {
        (arm, place): [path.parent.name for path in find_checkpoints(tmp_path / place, arm)]
        for arm, place in (("a", ""), ("a", "a"), ("b", ""), ("b", "b"))
    }
    assert found[("a", "")] == found[("a", "a")] == ["repeat0-all"]
    assert found[("b", "")] == found[("b", "b")] == ["repeat0-fold0"]
    with pytest.raises(UserError, match="holds 2 models; choose one with --model: a, b"):
        find_checkpoints(tmp_path)
    assert expected_error(ExperimentFolder(tmp_path).run("c", 0, NO_FOLD)) is None


def test_folds_share_out_the_clips():
    fold_of_N = np.random.default_rng(0).integers(0, 3, 20)
    assert sorted(np.concatenate([held_out_clips(fold, fold_of_N) for fold in range(3)])) == list(range(20))
    assert len(held_out_clips(NO_FOLD, fold_of_N)) == 0


@pytest.mark.parametrize("fold", ["5", "-1", "all"])
def test_other_words_are_refused(fold, config_of):
    with pytest.raises(UserError, match=f"fold must be 0 to 4, or none, not {fold}"):
        check(config_of("protocol.num_folds=5", f"fold={fold}"))


@pytest.mark.parametrize("fold, hint", [(NO_FOLD, "; one model on all clips is trained by tools/train.py"), ("x", "$")])
def test_a_benchmark_tests(fold, hint, tmp_path, small_dataset):
    words = [*quick_overrides(small_dataset, tmp_path), "model=vgg16", f"fold={fold}"]
    with pytest.raises(UserError, match=f"fold must be numbers, not '{fold}'{hint}"):
        asked_runs(ROOT / "configs", "benchmark", words)


def test_train_says_what_to_expect(tmp_path, small_dataset):
    words = [*quick_overrides(small_dataset, tmp_path), "model=vgg16", "fold=none", "experiment=e"]
    done = subprocess.run([sys.executable, str(ROOT / "tools" / "train.py"), *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "vgg16/repeat0-all: trained on all 12 clips, tested on none. What to expect is unknown" in done.stdout
