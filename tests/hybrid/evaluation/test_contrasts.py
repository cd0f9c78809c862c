import numpy as np
import pandas as pd
import pytest
from experiments import write_experiment
from scipy import stats

from hybrid.errors import UserError
from hybrid.evaluation.comparisons import PREREGISTERED, contrasts, in_words, unanswered
from hybrid.evaluation.metrics import squared_error
from hybrid.evaluation.results import ExperimentResults, load_experiment, read_groups
from hybrid.evaluation.statistics import holm
from hybrid.files import read_json, write_json

FOUR = {"vgg16": 0.5, "slowfast": 0.3, "timesformer": 0.2, "hybrid": 0.1}


def test_every_pair_is_there_once_and_the_registered_ones_are_adjusted(tmp_path):
    table = contrasts(load_experiment(write_experiment(tmp_path, FOUR, repeats=2)), repetitions=200)
    pairs = list(zip(table["arm_a"], table["arm_b"], strict=True))
    assert pairs[:2] == [("hybrid", "slowfast"), ("hybrid", "timesformer")]
    assert len({frozenset(pair) for pair in pairs}) == len(pairs) == 6
    assert list(table["kind"]) == ["pre-registered"] * 2 + ["exploratory"] * 4
    assert table["p_holm"][:2].tolist() == pytest.approx(holm(table["p"][:2]).tolist())
    assert table["p_holm"][2:].isna().all()
    assert (table["runs"] == 10).all() and (table["df"] == 9).all() and (table["clips"] == 60).all()


def test_a_row_is_what_its_files_say(tmp_path):
    folder = write_experiment(tmp_path, {"hybrid": 0.1, "slowfast": 0.15}, folds=3, repeats=2, groups=20)
    (row,) = contrasts(load_experiment(folder)).to_dict("records")
    runs = [(repeat, fold) for repeat in (0, 1) for fold in (0, 1, 2)]
    results = {m: [read_json(folder.run(m, *key).result) for key in runs] for m in ("hybrid", "slowfast")}
    mse = {model: 100 * np.array([r["metrics"]["mse"] for r in results[model]]) for model in results}
    difference = mse["hybrid"] - mse["slowfast"]
    scale = np.sqrt(difference.var(ddof=1) * (1 / 6 + 1 / 2))  # 3 folds: half as many clips tested as trained on
    assert row["difference"] == pytest.approx(difference.mean())
    assert row["t"] == pytest.approx(difference.mean() / scale)
    assert row["p"] == row["p_holm"] == pytest.approx(2 * stats.t.sf(abs(row["t"]), 5))
    assert row["a_better"] == pytest.approx(stats.t.cdf((-0.05 - difference.mean()) / scale, 5))
    assert row["a_better"] + row["equivalent"] + row["b_better"] == pytest.approx(1)

    of_clip = {}
    for key in runs:
        error_N = []
        for model in ("hybrid", "slowfast"):
            table = pd.read_csv(folder.run(model, *key).predictions)
            error_N.append(100 * squared_error(table.filter(like="predicted_"), table.filter(like="target_")))
        for clip, difference in zip(table["clip"], error_N[0] - error_N[1], strict=True):
            of_clip.setdefault(clip, []).append(difference)
    assert {len(differences) for differences in of_clip.values()} == {2}
    assert (row["clips"], row["groups"]) == (60, 20)
    assert row["clip_difference"] == pytest.approx(np.mean(list(of_clip.values())))
    assert row["clip_low"] < row["clip_difference"] < row["clip_high"]


def test_only_runs_that_both_have_done_are_paired(tmp_path):
    folder = write_experiment(tmp_path, {"hybrid": 0.1, "slowfast": 0.2, "vgg16": 0.3})
    for fold in (0, 1, 2):
        folder.run("hybrid", 0, fold).result.unlink()
    for fold in (2, 3, 4):
        folder.run("vgg16", 0, fold).result.unlink()
    table = contrasts(load_experiment(folder), repetitions=100)
    runs = {frozenset(pair): n for *pair, n in table[["arm_a", "arm_b", "runs"]].itertuples(index=False)}
    assert runs == {frozenset(("hybrid", "slowfast")): 2, frozenset(("slowfast", "vgg16")): 2}


def test_all_questions_are_asked_where_their_arms_are_there(tmp_path):
    arms = {"slowfast_nln": 0.2, "ensemble": 0.25, "rostfine": 0.15} | FOUR
    table = contrasts(load_experiment(write_experiment(tmp_path, arms)), repetitions=100)
    assert tuple(zip(table["arm_a"], table["arm_b"], strict=True))[:5] == PREREGISTERED
    assert (table["kind"] == "pre-registered").sum() == 5
    assert table["p_holm"][:5].tolist() == pytest.approx(holm(table["p"][:5]).tolist())


def test_a_question_that_is_not_answered_is_said_to_be_open():
    done = [(arm, 0, fold) for arm in ("hybrid", "slowfast") for fold in range(5)] + [("timesformer", 0, 4)]
    assert unanswered(done, ["hybrid", "ensemble"]) == [
        "hybrid against timesformer: not answered, runs that both have done: 1 of 2.",
        "hybrid against ensemble: not answered, no run of ensemble is done.",
    ]
    assert unanswered([("hybrid", 0, 0)], []) == []
    assert unanswered([("vgg16", 0, 0), ("slowfast", 0, 0)], ["vgg16"]) == []  # who compares others did not ask
    everything = {arm for pair in PREREGISTERED for arm in pair}
    assert unanswered(((arm, 0, fold) for arm in everything for fold in (0, 1)), everything) == []


def test_arms_that_are_not_asked_about_are_left_out(tmp_path):
    some = load_experiment(write_experiment(tmp_path, FOUR)).of(("hybrid", "vgg16"))
    assert contrasts(some, 100)[["arm_a", "arm_b"]].values.tolist() == [["hybrid", "vgg16"]]


def test_training_on_a_share_of_the_clips_does_not_tie_runs_closer(tmp_path):
    folder = write_experiment(tmp_path, {"a": 0.1, "b": 0.2})
    (whole,) = contrasts(load_experiment(folder), 100).to_dict("records")
    for run in folder.done_runs():
        write_json(run.result, read_json(run.result) | {"train_clips": 6})
    (share,) = contrasts(load_experiment(folder), 100).to_dict("records")
    assert share["low"] == whole["low"] and share["p"] == whole["p"]


def test_an_experiment_without_runs_has_no_rows(tmp_path):
    folder = write_experiment(tmp_path, {})
    table = contrasts(ExperimentResults(folder, [], read_groups(folder), None, "no run is done"))
    assert len(table) == 0 and "words" in table


def test_without_groups_every_clip_is_its_own(tmp_path):
    folder = write_experiment(tmp_path, {"a": 0.1, "b": 0.2}, groups=None)
    (row,) = contrasts(load_experiment(folder), 100).to_dict("records")
    assert row["groups"] == row["clips"] == 60


def test_a_clip_may_be_called_like_a_missing_value(tmp_path):
    folder = write_experiment(tmp_path, {"a": 0.1, "b": 0.2})
    for path in (folder.folds, *(run.predictions for run in folder.done_runs())):
        path.write_text(path.read_text().replace("p7/clip.mp4", "NA").replace("donor3\n", "007\n"))
    assert contrasts(load_experiment(folder), 100)["clips"].tolist() == [60]


def test_files_that_contradict_each_other_are_named(tmp_path):
    folder = write_experiment(tmp_path, {"a": 0.1, "b": 0.2})
    run = folder.run("a", 0, 1)
    result = read_json(run.result)
    write_json(run.result, result | {"metrics": {"mse": 2 * result["metrics"]["mse"]}})
    with pytest.raises(UserError, match="repeat0-fold1/predictions.csv.*not of one run"):
        contrasts(load_experiment(folder))
    write_json(run.result, result)
    run.predictions.unlink()
    with pytest.raises(UserError, match="repeat0-fold1/predictions.csv"):
        contrasts(load_experiment(folder))


ROW = {
    "arm_a": "hybrid", "arm_b": "slowfast", "kind": "pre-registered", "runs": 15, "simulated": False,
    "difference": -0.2, "low": -0.35, "high": -0.05, "p": 0.004, "p_holm": 0.008,
    "a_better": 0.97, "equivalent": 0.02, "b_better": 0.01, "clip_low": -0.3, "clip_high": -0.1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "says", "says_not"),
    [
        ({}, ["hybrid has a lower MSE than slowfast", "by 0.20 x 10^-2", "0.05 to 0.35", "Holm-adjusted p 0.008"],
         ["turn round", "exploratory", "simulated", "Neither"]),
        ({"difference": 0.2, "low": 0.05, "high": 0.35, "clip_low": 0.1, "clip_high": 0.3},
         ["slowfast has a lower MSE than hybrid", "0.05 to 0.35"], ["turn round"]),
        ({"clip_high": 0.01}, ["hybrid has a lower MSE", "other clips could turn round"], []),
        ({"p_holm": 0.06, "p": 0.03}, ["Neither hybrid nor slowfast is shown to be better", "hybrid's MSE is 0.20",
         "-0.35 to -0.05", "allows for the number of contrasts", "does not show them to be equal"], ["has a lower"]),
        ({"p_holm": 0.3, "p": 0.3, "high": 0.1}, ["Neither", "-0.35 to 0.10"], ["has a lower", "allows for"]),
        ({"equivalent": 0.97, "a_better": 0.02}, ["practically equivalent", "less than 0.05 x 10^-2", "0.97"],
         ["has a lower", "Neither"]),
        ({"kind": "exploratory", "p_holm": np.nan}, ["has a lower", "exploratory", "p 0.004"], ["Holm"]),
        ({"simulated": True}, ["on these simulated clips"], []),
        ({"clip_low": np.nan, "clip_high": np.nan}, ["has a lower"], ["turn round", "nan"]),
    ],
)  # fmt: skip
def test_words_say_no_more_than_the_numbers(change, says, says_not):
    words = in_words(ROW | change)
    assert all(part in words for part in says), words
    assert not any(part in words for part in says_not), words
    assert words.endswith(".") and words.count(". ") == 0, "one sentence"
