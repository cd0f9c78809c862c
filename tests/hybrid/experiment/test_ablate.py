"""Ablations from the command line's words to the report, with the runs launched by Hydra in this process."""

import re

import pandas as pd
import pytest
from support import ROOT, quick_overrides

from hybrid.config import register_schemas
from hybrid.errors import UserError
from hybrid.evaluation.ablation import record_ablations, recorded_ablations
from hybrid.experiment import ablate
from hybrid.experiment.ablate import read_overrides, run_ablations
from hybrid.experiment.arms import ABLATIONS
from hybrid.experiment.prepare import prepare
from hybrid.files import read_yaml, write_json, write_text
from hybrid.folders import ExperimentFolder
from hybrid.report.benchmark import write_report

CONFIGS = ROOT / "configs"


@pytest.fixture
def words(tmp_path, small_dataset):
    register_schemas()
    quick = quick_overrides(small_dataset, tmp_path)
    return lambda *more: [*quick, "protocol.epochs=1", "experiment=a", "hydra/launcher=basic", *more]


@pytest.fixture
def folder(tmp_path):
    return ExperimentFolder(tmp_path / "runs" / "a")


def runs_of(folder):
    return sorted({run.label for run in folder.done_runs()})


def test_a_plan_leaves_no_trace(words, folder, capsys):
    assert run_ablations(CONFIGS, words("ablation=laterals,head"), write_report, only_plan=True) == 0
    printed = capsys.readouterr().out
    lines = {line.split()[0]: line for line in printed.splitlines() if line}
    assert "the default" in lines["hybrid"] and "laterals, head" in lines["hybrid"]
    assert "model.options.laterals=false" in lines["laterals-false"] and "a measured step" in lines["laterals-false"]
    assert "4 arms, 8 runs, 8 of them to do: about 0" in printed and "1 at a time" in printed
    assert not folder.path.exists()


def test_ablations_share_their_default_and_do_what_is_missing(words, folder, capsys):
    assert run_ablations(CONFIGS, words("ablation=laterals"), write_report) == 0
    assert runs_of(folder) == [f"{arm}/repeat0-fold{f}" for arm in ("hybrid", "laterals-false") for f in (0, 1)]
    assert folder.run("laterals-false", 0, 0).read_result()["model"] == "hybrid"
    settings = read_yaml(folder.run("laterals-false", 0, 0).config)
    assert settings["model"]["options"] == {"laterals": False} and settings["arm"] == "laterals-false"
    table = pd.read_csv(folder.report / "ablation-laterals.csv").set_index("arm")
    assert list(table.index) == ["hybrid", "laterals-false"] and table.loc["laterals-false", "runs_done"] == 2
    assert table.loc["laterals-false", "parameters_M"] < table.loc["hybrid", "parameters_M"]
    assert "true (default)" in capsys.readouterr().out

    done = {run.result: run.result.stat().st_mtime_ns for run in folder.done_runs()}
    assert run_ablations(CONFIGS, words("ablation=head", "fold=0"), write_report) == 0
    assert "finished runs" in capsys.readouterr().out
    added = {path for path in runs_of(folder) if not path.startswith(("hybrid/", "laterals-false/"))}
    assert added == {"head-attentive/repeat0-fold0", "head-ordinal/repeat0-fold0"}, "the default's run was done"
    assert {run.result: run.result.stat().st_mtime_ns for run in folder.done_runs()}.items() >= done.items()
    assert [ablation.name for ablation in recorded_ablations(folder)] == ["laterals", "head"]
    assert not (folder.report / "ablation-head.csv").exists(), "one run each cannot be compared"


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("ablation=windw", "no ablation is named 'windw'"),
        ("fold=0", "say which: ablation=NAME"),
        ("arm=mine", "arm=mine: the arms are those of the ablations"),
        ("model=slowfast,hybrid", "an ablation is of one model"),
        ("protocol.epocs=2", "did you mean protocol.epochs?"),
        ("protocol.epochs=0", "protocol.epochs must be 1 or more, not 0"),
        (
            "model=slowfast",
            "of a model that has the option 'laterals', as the hybrid, and 'slowfast' has not",
        ),
    ],
)
def test_a_mistake_is_explained_and_nothing_is_trained(words, folder, word, message):
    named = [] if "ablation" in word or word == "fold=0" else ["ablation=laterals"]
    with pytest.raises(UserError, match=message):
        run_ablations(CONFIGS, words(*named, word), write_report)
    assert not folder.path.exists()


def test_other_settings_than_those_of_the_runs_are_refused(words, folder):
    for job in read_overrides(CONFIGS, words("ablation=laterals")).jobs:
        prepare(job.config)
    write_json(folder.run("laterals-false", 0, 0).result, {})
    with pytest.raises(UserError, match="recipe.learning_rate: 0.003 there, 0.5 asked for"):
        run_ablations(CONFIGS, words("ablation=laterals", "model.recipe.learning_rate=0.5"), write_report)


def test_all_leaves_out_what_weights_are_missing_for_and_says_so(words, tmp_path, monkeypatch):
    some = {name: ABLATIONS[name] for name in ("laterals", "pretraining_targets", "frozen")}
    monkeypatch.setattr(ablate, "ABLATIONS", some)
    asked = read_overrides(CONFIGS, words("ablation=all", "fold=0"))
    shipped = ["pretrained", "frozen-batch_norm", "frozen-backbone"]
    own = ["pretrained-no-bends", "pretrained-no-relations", "pretrained-no-events"]
    assert {job.arm.label for job in asked.jobs} == {"hybrid", "laterals-false", *shipped}
    assert list(asked.left_out) == own
    weights = tmp_path / "runs" / "pretraining-tiny-dense_no_bends" / "slowfast" / "pretrained.ckpt"
    assert f"there is no '{weights}' (see tools/pretrain.py" in asked.left_out["pretrained-no-bends"]
    with pytest.raises(UserError, match=f"arm 'pretrained-no-bends': there is no '{re.escape(str(weights))}'"):
        run_ablations(CONFIGS, words("ablation=pretraining_targets", "fold=0"), write_report)
    write_text(weights, "weights that somebody has trained")
    labels = {job.arm.label for job in read_overrides(CONFIGS, words("ablation=all", "fold=0")).jobs}
    assert labels == {"hybrid", "laterals-false", *shipped, "pretrained-no-bends"}


def test_what_is_added_to_an_arm_is_added_to_the_default_where_they_are_the_same(words, tmp_path):
    asked = read_overrides(CONFIGS, words("ablation=laterals,frozen", "weights=simulated_slowfast", "fold=0"))
    laterals, frozen = asked.ablations
    assert laterals.default.label == frozen.default.label == "hybrid"
    assert [job.arm.label for job in asked.jobs] == ["hybrid", "laterals-false", "frozen-batch_norm", "frozen-backbone"]
    assert [job.config.model.recipe.frozen for job in asked.jobs] == ["none", "none", "batch_norm", "backbone"]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("ablation=published", "arm 'published-none': with these settings it is the same as 'hybrid'"),
        ("ablation=frozen_published", "arm 'frozen_published-batch_norm': fresh weights hold nothing"),
        ("ablation=published protocol.pretrained=official", "arm 'hybrid': there are no published weights"),
    ],
)
def test_an_arm_that_makes_no_sense_here_is_refused(words, word, message):
    with pytest.raises(UserError, match=message):
        read_overrides(CONFIGS, words(*word.split()))


def test_another_model_can_be_ablated_in_what_it_has(words):
    asked = read_overrides(CONFIGS, words("ablation=loss", "model=slowfast", "fold=1"))
    assert [job.arm.label for job in asked.jobs] == ["slowfast", "loss-kl", "loss-emd", "loss-emd2", "loss-rps"]
    assert {job.config.model.name for job in asked.jobs} == {"slowfast"}
    config = asked.jobs[1].config
    assert (config.model.recipe.loss, config.arm, config.repeat, config.fold) == ("kl", "loss-kl", 0, 1)


def test_what_is_recorded_is_read_back(folder):
    ours = list(ABLATIONS.values())
    assert recorded_ablations(folder) == []
    record_ablations(folder, ours[:2])
    record_ablations(folder, ours[1:])
    assert recorded_ablations(folder) == ours
