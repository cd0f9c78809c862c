import numpy as np
import pandas as pd
import pytest
import torch

from hybrid import create_model
from hybrid.data.clip import ClipSpec
from hybrid.data.normalisation import Normalisation
from hybrid.data.video import decode_clip
from hybrid.errors import UserError
from hybrid.files import write_json
from hybrid.predict import find_checkpoints, find_clips, predict_clips
from hybrid.training.checkpoint import TrainedModel, load_trained, save_trained
from hybrid.training.machine import choose_machine

MACHINE = choose_machine("cpu", "32-true")
GRADES = ["A", "B", "C", "D", "E"]


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    """Two folds of a model, one of another, and one run that is not done."""
    folder = tmp_path_factory.mktemp("runs") / "e"
    for name, fold, done in (("slowfast", 0, True), ("slowfast", 1, True), ("slowfast", 2, False), ("vgg16", 0, True)):
        torch.manual_seed(fold)
        run = folder / name / f"repeat0-fold{fold}"
        model = create_model(name, "tiny")
        trained = TrainedModel(model, name, "tiny", {}, GRADES, ClipSpec(), Normalisation((0.45,) * 3, (0.2,) * 3))
        save_trained(run / "model.ckpt", trained)
        if done:
            write_json(run / "result.json", {})
    return folder


@pytest.fixture(scope="module")
def clips(small_dataset):
    return sorted((small_dataset / "clips").iterdir())[:3]


def test_checkpoints_are_found_from_every_level(experiment):
    run = experiment / "slowfast" / "repeat0-fold0"
    assert find_checkpoints(run / "model.ckpt") == find_checkpoints(run) == [run / "model.ckpt"]
    folds = [path.parent.name for path in find_checkpoints(experiment / "slowfast")]
    assert folds == ["repeat0-fold0", "repeat0-fold1"]
    assert find_checkpoints(experiment, "vgg16") == [experiment / "vgg16" / "repeat0-fold0" / "model.ckpt"]


def test_a_choice_that_is_not_there_is_explained(experiment, tmp_path):
    with pytest.raises(UserError, match="choose one with --model: slowfast, vgg16"):
        find_checkpoints(experiment)
    with pytest.raises(UserError, match="no finished run of 'r3d'"):
        find_checkpoints(experiment, "r3d")
    with pytest.raises(UserError, match="no finished run"):
        find_checkpoints(experiment / "slowfast" / "repeat0-fold2")
    with pytest.raises(UserError, match="there is no such"):
        find_checkpoints(tmp_path / "nothing")


def test_clips_are_files_and_the_files_of_folders(small_dataset, tmp_path):
    folder = small_dataset / "clips"
    assert len(find_clips([folder, folder / "0.mkv"])) == 13
    with pytest.raises(UserError, match="holds no files"):
        find_clips([tmp_path])


def test_one_model_predicts_what_it_says_itself(experiment, clips):
    (checkpoint,) = find_checkpoints(experiment, "vgg16")
    table = predict_clips([checkpoint], clips, MACHINE)
    trained = load_trained(checkpoint)
    frames_NTHWC = np.stack([decode_clip(clip, trained.spec).frames_THWC for clip in clips])
    clip_BCTHW = (torch.from_numpy(frames_NTHWC).permute(0, 4, 1, 2, 3) / 255 - 0.45) / 0.2
    with torch.no_grad():
        expected = trained.model(clip_BCTHW).softmax(-1).numpy()
    np.testing.assert_allclose(table[GRADES], expected, atol=1e-5)
    np.testing.assert_allclose(table["expected_grade"], expected @ [1, 2, 3, 4, 5], atol=1e-4)
    assert table["top_grade"].tolist() == [GRADES[k] for k in expected.argmax(1)]
    assert table["A_sd"].isna().all() and (table["held_frames"] == 0).all()


def test_the_folds_answer_together_with_their_spread(experiment, clips):
    checkpoints = find_checkpoints(experiment / "slowfast")
    together = predict_clips(checkpoints, clips, MACHINE)
    apart = [predict_clips([checkpoint], clips, MACHINE) for checkpoint in checkpoints]
    np.testing.assert_allclose(together[GRADES], (apart[0][GRADES] + apart[1][GRADES]) / 2, atol=1e-6)
    spread = pd.concat(apart)["expected_grade"].to_numpy().reshape(2, -1).std(0, ddof=1)
    np.testing.assert_allclose(together["expected_grade_sd"], spread, atol=1e-6)


def test_every_unreadable_clip_is_named_at_once(experiment, clips, tmp_path):
    text, empty = tmp_path / "text.mp4", tmp_path / "empty.mp4"
    text.write_text("not a video")
    empty.touch()
    with pytest.raises(UserError) as error:
        predict_clips(find_checkpoints(experiment, "vgg16"), [*clips, text, empty, tmp_path / "none.mp4"], MACHINE)
    assert "3 of 6 clips cannot be read" in str(error.value)
    for name in ("text.mp4", "empty.mp4", "none.mp4"):
        assert name in str(error.value)
