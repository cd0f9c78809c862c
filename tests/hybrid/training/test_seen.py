"""No start from weights that know the test clips, unless it is asked for by name and marked."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from untrained_runs import untrained

from hybrid.errors import UserError
from hybrid.experiment.prepare import prepare
from hybrid.report.leaks import leak_notes
from hybrid.training.checkpoint import TrainedOn, load_trained, save_trained, short_digest
from hybrid.training.run import train_run
from hybrid.training.seen import behind, check_start, check_starts, trained_on


@pytest.fixture
def prepared(config_of):
    return prepare(config_of("model=vgg16"))


@pytest.fixture
def start(tmp_path, prepared):
    """start(0, 1, complete=True): a checkpoint that was trained on these clips."""
    dataset, _ = prepared

    def make(*clips, name="start.ckpt", **facts):
        trained = untrained("vgg16")
        trained.trained_on = TrainedOn(tuple(short_digest(dataset.digests[clip]) for clip in clips), **facts)
        save_trained(tmp_path / name, trained)
        return tmp_path / name

    return make


def test_a_start_that_has_seen_test_clips_is_refused_or_allowed_by_name(config_of, prepared, start):
    dataset, folds_RN = prepared
    path = start(*np.flatnonzero(folds_RN[0] == 0))
    tested = int((folds_RN[0] == 0).sum())
    leaky = f"model.pretrained={path}"
    with pytest.raises(UserError, match=rf"trained on {tested} of the {tested} test clips .*(?s:.*)allow_leak=true"):
        check_start(config_of("model=vgg16", leaky), dataset, folds_RN[0])
    assert check_start(config_of("model=vgg16", leaky, "allow_leak=true"), dataset, folds_RN[0]) == tested


def test_a_start_of_the_same_fold_is_fair(config_of, prepared, start):
    dataset, folds_RN = prepared
    path = start(*np.flatnonzero(folds_RN[0] != 0))
    assert check_start(config_of("model=vgg16", f"model.pretrained={path}"), dataset, folds_RN[0]) == 0
    for weights in ("none", "official"):
        assert check_start(config_of("model=vgg16", f"model.pretrained={weights}"), dataset, folds_RN[0]) == 0


def test_all_runs_are_refused_in_one_message(config_of, prepared, start):
    dataset, folds_RN = prepared
    leaky = f"model.pretrained={start(*range(12))}"
    configs = [config_of("model=vgg16", leaky, f"fold={fold}") for fold in (0, 1)]
    with pytest.raises(UserError) as error:
        check_starts(configs, dataset, folds_RN)
    assert [line.split(":")[0].strip() for line in str(error.value).splitlines()[1:3]] == [
        "vgg16/repeat0-fold0",
        "vgg16/repeat0-fold1",
    ]


def test_what_a_start_has_seen_is_handed_on(config_of, prepared, start):
    dataset, folds_RN = prepared
    test, train = (np.flatnonzero((folds_RN[0] == 0) == tested) for tested in (True, False))
    first = start(test[0])
    config = config_of("model=vgg16", f"model.pretrained={first}", "allow_leak=true")
    record = trained_on(config, dataset, train)
    assert set(record.digests) == {short_digest(dataset.digests[clip]) for clip in (test[0], *train)}
    assert record.complete and record.sides == (64, 64)


def test_the_videos_behind_the_clips_count_as_seen_too(config_of, prepared, tmp_path):
    dataset, _ = prepared
    (tmp_path / "clips").symlink_to(dataset.root / "clips")
    rows = [f"{clip},{str(number) * 64}" for number, clip in enumerate(dataset.clips[:2], 1)]
    (tmp_path / "clips.csv").write_text("\n".join(["clip,video_sha256", *rows]))
    record = trained_on(config_of("model=vgg16"), replace(dataset, root=tmp_path), np.array([1, 2]))
    assert set(record.digests) == {*(short_digest(dataset.digests[clip]) for clip in (1, 2)), "2" * 16}


def test_a_checkpoint_of_ours_that_does_not_say_is_refused(config_of, prepared, tmp_path):
    dataset, folds_RN = prepared
    save_trained(tmp_path / "old.ckpt", untrained("vgg16"))
    torch.save({"state_dict": {}, "pytorch-lightning_version": "2"}, tmp_path / "last.ckpt")
    for name in ("old.ckpt", "last.ckpt"):
        words = ["model=vgg16", f"model.pretrained={tmp_path / name}"]
        with pytest.raises(UserError, match="does not say which clips it was trained on"):
            check_start(config_of(*words), dataset, folds_RN[0])
        assert check_start(config_of(*words, "allow_leak=true"), dataset, folds_RN[0]) is None


def test_a_file_of_others_is_allowed_with_a_notice(config_of, prepared, start, tmp_path, capsys):
    dataset, folds_RN = prepared
    torch.save({"weight": torch.ones(1)}, tmp_path / "published.pt")
    for path in (tmp_path / "published.pt", start(complete=False)):  # itself, and one that started from it
        check_starts([config_of("model=vgg16", f"model.pretrained={path}")], dataset, folds_RN)
        assert f"note: {path} does not say which clips" in capsys.readouterr().err
    assert not trained_on(config_of("model=vgg16", f"model.pretrained={path}"), dataset, np.array([0])).complete


def test_pretraining_on_simulated_clips_has_seen_none(tmp_path):
    for weights, seen in (("none", TrainedOn(())), ("official", TrainedOn(())), ("some.ckpt", None)):
        content = {"format": "sperm-video-hybrid pretraining 1", "about": {"settings": {"model": {}}}}
        content["about"]["settings"]["model"]["pretrained"] = weights
        torch.save(content, tmp_path / f"{weights}.before")  # as it was written before there was a record
        assert behind(str(tmp_path / f"{weights}.before")) == seen


def test_a_run_records_what_it_was_trained_on_and_marks_a_leak(config_of, prepared, start, tmp_path):
    dataset, folds_RN = prepared
    words = ["model=vgg16", "protocol.epochs=1", f"model.pretrained={start(*range(12))}"]
    with pytest.raises(UserError, match="allow_leak"):
        train_run(config_of(*words), dataset, folds_RN[0])
    result = train_run(config_of(*words, "allow_leak=true"), dataset, folds_RN[0])
    assert result["test_clips_seen"] == result["test_clips"]
    written = load_trained(next((tmp_path / "runs").rglob("model.ckpt")))
    assert set(written.trained_on.digests) == set(map(short_digest, dataset.digests))
    assert "commit" in written.origin


def test_the_report_says_it():
    fair = {"arm": "r3d", "test_clips": 40, "test_clips_seen": 0}
    assert leak_notes([fair, {"arm": "of before", "test_clips": 40}]) == []
    leaky, unknown = fair | {"arm": "vgg16", "test_clips_seen": 30}, fair | {"arm": "vit", "test_clips_seen": None}
    first, second = leak_notes([fair, leaky, unknown])
    assert first.startswith("Not a fair test: 'vgg16'") and "30 of 40" in first and "r3d" not in first
    assert "'vit'" in second and "not known" in second


def test_a_damaged_record_is_named(start):
    path = start(0)
    content = torch.load(path, weights_only=True)
    del content["trained_on"]["complete"]
    torch.save(content, path)
    with pytest.raises(UserError, match="start.ckpt: was damaged, trained_on.complete is not there"):
        behind(str(path))
