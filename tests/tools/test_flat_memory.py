"""Long recordings: crop and grade keep of a video only what is being cut out."""

import os
import subprocess
import sys

import numpy as np
from simulated_fields import write_video
from support import ROOT
from tiny_graders import write_graders

SIDE, SHORT, LONG = 640, 48, 480

RUN = """
import resource, sys
from tools import crop, grade
for tool in (crop, grade):
    for length in ("short", "long"):
        first = [sys.argv[1]] if tool is grade else []
        words = [*first, f"{length}.mkv", "--boxes", f"{length}.csv", "-o", f"{tool.__name__}-{length}", "--side", "64"]
        sys.argv[1:], kept = words, sys.argv[1:]
        tool.main()
        sys.argv[1:] = kept
        print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_a_video_ten_times_as_long_takes_no_more_memory(tmp_path):
    """Its 432 more pictures are 530 MB."""
    picture = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 1), dtype=np.uint8)
    for name, frames in (("short", SHORT), ("long", LONG)):
        write_video(tmp_path / f"{name}.mkv", np.broadcast_to(picture, (frames, SIDE, SIDE, 3)), rate=24.0)
        lines = [f"{t},{200 + t % 40},300,16,16,a\n" for t in range(frames)]
        (tmp_path / f"{name}.csv").write_text("frame,x,y,w,h,id\n" + "".join(lines))
    trained = write_graders(tmp_path / "slowfast") / "repeat0-fold0"
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(trained)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    peaks = [int(line.split()[1]) / 1e3 for line in done.stdout.splitlines() if line.startswith("peak")]
    assert peaks[1] - peaks[0] < 60 and peaks[3] - peaks[2] < 60, peaks
