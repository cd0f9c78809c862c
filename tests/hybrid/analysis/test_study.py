"""Who is asked what: clips, questions that were answered before, and what is refused before anything is computed."""

import shutil

import numpy as np
import pytest
import torch
from support import write_dataset
from untrained_runs import Answer, Brightness, OnlySlowFast, groups, untrained, write_masked_dataset, write_untrained

from hybrid.analysis.answers import gather
from hybrid.analysis.asking import answered, ask, tasks
from hybrid.analysis.cost import costs
from hybrid.analysis.footage import clips_for
from hybrid.analysis.sources import find_sources
from hybrid.analysis.study import FEW, prepare
from hybrid.errors import UserError
from hybrid.training.checkpoint import load_trained, save_trained

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_masked_dataset(tmp_path_factory.mktemp("masked") / "clips_of_mine")


@pytest.fixture(scope="module")
def experiment(tmp_path_factory, root):
    return write_untrained(tmp_path_factory.mktemp("runs") / "three", root)


def study_of(folder, paths, asked=None, labels=(), runs=(), **options):
    sources = find_sources(paths, labels, runs)
    return prepare(folder, sources, asked or groups(Answer()), {"brightness": Brightness()}, **options)


def ask_all(study):
    every = tasks(study, costs(study, CPU))
    pending = [task for task in every if not answered(study, task)]
    ask(study, pending, CPU, batch_size=2)
    return len(pending)


def test_every_model_is_asked_about_the_same_clips_of_its_own_held_out_fold(experiment, tmp_path):
    study = study_of(tmp_path, [experiment.path], clips_a_run=3)
    assert [len(asked.numbers) for asked in study.asked] == [3] * 6
    for asked in study.asked:
        assert set(asked.names) <= asked.source.held_out
    assert len({(asked.source.run, asked.names) for asked in study.asked}) == 2, (
        "the same ones for all models of a fold"
    )
    assert len({asked.clips for asked in study.asked}) == 2


def test_clips_are_spread_over_the_grades(experiment, tmp_path):
    (asked,) = study_of(tmp_path, [experiment.path], labels=["vgg16"], runs=["*fold0"], clips_a_run=2).asked
    votes = asked.footage.target_NK[list(asked.numbers)] @ np.arange(1, 6)
    assert votes.max() - votes.min() > 1


def test_clips_have_their_masks_and_truth(experiment, tmp_path):
    (asked,) = study_of(tmp_path, [experiment.path], labels=["vgg16"], runs=["*fold0"]).asked
    clips = clips_for(load_trained(asked.source.checkpoint), asked.footage, asked.numbers)
    numbers = [int(name.removesuffix(".mkv")) for name in clips.names]
    assert clips.clip_NCTHW.shape == (len(clips), 3, 16, 64, 64) and clips.frame_rate == 16
    for n, number in enumerate(numbers):
        assert (clips.mask_NTHW[n, :, number] == 3).all() and (clips.mask_NTHW[n] > 0).sum() == 16 * 64
    assert clips.truth["beat_hz"].tolist() == [number + 0.5 for number in numbers]


def test_what_is_answered_is_not_asked_again_but_for_another_checkpoint(experiment, root, tmp_path):
    own = tmp_path / "own"
    shutil.copytree(experiment.path, own)
    measure = Answer()
    only = dict(labels=["vgg16"], gallery_clips=1)
    asked = study_of(tmp_path / "out", [own], groups(measure), clips_a_run=3, **only)
    assert ask_all(asked) == 2 + 1 and len(measure.asked) == 2
    assert ask_all(asked) == 0 and len(measure.asked) == 2

    torch.manual_seed(99)
    save_trained(own / "vgg16" / "repeat0-fold1" / "model.ckpt", untrained("vgg16", fold=1))
    ask_all(study_of(tmp_path / "out", [own], groups(measure), clips_a_run=3, **only))
    assert [asked[:2] for asked in measure.asked[2:]] == [("vgg16", 1)]

    ask_all(study_of(tmp_path / "out", [own], groups(measure), clips_a_run=2, **only))
    assert len(measure.asked) == 3 + 2


def test_a_stopped_analysis_goes_on_where_it_was(experiment, tmp_path):
    measure = Answer()
    only = dict(labels=["vgg16", "slowfast"], clips_a_run=2, gallery_clips=0)
    study = study_of(tmp_path, [experiment.path], groups(measure), **only)
    working = measure.measure

    def fails_the_second_time(subject, clips, batch_size):
        if len(measure.asked) == 1:
            raise KeyboardInterrupt
        return working(subject, clips, batch_size)

    measure.measure = fails_the_second_time
    with pytest.raises(KeyboardInterrupt):
        ask_all(study)
    measure.measure = working
    assert ask_all(study) == 3
    assert [label for label, *_ in measure.asked] == [asked.source.label for asked in study.asked]


def test_what_does_not_apply_is_not_asked(experiment, tmp_path):
    native = OnlySlowFast()
    study = study_of(tmp_path, [experiment.path], groups(native), runs=["*fold0"], clips_a_run=2, gallery_clips=0)
    ask_all(study)
    assert [label for label, *_ in native.asked] == ["slowfast"]
    (answers,) = gather(study).values()
    assert answers.labels == ["slowfast"]


def test_answers_are_gathered_by_run_and_clip(experiment, tmp_path):
    study = study_of(tmp_path, [experiment.path], labels=["vgg16", "slowfast"], clips_a_run=3, gallery_clips=0)
    ask_all(study)
    (answers,) = gather(study).values()
    rows = answers.values("vgg16", "grade (grades)")
    assert len(rows) == 6 and rows["run"].nunique() == 2 and rows["group"].str.startswith("donor").all()
    for asked in study.of("vgg16"):
        trained = load_trained(asked.source.checkpoint)
        with torch.no_grad():
            dist_NK = trained.model(clips_for(trained, asked.footage, asked.numbers).clip_NCTHW).softmax(-1)
        own = rows[rows["run"] == asked.source.run].set_index("clip")["value"].loc[list(asked.names)]
        np.testing.assert_allclose(own, dist_NK @ torch.arange(1.0, 6.0), atol=1e-5)
    estimate = answers.estimate("vgg16", "grade (grades)")
    assert estimate.mean == pytest.approx(rows["value"].mean()) and estimate.runs == 2
    assert answers.estimate("vgg16", "clips").mean == 3
    curves = answers.curves("vgg16", "frames")
    assert curves.y_RX.shape == (2, 16) and curves.mean_X[0] == pytest.approx(rows["value"].mean())
    paired = answers.difference("vgg16", "slowfast", "grade (grades)")
    assert paired.mean == pytest.approx(estimate.mean - answers.estimate("slowfast", "grade (grades)").mean)


def test_a_single_checkpoint_is_asked_about_a_folder_of_videos(root, tmp_path):
    save_trained(tmp_path / "mine.ckpt", untrained("slowfast"))
    videos = tmp_path / "videos"
    shutil.copytree(root / "clips", videos)
    study = study_of(tmp_path / "out", [tmp_path / "mine.ckpt"], data=videos, clips_a_run=4, gallery_clips=2)
    assert study.labels == ["slowfast"] and len(study.asked[0].numbers) == 4
    ask_all(study)
    (answers,) = gather(study).values()
    assert len(answers.values("slowfast", "grade (grades)")) == 4
    clips = clips_for(load_trained(tmp_path / "mine.ckpt"), study.asked[0].footage, study.asked[0].numbers)
    assert clips.mask_NTHW is None and clips.truth is None and np.isnan(clips.target_NK).all()
    assert not (videos / ".cache").exists()
    with pytest.raises(UserError, match="mine.ckpt: lies in no run's folder; name a folder of clips with --data"):
        study_of(tmp_path / "out", [tmp_path / "mine.ckpt"])


def test_the_experiments_own_data_set_is_known_wherever_it_lies(experiment, root, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(root, moved)
    study = study_of(tmp_path / "out", [experiment.path], data=moved)
    assert all(set(asked.names) == asked.source.held_out for asked in study.asked) and not study.notices
    other = write_dataset(tmp_path / "other", num_clips=5)
    study = study_of(tmp_path / "out", [experiment.path], data=other)
    assert all(len(asked.names) == 5 for asked in study.asked)
    assert len(study.notices) == 3 and "is not known" in study.notices[0]


def test_every_unreadable_video_is_named(root, tmp_path):
    save_trained(tmp_path / "mine.ckpt", untrained("vgg16"))
    videos = tmp_path / "videos"
    videos.mkdir()
    for name in ("a.mp4", "b.mp4"):
        (videos / name).write_text("no video")
    with pytest.raises(UserError, match=r"2 of 2 clips cannot be read:\n.*a\.mp4 .*\n.*b\.mp4 "):
        study_of(tmp_path / "out", [tmp_path / "mine.ckpt"], data=videos)


def test_a_data_set_that_is_gone_is_said_to_be(experiment, root, tmp_path):
    own = tmp_path / "own"
    shutil.copytree(experiment.path, own)
    for config in own.rglob("config.yaml"):
        config.write_text(config.read_text().replace(str(root), str(tmp_path / "gone")))
    with pytest.raises(UserError, match="the data set is no longer at .*gone; name a folder of clips with --data"):
        study_of(tmp_path / "out", [own])


def test_dear_measures_are_asked_about_a_few_clips_and_those_of_parts_only_where_there_are_masks(
    experiment, small_dataset, tmp_path
):
    dear, parts = Answer(), Answer()
    parts.name = "parts"
    asked = (*groups(dear, few=True), *groups(parts, needs_masks=True))
    study = study_of(tmp_path, [experiment.path], asked, labels=["vgg16"], runs=["*fold0"])
    ask_all(study)
    assert len(dear.asked[0][2]) == FEW < len(parts.asked[0][2]) == len(study.asked[0].numbers)
    plain = study_of(tmp_path, [experiment.path], asked, ["vgg16"], data=small_dataset)
    assert not plain.asked_by(asked[1]) and len(plain.asked_by(asked[0])) == 2
