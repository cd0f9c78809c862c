"""Which models are asked about which clips, what is computed only once, and what is refused beforehand."""

import shutil

import numpy as np
import pytest
import torch
from support import write_dataset
from untrained_runs import Answer, Brightness, OnlySlowFast, groups, untrained, write_masked_dataset, write_untrained

from hybrid.analysis.comparison import read_comparisons
from hybrid.analysis.compute import compute, costs, is_stored, tasks
from hybrid.analysis.plan import FEW, make_plan
from hybrid.analysis.trained_models import find_trained_runs
from hybrid.errors import UserError
from hybrid.training.checkpoint import load_trained, save_trained

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_masked_dataset(tmp_path_factory.mktemp("masked") / "clips_of_mine")


@pytest.fixture(scope="module")
def experiment(tmp_path_factory, root):
    return write_untrained(tmp_path_factory.mktemp("runs") / "three", root)


def plan_of(folder, paths, measures=None, labels=(), runs=(), **options):
    trained_runs = find_trained_runs(paths, labels, runs)
    return make_plan(folder, trained_runs, measures or groups(Answer()), {"brightness": Brightness()}, **options)


def compute_all(plan):
    every = tasks(plan, costs(plan, CPU))
    pending = [task for task in every if not is_stored(plan, task)]
    compute(plan, pending, CPU, batch_size=2)
    return len(pending)


def test_every_model_is_asked_about_the_same_clips_of_its_own_held_out_fold(experiment, tmp_path):
    plan = plan_of(tmp_path, [experiment.path], clips_a_run=3)
    assert [len(run.numbers) for run in plan.runs] == [3] * 6
    for run in plan.runs:
        assert set(run.clip_names) <= run.trained_run.held_out
    assert len({(run.name, run.clip_names) for run in plan.runs}) == 2, "the same ones for all models of a fold"
    assert len({run.clips_digest for run in plan.runs}) == 2


def test_clips_are_spread_over_the_grades(experiment, tmp_path):
    (run,) = plan_of(tmp_path, [experiment.path], labels=["vgg16"], runs=["*fold0"], clips_a_run=2).runs
    votes = run.clip_set.target_NK[list(run.numbers)] @ np.arange(1, 6)
    assert votes.max() - votes.min() > 1


def test_clips_have_their_masks(experiment, tmp_path):
    (run,) = plan_of(tmp_path, [experiment.path], labels=["vgg16"], runs=["*fold0"]).runs
    clips = run.clip_set.for_model(load_trained(run.trained_run.checkpoint), run.numbers)
    numbers = [int(name.removesuffix(".mkv")) for name in clips.names]
    assert clips.clip_NCTHW.shape == (len(clips), 3, 16, 64, 64) and clips.frame_rate == 16
    for n, number in enumerate(numbers):
        assert (clips.mask_NTHW[n, :, number] == 3).all() and (clips.mask_NTHW[n] > 0).sum() == 16 * 64


def test_what_is_answered_is_not_asked_again_but_for_another_checkpoint(experiment, root, tmp_path):
    own = tmp_path / "own"
    shutil.copytree(experiment.path, own)
    measure = Answer()
    only = dict(labels=["vgg16"], gallery_clips=1)
    plan = plan_of(tmp_path / "out", [own], groups(measure), clips_a_run=3, **only)
    assert compute_all(plan) == 2 + 1 and len(measure.asked) == 2
    assert compute_all(plan) == 0 and len(measure.asked) == 2

    torch.manual_seed(99)
    save_trained(own / "vgg16" / "repeat0-fold1" / "model.ckpt", untrained("vgg16", fold=1))
    compute_all(plan_of(tmp_path / "out", [own], groups(measure), clips_a_run=3, **only))
    assert [asked[:2] for asked in measure.asked[2:]] == [("vgg16", 1)]

    compute_all(plan_of(tmp_path / "out", [own], groups(measure), clips_a_run=2, **only))
    assert len(measure.asked) == 3 + 2


def test_a_stopped_analysis_goes_on_where_it_was(experiment, tmp_path):
    measure = Answer()
    only = dict(labels=["vgg16", "slowfast"], clips_a_run=2, gallery_clips=0)
    plan = plan_of(tmp_path, [experiment.path], groups(measure), **only)
    working = measure.measure

    def fails_the_second_time(tested, clips, batch_size):
        if len(measure.asked) == 1:
            raise KeyboardInterrupt
        return working(tested, clips, batch_size)

    measure.measure = fails_the_second_time
    with pytest.raises(KeyboardInterrupt):
        compute_all(plan)
    measure.measure = working
    assert compute_all(plan) == 3
    assert [label for label, *_ in measure.asked] == [run.label for run in plan.runs]


def test_what_does_not_apply_is_not_asked(experiment, tmp_path):
    native = OnlySlowFast()
    plan = plan_of(tmp_path, [experiment.path], groups(native), runs=["*fold0"], clips_a_run=2, gallery_clips=0)
    compute_all(plan)
    assert [label for label, *_ in native.asked] == ["slowfast"]
    (comparison,) = read_comparisons(plan).values()
    assert comparison.labels == ["slowfast"]


def test_answers_are_gathered_by_run_and_clip(experiment, tmp_path):
    plan = plan_of(tmp_path, [experiment.path], labels=["vgg16", "slowfast"], clips_a_run=3, gallery_clips=0)
    compute_all(plan)
    (comparison,) = read_comparisons(plan).values()
    rows = comparison.values("vgg16", "grade (grades)")
    assert len(rows) == 6 and rows["run"].nunique() == 2 and rows["group"].str.startswith("donor").all()
    for run in plan.runs_of("vgg16"):
        trained = load_trained(run.trained_run.checkpoint)
        with torch.no_grad():
            dist_NK = trained.model(run.clip_set.for_model(trained, run.numbers).clip_NCTHW).softmax(-1)
        own = rows[rows["run"] == run.name].set_index("clip")["value"].loc[list(run.clip_names)]
        np.testing.assert_allclose(own, dist_NK @ torch.arange(1.0, 6.0), atol=1e-5)
    estimate = comparison.estimate("vgg16", "grade (grades)")
    assert estimate.mean == pytest.approx(rows["value"].mean()) and estimate.runs == 2
    assert comparison.estimate("vgg16", "clips").mean == 3
    curves = comparison.curves("vgg16", "frames")
    assert curves.y_RX.shape == (2, 16) and curves.mean_X[0] == pytest.approx(rows["value"].mean())
    paired = comparison.difference("vgg16", "slowfast", "grade (grades)")
    assert paired.mean == pytest.approx(estimate.mean - comparison.estimate("slowfast", "grade (grades)").mean)


def test_a_single_checkpoint_is_asked_about_a_folder_of_videos(root, tmp_path):
    save_trained(tmp_path / "mine.ckpt", untrained("slowfast"))
    videos = tmp_path / "videos"
    shutil.copytree(root / "clips", videos)
    plan = plan_of(tmp_path / "out", [tmp_path / "mine.ckpt"], data=videos, clips_a_run=4, gallery_clips=2)
    assert plan.labels == ["slowfast"] and len(plan.runs[0].numbers) == 4
    compute_all(plan)
    (comparison,) = read_comparisons(plan).values()
    assert len(comparison.values("slowfast", "grade (grades)")) == 4
    clips = plan.runs[0].clip_set.for_model(load_trained(tmp_path / "mine.ckpt"), plan.runs[0].numbers)
    assert clips.mask_NTHW is None and np.isnan(clips.target_NK).all()
    assert not (videos / ".cache").exists()
    with pytest.raises(UserError, match="mine.ckpt: lies in no run's folder; name a folder of clips with --data"):
        plan_of(tmp_path / "out", [tmp_path / "mine.ckpt"])


def test_the_experiments_own_data_set_is_known_wherever_it_lies(experiment, root, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(root, moved)
    plan = plan_of(tmp_path / "out", [experiment.path], data=moved)
    assert all(set(run.clip_names) == run.trained_run.held_out for run in plan.runs) and not plan.notices
    other = write_dataset(tmp_path / "other", num_clips=5)
    plan = plan_of(tmp_path / "out", [experiment.path], data=other)
    assert all(len(run.clip_names) == 5 for run in plan.runs)
    assert len(plan.notices) == 3 and "is not known" in plan.notices[0]


def test_every_unreadable_video_is_named(root, tmp_path):
    save_trained(tmp_path / "mine.ckpt", untrained("vgg16"))
    videos = tmp_path / "videos"
    videos.mkdir()
    for name in ("a.mp4", "b.mp4"):
        (videos / name).write_text("no video")
    with pytest.raises(UserError, match=r"2 of 2 clips cannot be read:\n.*a\.mp4 .*\n.*b\.mp4 "):
        plan_of(tmp_path / "out", [tmp_path / "mine.ckpt"], data=videos)


def test_a_data_set_that_is_gone_is_said_to_be(experiment, root, tmp_path):
    own = tmp_path / "own"
    shutil.copytree(experiment.path, own)
    for config in own.rglob("config.yaml"):
        config.write_text(config.read_text().replace(str(root), str(tmp_path / "gone")))
    with pytest.raises(UserError, match="the data set is no longer at .*gone; name a folder of clips with --data"):
        plan_of(tmp_path / "out", [own])


def test_dear_measures_are_asked_about_a_few_clips_and_those_of_parts_only_where_there_are_masks(
    experiment, small_dataset, tmp_path
):
    dear, parts = Answer(), Answer()
    parts.name = "parts"
    measures = (*groups(dear, few=True), *groups(parts, needs_masks=True))
    plan = plan_of(tmp_path, [experiment.path], measures, labels=["vgg16"], runs=["*fold0"])
    compute_all(plan)
    assert len(dear.asked[0][2]) == FEW < len(parts.asked[0][2]) == len(plan.runs[0].numbers)
    plain = plan_of(tmp_path, [experiment.path], measures, ["vgg16"], data=small_dataset)
    assert not plain.runs_for(measures[1]) and len(plain.runs_for(measures[0])) == 2
