"""What cropping and grading hold in memory does not grow with the length of the video."""

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulated_fields import write_boxes, write_video
from tiny_graders import write_graders

from hybrid import load_grader
from hybrid.field.dataset import crop_fields
from hybrid.field.settings import Settings
from hybrid.grading.run import grade_field

HEIGHT, WIDTH, RATE = 480, 640, 12
SECONDS = {"short": 10, "long": 40}
"""in the short one there are more windows already than are graded at once"""
SETTINGS = Settings(side=64)


def make(folder: Path, name: str) -> None:
    """A field in which nothing changes, and boxes that go round in it."""
    turns = np.arange(SECONDS[name] * RATE) / RATE
    x, y = 320 + 100 * np.cos(turns), 240 + 100 * np.sin(turns)
    boxes = pd.DataFrame({"frame": range(len(turns)), "x": x, "y": y, "w": 16.0, "h": 16.0, "id": "cell1"})
    write_boxes(folder, boxes, "csv", (WIDTH, HEIGHT), name)
    grey_HWC = np.random.default_rng(0).integers(90, 110, (HEIGHT, WIDTH, 1), np.uint8)
    frames_THWC = np.broadcast_to(grey_HWC, (len(turns), HEIGHT, WIDTH, 3))
    write_video(folder / f"{name}.mp4", frames_THWC, RATE, "mpeg4", qscale="8")


def peak() -> int:
    """Bytes that this process has held at most, FFmpeg's among them, but not those of the process that started it."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def peaks(folder: Path) -> dict[str, int]:
    """After each job, one after another in this process."""
    seen = {}
    for name in SECONDS:
        crop_fields([folder / f"{name}.mp4"], folder / f"{name}.csv", folder / f"{name}-clips", SETTINGS)
        seen[f"crop {name}"] = peak()
    ensemble = load_grader(folder / "slowfast", accelerator="cpu").ensemble
    for name in SECONDS:
        grade_field(folder / f"{name}.mp4", folder / f"{name}.csv", folder / f"{name}-graded", SETTINGS, ensemble)
        seen[f"grade {name}"] = peak()
    return seen


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of one program")
def test_neither_holds_the_pictures_of_a_long_video(tmp_path):
    for name in SECONDS:
        make(tmp_path, name)
    write_graders(tmp_path / "slowfast")
    with ProcessPoolExecutor(1, get_context("spawn")) as alone:
        seen = alone.submit(peaks, tmp_path).result()
    assert len(pd.read_csv(tmp_path / "long-clips" / "clips.csv")) >= SECONDS["long"] - 1
    pictures = (SECONDS["long"] - SECONDS["short"]) * RATE * HEIGHT * WIDTH * 3 / 2  # as FFmpeg holds them
    for job in ("crop", "grade"):
        assert seen[f"{job} long"] - seen[f"{job} short"] < pictures / 4, seen
