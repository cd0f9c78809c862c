"""What tests of several rooms need: a data set of a few clips, and the words of a run on it that takes seconds."""

import csv
from pathlib import Path

import av
import numpy as np

ROOT = Path(__file__).parent.parent
FIRST_DESIGN = {"stages": "res4-5", "head": "attentive", "frame_mixer": "none"}
"""of the hybrid, with branches inside"""


def write_dataset(root: Path, num_clips: int = 12) -> Path:
    """Bright squares that cross a grey field, faster the better the grade; groups of three."""
    (root / "clips").mkdir(parents=True)
    rows = []
    for number in range(num_clips):
        grade = number % 5
        with av.open(str(root / "clips" / f"{number}.mkv"), "w") as container:
            stream = container.add_stream("ffv1", rate=16)
            stream.width = stream.height = 64
            stream.pix_fmt = "gray"
            for t in range(16):
                image = np.full((64, 64), 120, np.uint8)
                left = (5 * number + (5 - grade) * t) % 56
                image[number : number + 8, left : left + 8] = 220
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="gray")))
            container.mux(stream.encode())
        votes = [1, 1, 1, 1, 1]
        votes[grade] = 36
        rows.append([f"{number}.mkv", *votes, f"donor{number // 3}"])
    with open(root / "labels.csv", "w", newline="") as file:
        csv.writer(file).writerows([["clip", "A", "B", "C", "D", "E", "group"], *rows])
    return root


def quick_overrides(dataset: Path, folder: Path) -> list[str]:
    return [
        "protocol=smoke",
        "data=folder",
        f"data.root={dataset}",
        f"runs_dir={folder / 'runs'}",
        "logger=disabled",
        "protocol.batch_size=4",
    ]
