import hashlib
import shutil
from dataclasses import replace

import av
import numpy as np
import pandas as pd
import pytest
import torch

from hybrid import create_model
from hybrid.data.clip import ClipSpec
from hybrid.data.transforms import Normalisation
from hybrid.data.video import decode_clip
from hybrid.device import choose_machine
from hybrid.errors import UserError
from hybrid.files import software_commit, write_json
from hybrid.training.checkpoint import TrainedModel, TrainedOn, load_trained, save_trained
from hybrid.training.ensemble import find_checkpoints
from hybrid.training.predict import find_clips, predict_clips

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


def write_grey(path, frames_THW):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=16)
        stream.height, stream.width, stream.pix_fmt = *frames_THW.shape[1:], "gray"
        for frame_HW in frames_THW:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame_HW, format="gray")))
        container.mux(stream.encode())
    return path


def test_checkpoints_are_found_from_every_level(experiment):
    run = experiment / "slowfast" / "repeat0-fold0"
    assert find_checkpoints(run / "model.ckpt") == find_checkpoints(run) == [run / "model.ckpt"]
    folds = [path.parent.name for path in find_checkpoints(experiment / "slowfast")]
    assert folds == ["repeat0-fold0", "repeat0-fold1"]
    assert find_checkpoints(experiment, "vgg16") == [experiment / "vgg16" / "repeat0-fold0" / "model.ckpt"]


def test_a_choice_that_is_not_there_is_explained(experiment, tmp_path):
    with pytest.raises(UserError, match="choose one with --model: slowfast, vgg16"):
        find_checkpoints(experiment)
    with pytest.raises(UserError, match="no finished run of 'r3d'; there are those of slowfast, vgg16"):
        find_checkpoints(experiment, "r3d")
    with pytest.raises(UserError, match="of slowfast, vgg16; did you mean vgg16\\?"):
        find_checkpoints(experiment, "vgg_16")
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
    table = predict_clips([checkpoint], clips, MACHINE).table
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
    together = predict_clips(checkpoints, clips, MACHINE).table
    apart = [predict_clips([checkpoint], clips, MACHINE).table for checkpoint in checkpoints]
    np.testing.assert_allclose(together[GRADES], (apart[0][GRADES] + apart[1][GRADES]) / 2, atol=1e-6)
    spread = pd.concat(apart)["expected_grade"].to_numpy().reshape(2, -1).std(0, ddof=1)
    np.testing.assert_allclose(together["expected_grade_sd"], spread, atol=1e-6)


def test_a_bad_file_costs_no_other_its_answer(experiment, clips, tmp_path):
    text, empty = tmp_path / "text.mp4", tmp_path / "empty.mp4"
    text.write_text("not a video")
    empty.touch()
    checkpoints, bad = find_checkpoints(experiment, "vgg16"), [text, empty, tmp_path / "none.mp4"]
    predictions = predict_clips(checkpoints, [*bad, *clips], MACHINE)
    pd.testing.assert_frame_equal(predictions.table, predict_clips(checkpoints, clips, MACHINE).table)
    assert [problem.partition(":")[0] for problem in predictions.unreadable] == list(map(str, bad))
    with pytest.raises(UserError, match="none of 3 clips can be read"):
        predict_clips(checkpoints, bad, MACHINE)


def test_the_clips_of_a_data_set_are_those_in_its_folder_of_clips(small_dataset, tmp_path):
    own = tmp_path / "data" / "own"
    shutil.copytree(small_dataset, own)
    for other in (".cache/frames.npy", "masks/0.npz", "preview.gif", "clips/.DS_Store", "clips/.trash/0.mkv"):
        (own / other).parent.mkdir(exist_ok=True)
        (own / other).touch()
    clips = sorted((own / "clips").glob("*.mkv"))
    assert find_clips([own]) == clips and len(clips) == 12
    (tmp_path / "data" / "loose.mkv").touch()
    assert find_clips([tmp_path / "data"]) == [tmp_path / "data" / "loose.mkv", *clips]


def test_what_was_seen_of_a_clip_is_said(experiment, clips, tmp_path):
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (32, 200, 300), dtype=np.uint8)
    large = write_grey(tmp_path / "large.mkv", frames)
    black = write_grey(tmp_path / "black.mkv", np.zeros((8, 64, 64), np.uint8))
    path = tmp_path / "model.ckpt"
    trained = replace(load_trained(find_checkpoints(experiment, "vgg16")[0]), trained_on=TrainedOn((), True, (60, 80)))
    save_trained(path, trained)
    predictions = predict_clips([path], [clips[0], large, black], MACHINE)
    usual, wide, dark = predictions.table.to_dict("records")
    assert (usual["width"], usual["cropped"], usual["far_larger"], usual["flat"]) == (64, False, False, "")
    assert usual["notes"] == "" and (usual["seconds"], usual["used_seconds"]) == (1.0, 1.0)
    assert (wide["width"], wide["height"], wide["cropped"], wide["far_larger"]) == (300, 200, True, True)
    assert wide["seconds"] == pytest.approx(2, abs=2e-3)  # Matroska counts milliseconds
    assert (wide["used_seconds"], wide["held_frames"]) == (1.0, 0)
    assert (dark["flat"], dark["held_frames"], dark["used_seconds"]) == ("black", 8, 0.5)
    small = write_grey(tmp_path / "small.mkv", frames[:16, :24, :24])
    assert "far smaller than the clips trained on (60 px" in predict_clips([path], [small], MACHINE).notes[-1]
    for words in ("far larger than the clips trained on (80 px", "not square", "first 1 s", "black in", "held"):
        (note,) = (note for note in predictions.notes if words in note)
        assert note.startswith("1 of 3 clips")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert set(predictions.table["checkpoints"]) == {f"{path} ({digest[:12]})"}
    assert set(predictions.table["commit"]) == {software_commit() or ""}


def test_clips_that_a_model_was_trained_on_are_named(experiment, clips, tmp_path):
    digest = hashlib.sha256(clips[1].read_bytes()).hexdigest()[:16]
    trained = replace(load_trained(find_checkpoints(experiment, "vgg16")[0]), trained_on=TrainedOn((digest,)))
    save_trained(tmp_path / "model.ckpt", trained)
    (note,) = (n for n in predict_clips([tmp_path / "model.ckpt"], clips, MACHINE).notes if "trained on, so" in n)
    assert note.startswith("1 of 3 clips") and note.endswith(f"({str(clips[1])!r})")


def test_a_checkpoint_of_before_does_not_say_how_large_its_clips_were(experiment, clips):
    predictions = predict_clips(find_checkpoints(experiment, "vgg16"), clips, MACHINE)
    assert predictions.table["far_larger"].isna().all()
    assert "does not say how large" in predictions.notes[0]


def test_answers_that_are_no_numbers_are_refused(experiment, clips, tmp_path):
    trained = load_trained(find_checkpoints(experiment, "vgg16")[0])
    classifier = trained.model.get_submodule(trained.model.classifier)
    with torch.no_grad():
        classifier.weight.fill_(3e38)  # finite; what it is multiplied to is not
        classifier.bias.fill_(3e38)
    save_trained(tmp_path / "model.ckpt", trained)
    with pytest.raises(UserError, match="model.ckpt: its answers to 3 of 3 clips are no numbers"):
        predict_clips([tmp_path / "model.ckpt"], clips, MACHINE)
