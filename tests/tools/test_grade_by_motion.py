"""tools/grade_by_motion.py as a person types it: the faster and straighter the better, and no other grades replaced."""

import csv

import numpy as np
import pytest
from support import write_dataset

from hybrid.data.labels import read_labels
from hybrid.errors import UserError
from tools import grade_by_motion

MOTION = [(80, 0.9), (70, 0.9), (60, 0.2), (30, 0.9), (4, 1.0), (0, 0.0)]
"""VSL and STR; the fifth goes straight and hardly goes, and the third's detours put it behind the fourth"""


def cropped(root, motion=MOTION, unit="um", videos=("a.mp4",)):
    write_dataset(root, num_clips=len(motion) * len(videos))
    (root / "labels.csv").unlink()
    rows = [[video, track, unit, *figures] for video in videos for track, figures in enumerate(motion, 1)]
    with open(root / "clips.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["clip", "group", "video", "track", "unit", "vsl", "str"])
        writer.writerows([f"{n}.mkv", row[0], *row] for n, row in enumerate(rows))
    return root


def type_in(monkeypatch, *words):
    monkeypatch.setattr("sys.argv", ["grade_by_motion.py", *map(str, words)])
    grade_by_motion.main()


def expected(labels):
    return labels.targets_NK @ np.arange(1, 6)


def test_clips_are_graded_by_progress_and_grouped_by_track(tmp_path, monkeypatch, capsys):
    root = cropped(tmp_path / "my_clips")
    type_in(monkeypatch, root)
    labels = read_labels(root)
    assert labels.grades == tuple("ABCDE") and labels.groups == tuple(f"a-{track}" for track in range(1, 7))
    assert list(np.argsort(expected(labels))[:4]) == [0, 1, 3, 2]
    assert (labels.targets_NK[4] == labels.targets_NK[5]).all() and labels.targets_NK[4].argmax() == 4
    said = capsys.readouterr().out
    assert "6 clips of 6 tracks; 2 rest (below 5 um/s), 4 are ranked\n" in said and "no embryologist's" in said


def test_a_wider_spread_gives_votes_that_disagree_more(tmp_path, monkeypatch):
    peaks = []
    for spread in (0.3, 1.5):
        root = cropped(tmp_path / str(spread))
        type_in(monkeypatch, root, "--spread", spread)
        peaks.append(read_labels(root).targets_NK.max(axis=1))
    assert (peaks[0] > peaks[1] + 0.2).all()


def test_pixels_are_compared_within_a_video(tmp_path, monkeypatch):
    """The second video is the first at twice the magnification."""
    root = cropped(tmp_path / "my_clips", unit="px", videos=("a.mp4", "b.mp4"))
    table = (root / "clips.csv").read_text().splitlines()
    for n, row in enumerate(table):
        if ",b.mp4," in row:
            cells = row.split(",")
            table[n] = ",".join([*cells[:-2], str(2 * float(cells[-2])), cells[-1]])
    (root / "clips.csv").write_text("\n".join(table) + "\n")
    type_in(monkeypatch, root, "--still", "9")
    targets = read_labels(root).targets_NK
    assert np.array_equal(targets[:6], targets[6:])


@pytest.mark.parametrize(
    "made, words, message",
    [
        ({"unit": "px"}, (), "speeds are in px/s, so --still has to say"),
        ({}, ("--still", "0"), "--still must be above 0, not 0"),
        ({}, ("--still", "nan"), "--still must be above 0, not nan"),
        ({}, ("--spread", "-1"), "--spread must be above 0, not -1"),
        ({}, ("--still", "500"), "0 of 6 clips reach 500 um/s: nothing to rank"),
        ({"motion": [(80, 0.9), ("", 0.5)]}, (), "row 3: vsl of clip '1.mkv' is ''"),
    ],
)
def test_a_mistake_is_explained_and_nothing_written(made, words, message, tmp_path, monkeypatch):
    root = cropped(tmp_path / "my_clips", **made)
    with pytest.raises(UserError, match=message):
        type_in(monkeypatch, root, *words)
    assert not (root / "labels.csv").exists()


def test_a_clip_that_is_there_twice_is_refused(tmp_path, monkeypatch):
    root = cropped(tmp_path / "my_clips")
    with open(root / "clips.csv", "a") as file:
        file.write("0.mkv,a.mp4,a.mp4,1,um,5,0.1\n")
    with pytest.raises(UserError, match="clips.csv row 8: clip '0.mkv' is in row 2 already"):
        type_in(monkeypatch, root)


def test_units_are_not_mixed(tmp_path, monkeypatch):
    root = cropped(tmp_path / "my_clips")
    text = (root / "clips.csv").read_text()
    (root / "clips.csv").write_text(text.replace(",um,", ",px,", 1))
    with pytest.raises(UserError, match="speeds are in px and um, which cannot be compared"):
        type_in(monkeypatch, root)


@pytest.mark.parametrize("name", ["labels.csv", "ratings.csv"])
def test_a_panels_grades_are_never_replaced(name, tmp_path, monkeypatch):
    root = cropped(tmp_path / "my_clips")
    (root / name).write_text("a panel's")
    with pytest.raises(UserError, match=f"{name} is there already"):
        type_in(monkeypatch, root)
    assert (root / name).read_text() == "a panel's"


def test_a_folder_that_crop_has_not_made_is_refused(tmp_path, monkeypatch):
    root = write_dataset(tmp_path / "my_clips", num_clips=2)
    (root / "labels.csv").unlink()
    with pytest.raises(UserError, match="clips.csv: there is no such file"):
        type_in(monkeypatch, root)
