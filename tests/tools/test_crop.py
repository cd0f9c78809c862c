"""tools/crop.py as a person types it: a data set that predict can grade, and mistakes that are explained."""

import subprocess
import sys

import pytest
from simulated_fields import TILE, make_field, write_boxes
from support import ROOT

from hybrid.errors import UserError
from hybrid.files import read_yaml
from hybrid.training.predict import find_clips
from tools import crop


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    return make_field(tmp_path_factory.mktemp("field"))


def test_a_folder_of_videos_and_boxes_becomes_clips_that_predict_finds(field, tmp_path):
    boxes = write_boxes(tmp_path / "boxes" / "donor1", field.boxes, "yolo", (3 * TILE, 2 * TILE))
    out = tmp_path / "out"
    words = [field.video.parent, "--boxes", boxes.parent, "-o", out, "--um-per-px", "0.5", "--side-um", "32"]
    command = [sys.executable, str(ROOT / "tools" / "crop.py"), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "linked by trackpy" in done.stdout and "6 tracks" in done.stdout
    facts = read_yaml(out / "crop.yaml")
    assert facts["side"] == 64 and facts["um_per_px"] == 0.5
    clips = find_clips([out])
    assert clips and all(path.suffix == ".mp4" for path in clips)
    assert f"{len(clips)} clips" in done.stdout


@pytest.mark.parametrize(
    "words, message",
    [
        (("--side", "65"), "side must be an even number of pixels from 16 to 2048, not 65"),
        (("--side-um", "50"), "--side-um needs the size of a pixel: give --um-per-px"),
        (("--side", "64", "--side-um", "50", "--um-per-px", "1"), "--side and --side-um: give one of them"),
        (("--um-per-px", "0"), "um_per_px must be from 0.01 to 20 um, not 0.0"),
        (("--max-gap", "2"), "max_gap must be from 0 to 1 s, not 2.0"),
        (("--max-speed", "0"), "max_speed must be above 0 px a second, not 0.0"),
        (("--most", "-1"), "most must be 0 or more, not -1"),
        (("--donors", "none.csv"), "none.csv: there is no such file"),
        ((), "none.mp4: there is no such file"),
    ],
)
def test_a_mistake_is_explained_and_nothing_is_left(words, message, tmp_path, monkeypatch):
    command = ["crop", "none.mp4", "--boxes", "none", "-o", str(tmp_path / "out"), *words]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(UserError, match=message):
        crop.main()
    assert not list(tmp_path.iterdir())
