"""The sheet of simulated beside real frames."""

import numpy as np
import pytest
from PIL import Image

from hybrid.errors import UserError
from hybrid.simulator.checks.compare_real import ACROSS, DOWN, TILE, compare_real
from hybrid.simulator.settings import Settings
from hybrid.simulator.writer import record

SMALL = Settings(size=96, um_per_px=0.6, num_frames=2, subframes=1)


def test_a_sheet_of_any_videos_found(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "videos" / "day 1").mkdir(parents=True)
    frames = rng.integers(100, 140, (4, 128, 160, 3), np.uint8)
    frames[:, 40:60, 100:110] = 20
    (tmp_path / "videos" / "day 1" / "a.mp4").write_bytes(record(frames, 25.0, 2))
    (tmp_path / "videos" / "notes.txt").write_text("no video")
    compare_real(tmp_path / "videos", tmp_path / "out" / "sheet.png", SMALL, seed=0)
    with Image.open(tmp_path / "out" / "sheet.png") as sheet:
        picture = np.asarray(sheet)
    assert picture.shape[1] == 2 * 2 * ACROSS * TILE + 8 and picture.shape[0] > 2 * DOWN * TILE
    first = picture[: 2 * TILE, : 2 * TILE].mean(-1)
    assert first[TILE - 20 : TILE + 20, TILE - 10 : TILE + 10].mean() < 50  # the dark thing, in the tile's middle


@pytest.mark.parametrize("name, told", [("nowhere", "there is no such folder"), ("empty", "there is no video")])
def test_a_folder_without_videos_is_refused(tmp_path, name, told):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=f"{name}: {told}"):
        compare_real(tmp_path / name, tmp_path / "sheet.png", SMALL, seed=0)
