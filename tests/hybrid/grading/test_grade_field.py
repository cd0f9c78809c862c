"""A field video whose truth is known, graded: the numbers, the video, and a folder that is whole or not there."""

import hashlib
import itertools
from dataclasses import replace

import av
import numpy as np
import pandas as pd
import pytest
from PIL import ImageColor
from simulated_fields import RATE, UM_PER_PX, write_boxes
from tiny_graders import GRADES

from hybrid import load_grader
from hybrid.data.casa import FIGURES, casa
from hybrid.errors import UserError
from hybrid.field.cells import find_cells
from hybrid.field.settings import Settings
from hybrid.field.video import look_through, pictures
from hybrid.files import read_yaml, write_text
from hybrid.grading.drawing import LABEL, NOT_GRADED, grade_colours, label_place
from hybrid.grading.grades import NO_DECISION
from hybrid.grading.run import grade_field
from hybrid.training.checkpoint import TrainedOn, load_trained, save_trained

SETTINGS = Settings(side=64, um_per_px=UM_PER_PX)


def grade(video, boxes, folder, trained, settings=SETTINGS):
    return grade_field(video, boxes, folder, settings, load_grader(trained, accelerator="cpu").ensemble)


@pytest.fixture(scope="module")
def folder(field, boxes, trained, tmp_path_factory):
    """Read only."""
    place = tmp_path_factory.mktemp("graded") / "out"
    said, notes = grade(field.video, boxes, place, trained)
    assert "10 windows of 5 tracks; left out 1: 1 too short" in said[0] and said[-1] == NO_DECISION
    assert notes == []
    return place


@pytest.fixture(scope="module")
def table(folder):
    return pd.read_csv(folder / "grades.csv")


def test_grades_are_what_the_models_say_of_each_window_of_the_cell(field, boxes, trained, table):
    """By `load_grader` on pixels that are cut out here, a fold at a time."""
    graders = [load_grader(trained / f"repeat0-fold{fold}", accelerator="cpu") for fold in (0, 1)]
    cells = find_cells(field.video, boxes, graders[0].ensemble.spec, SETTINGS)
    frames_THWC = np.array(list(pictures(look_through(field.video))))
    assert len(table) == 6 and table["id"].nunique() == 6
    for row in table[table["windows"] > 0].to_dict("records"):
        answers = []
        for window in cells.windows[row["track"]]:
            cut = [
                frames_THWC[n, top : top + 64, left : left + 64]
                for n, (left, top) in zip(window.frames_T, window.corners_T2, strict=True)
            ]
            answers.append([grader(np.array(cut), rate=16) for grader in graders])
        dist_WMK = np.array(answers)
        assert row["windows"] == len(dist_WMK) == 2 and row["seconds"] == 1
        expected_WM = dist_WMK @ [1, 2, 3]
        np.testing.assert_allclose([row[name] for name in GRADES], dist_WMK.mean((0, 1)), rtol=1e-4)
        assert row["top_grade"] == GRADES[dist_WMK.mean((0, 1)).argmax()]
        assert row["expected_grade"] == pytest.approx(expected_WM.mean(), rel=1e-4)
        assert row["windows_sd"] == pytest.approx(np.std(expected_WM.mean(1), ddof=1), rel=1e-3)
        assert row["folds_sd"] == pytest.approx(np.std(expected_WM.mean(0), ddof=1), rel=1e-3)
        true = casa(field.paths[row["id"]] * UM_PER_PX, RATE)
        np.testing.assert_allclose([row[name] for name in FIGURES], [true[name] for name in FIGURES], rtol=0.02)


def test_the_best_is_first_and_what_was_not_graded_is_last_with_the_reason(table):
    assert table["expected_grade"][:5].is_monotonic_increasing and np.ptp(table["expected_grade"][:5]) > 1e-3
    last = table.iloc[-1]
    assert (last["id"], last["windows"], last["left_out"]) == ("cell5", 0, "too short")
    assert last[[*GRADES, "top_grade", "expected_grade"]].isna().all()


def test_every_output_says_that_it_is_no_basis_for_a_decision(folder, table):
    assert set(table["note"]) == {NO_DECISION}
    assert read_yaml(folder / "grade.yaml")["note"] == NO_DECISION
    assert NO_DECISION.capitalize() in (folder / "index.html").read_text(encoding="utf-8")
    with av.open(str(folder / "graded.mp4")) as video:
        assert video.metadata["comment"] == NO_DECISION


def test_the_video_is_the_same_with_each_cells_box_in_the_colour_of_its_grade(field, folder, table):
    with av.open(str(folder / "graded.mp4")) as video:
        frames = [(frame.time, frame.to_ndarray(format="rgb24")) for frame in video.decode(video=0)]
    np.testing.assert_allclose([time for time, _ in frames], np.arange(60) / RATE, atol=1e-3)
    colours = dict(zip(GRADES, grade_colours(tuple(GRADES)), strict=True))
    shown = table.set_index("id")["top_grade"]
    height, width = field.frames_THWC.shape[1:3]
    for t in (0, 30, 59):
        seen_HWC, away = frames[t][1], np.ones((height, width), bool)
        for box in field.boxes[field.boxes["frame"] == t].itertuples():
            if box.id == "cell5" and t >= 10:
                continue
            grade = shown[box.id]
            colour = ImageColor.getrgb(colours[grade] if isinstance(grade, str) else NOT_GRADED)
            left, right = round(box.x - box.w / 2), round(box.x + box.w / 2)
            edge_C = seen_HWC[round(box.y - 2) : round(box.y + 3), left : left + 2].mean((0, 1))
            assert np.abs(edge_C - colour).max() < 60, (t, box.id, edge_C, colour)  # chroma is coded at half the size
            away[max(0, round(box.y) - 40) : round(box.y) + 40, max(0, left - 12) : right + 90] = False
        difference = np.abs(seen_HWC[:height, :width].astype(int) - field.frames_THWC[t])[away]
        assert away.mean() > 0.2 and difference.mean() < 4


def test_labels_lie_in_the_picture_and_on_no_other_label_where_there_is_room():
    boxes = [(50, 50, 70, 70), (55, 52, 75, 72), (45, 48, 65, 68), (52, 49, 72, 69), (0, 0, 20, 20), (280, 40, 299, 60)]
    taken = []
    for box in boxes:
        taken.append(label_place(box, 40, (300, 200), taken, []))
    assert taken[0] == (50, 49 - LABEL, 92, 49)  # above, where nothing is in the way
    for place, (left, top, right, bottom) in zip(taken, boxes, strict=True):
        assert 0 <= place[0] and 0 <= place[1] and place[2] <= 300 and place[3] <= 200
        assert place[3] <= top or place[1] >= bottom or place[2] <= left or place[0] >= right, "on its own cell"
    for one, other in itertools.combinations(taken, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    # Below, where another cell is above; above all the same, where there is no place at all.
    assert label_place(boxes[0], 40, (300, 200), [], [boxes[0], (80, 30, 100, 50)]) == (50, 71, 92, 71 + LABEL)
    assert label_place(boxes[0], 40, (300, 200), [(0, 0, 300, 200)], []) == taken[0]


def test_the_same_command_again_says_so_and_another_one_is_refused(field, boxes, trained, folder, tmp_path):
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    said, _ = grade(field.video, boxes, folder, trained)
    assert said == [f"{folder}: is done already; look at {folder / 'index.html'}"]
    other = tmp_path / "other.mkv"
    other.write_bytes(field.video.read_bytes() + b"\0")
    corrected = write_boxes(tmp_path, field.boxes, "csv", (1, 1))
    asked = {
        "video: .*other.mkv": (other, boxes, trained, SETTINGS),
        "boxes: ": (field.video, corrected, trained, SETTINGS),
        "models: slowfast, 2 .* there, slowfast, 1 ": (field.video, boxes, trained / "repeat0-fold0", SETTINGS),
        "side: 64 there, 32 asked for": (field.video, boxes, trained, Settings(side=32, um_per_px=UM_PER_PX)),
    }
    for difference, (video, given, model, settings) in asked.items():
        with pytest.raises(UserError, match=f"holds other grades, so name another folder\n  {difference}"):
            grade(video, given, folder, model, settings)
    write_text(tmp_path / "notes" / "mine.txt", "mine")
    with pytest.raises(UserError, match="notes: is there already, and nothing in it is written over"):
        grade(field.video, boxes, tmp_path / "notes", trained)
    assert before == {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert sorted(path.name for path in folder.parent.iterdir()) == ["out"]


def test_what_was_learned_from_other_clips_than_these_is_said(field, boxes, trained, tmp_path):
    _, notes = grade(field.video, boxes, tmp_path / "out", trained, Settings(side=128))
    assert any("learned from clips of 60 to 64 px, and these windows are of 128 px" in note for note in notes)
    assert not any("this very video" in note for note in notes)
    assert notes[0] in (tmp_path / "out" / "index.html").read_text(encoding="utf-8").replace("The model", "the model")


def test_that_a_model_learned_from_this_video_is_said(field, boxes, trained, tmp_path):
    model = load_trained(trained / "repeat0-fold0" / "model.ckpt")
    digest = hashlib.sha256(field.video.read_bytes()).hexdigest()
    save_trained(tmp_path / "model.ckpt", replace(model, trained_on=TrainedOn((digest[:16],), sides=(64, 64))))
    _, (note,) = grade(field.video, boxes, tmp_path / "out", tmp_path / "model.ckpt")
    assert note.startswith("clips of this very video are among those that a model here was trained on")
