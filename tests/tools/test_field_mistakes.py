"""What goes wrong with videos, boxes and folders: crop and grade say the same one thing about it, and write nothing."""

import functools
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from simulated_fields import write_video
from tiny_graders import write_graders

from hybrid.errors import UserError
from hybrid.training import grader
from tools import crop, grade

SIZE, FRAMES = 96, 24
HEADER = "frame,x,y,w,h,id\n"


@dataclass(frozen=True)
class Place:
    """A folder with a video of one cell that swims straight for half a second, and its boxes."""

    folder: Path
    video: Path

    def table(self, text: str, name: str = "field.csv") -> Path:
        (self.folder / name).write_text(text, encoding="utf-8")
        return self.folder / name

    def frames(self, texts, ending: str = ".txt", name: str = "field") -> Path:
        boxes = self.folder / "boxes"
        boxes.mkdir()
        for number, text in enumerate(texts):
            (boxes / f"{name}_{number:03d}{ending}").write_text(text, encoding="utf-8")
        return boxes

    def moving(self, more: str = "") -> Path:
        """Boxes of the cell, and more lines."""
        lines = [HEADER] + [f"{t},{20 + t},40,10,10,a\n" for t in range(FRAMES)]
        return self.table("".join(lines) + more)


def cell(frames: int = FRAMES, size: int = SIZE) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    discs = [200 * np.exp(-((x - 20 - t) ** 2 + (y - 40) ** 2) / 20) for t in range(frames)]
    return (np.array(discs) + 40).astype(np.uint8)[..., None].repeat(3, -1)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    return write_graders(tmp_path_factory.mktemp("runs") / "slowfast")


@pytest.fixture(autouse=True)
def loaded_once(trained, monkeypatch):
    """Loading takes longer than all the rest."""
    cached = functools.cache(grader.load_grader)
    monkeypatch.setattr(grader, "load_grader", cached)


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(tmp_path, write_video(tmp_path / "field.mkv", cell(), rate=24.0))


YOLO, VOC = "0 0.5 0.5 0.1 0.1\n", "<annotation><size><width>{0}</width><height>{0}</height></size></annotation>"

BOXES = {
    "beyond the frame": (lambda p: p.moving("23,900,40,10,10,b\n"), "field.csv line 26: the box lies beyond the pict"),
    "wider than the frame": (
        lambda p: p.moving("23,-220,1,500,10,b\n"),
        "line 26: the box is larger than the pic",
    ),
    "without width": (
        lambda p: p.moving("23,9,9,0,10,b\n"),
        "line 26: the box has a width or height",
    ),
    "of a longer video": (
        lambda p: p.moving("24,9,9,9,9,b\n"),
        "line 26: the box is of a frame that field.mkv",
    ),
    "of a larger video": (
        lambda p: p.frames([VOC.format(200)] * 24, ".xml"),
        "is of a picture of 200x200 px, but f",
    ),
    "named after another video": (
        lambda p: p.frames([YOLO] * 24, name="S_0005"),
        "none of its files is named after 'field'; there are 'S_<n>_<n>.txt'. If they are of this video, put them into",
    ),
    "more files than frames": (lambda p: p.frames([YOLO] * 25), "has 25 files of frames, but field.mkv has 24 frames"),
    "empty files": (lambda p: p.frames([""] * 24), "its boxes hold not one box"),
    "an empty table": (lambda p: p.table(""), "field.csv: is empty"),
    "a table without rows": (lambda p: p.table(HEADER), "field.csv: has no line of boxes below its first one"),
    "two boxes of an id": (lambda p: p.moving("23,9,9,9,9,a\n"), "line 26: the box is the second one of its id in its"),
    "an id now and then": (lambda p: p.moving("23,9,9,9,9,\n"), "line 26: the box has no id, though others have one"),
    "an id that jumps": (
        lambda p: p.table(HEADER + "".join(f"{t},{20 + 50 * (t % 2)},40,6,6,a\n" for t in range(FRAMES))),
        "left out 1: 1 jumped",
    ),
    "too short": (lambda p: p.table(HEADER + "0,9,9,9,9,a\n1,9,9,9,9,a\n"), "left out 1: 1 too short"),
    "at the border": (
        lambda p: p.table(HEADER + "".join(f"{t},0,0,6,6,a\n" for t in range(FRAMES))),
        "left out 1: 1 at the border",
    ),
    "a confidence": (lambda p: p.frames(["0 0.5 0.5 0.1 0.1 0.9\n"] * 24), "field_000.txt line 1: .*without a confid"),
    "pixels for shares": (lambda p: p.frames(["0 40 40 9 9\n"] * 24), "field_000.txt line 1: .*shares from 0 to 1"),
    "no numbers": (lambda p: p.moving("23,?,9,9,9,b\n"), "line 26: frame, x, y, w, h must be numbers"),
    "other headings": (lambda p: p.table("Bild;x;y;w;h\n0;1;1;1;1\n"), "there is no column 'frame'; its first line"),
    "the video itself": (lambda p: p.video, "field.mkv: is not a text file in UTF-8"),
    "nowhere": (lambda p: p.folder / "none", "none: there is no such file or folder of boxes"),
    "a folder without any": (lambda p: p.frames([]), "boxes: holds no files of boxes"),
    "frames from 3 on": (lambda p: p.table(HEADER + "3,9,9,9,9,a\n4,9,9,9,9,a\n"), "Say it with --first-frame"),
    "several classes": (
        lambda p: p.frames(["0 0.5 0.5 0.1 0.1\n1 0.2 0.2 0.1 0.1\n"] * 24),
        r"holds several classes, 0 \(24 boxes\), 1 \(24 boxes\): name those of sperm with --classes",
    ),
}


def without_end(p: Place) -> Path:
    whole = p.video.read_bytes()
    (p.folder / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    return p.folder / "cut.mkv"


VIDEOS = {
    "nowhere": (lambda p: p.folder / "none.mp4", "none.mp4: there is no such file"),
    "a table": (lambda p: p.table("a,b\n"), "field.csv: is no video that FFmpeg can read"),
    "empty": (lambda p: p.table("", "field.mp4"), r"field.mp4: is empty \(0 bytes\)"),
    "cut off": (without_end, "cut.mkv: is (damaged or )?cut off"),
    "two frames": (
        lambda p: write_video(p.folder / "two.mkv", cell(2)),
        "two.mkv: has 2 frames; a track needs 3 or more",
    ),
    "without times": (
        lambda p: write_video(p.folder / "raw.mjpeg", cell(), codec="mjpeg", strict="unofficial"),
        "has neither time stamps nor a frame rate, .* `ffmpeg -framerate RATE -i raw.mjpeg -c copy raw.mkv` gives it",
    ),
    "smaller than a clip": (
        lambda p: write_video(p.folder / "small.mkv", cell(size=48)),
        "of 48x48 px no clip of 64 px can be cut",
    ),
}

WORDS = {
    "--detect 1 --side 32": "a head's diameter must be from 5 px to a quarter of the picture, not 1 px",
    "--detect nan": "head_px must be above 0 px, not nan",
    "--detect -3": "head_px must be above 0 px, not -3.0",
    "--side 65": "side must be an even number of pixels from 16 to 2048, not 65",
    "--side-um 30": "--side-um needs the size of a pixel: give --um-per-px",
    "--side-um nan --um-per-px 1": "side must be an even number of pixels from 16 to 2048, not 0",
    "--um-per-px 0": "um_per_px must be from 0.01 to 20 um, not 0.0",
    "--max-speed nan": "max_speed must be above 0 px a second, not nan",
    "--max-gap -1": "max_gap must be from 0 to 1 s, not -1.0",
    "--side 32 --detect 9": "--boxes and --detect: give one of them",
    "": "give boxes with --boxes, or the diameter of heads with --detect, so that they are found",
}


def both_refuse(message, video, words, folder, trained, monkeypatch):
    """One message each, the same; and nothing is left where the output would be."""
    out = folder / "out"
    for tool, first in ((crop, []), (grade, [trained])):
        monkeypatch.setattr(sys, "argv", [tool.__name__, *map(str, (*first, video, "-o", out, *words))])
        with pytest.raises(UserError, match=message):
            tool.main()
        assert not out.exists() and not out.with_name("out.tmp").exists()


@pytest.mark.parametrize("case", BOXES)
def test_wrong_boxes(case, place, trained, monkeypatch):
    make, message = BOXES[case]
    both_refuse(message, place.video, ("--boxes", make(place), "--side", 32), place.folder, trained, monkeypatch)


@pytest.mark.parametrize("case", VIDEOS)
def test_wrong_videos(case, place, trained, monkeypatch):
    make, message = VIDEOS[case]
    words = ("--boxes", place.moving(), "--side", 64)
    both_refuse(message, make(place), words, place.folder, trained, monkeypatch)


@pytest.mark.parametrize("typed", WORDS)
def test_wrong_words(typed, place, trained, monkeypatch):
    words = typed.split() if typed.startswith(("--detect", "--side")) or not typed else [*typed.split(), "--side", "32"]
    boxes = [] if typed.startswith("--detect") or not typed else ["--boxes", place.moving()]
    both_refuse(WORDS[typed], place.video, [*words, *boxes], place.folder, trained, monkeypatch)


def test_the_output_of_another_program_that_runs_and_of_one_that_was_killed(place, trained, monkeypatch, capsys):
    boxes, out = place.moving(), place.folder / "out"
    for tool, first in ((crop, []), (grade, [trained])):
        words = (*first, place.video, "--boxes", boxes, "-o", out / tool.__name__, "--side", 32)
        monkeypatch.setattr(sys, "argv", [tool.__name__, *map(str, words)])
        (out / f"{tool.__name__}.tmp" / "clips").mkdir(parents=True)
        with FileLock(out / f"{tool.__name__}.tmp" / "lock"):
            with pytest.raises(UserError, match="another program is writing it now; wait for that, or name another"):
                tool.main()
        tool.main()
        assert "starts anew; what a run that was stopped left of it is removed" in capsys.readouterr().err
        assert {path.name for path in out.iterdir()} >= {tool.__name__}
        assert not (out / f"{tool.__name__}.tmp").exists() and not (out / tool.__name__ / "lock").exists()
