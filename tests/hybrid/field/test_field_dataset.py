"""The whole way from a field video whose truth is known to clips and tables."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulated_fields import RATE, TILE, UM_PER_PX, write_boxes, write_video

from hybrid.data.casa import FIGURES, casa
from hybrid.data.clip import ClipSpec
from hybrid.data.paths import clips_under
from hybrid.data.video import decode_clip
from hybrid.errors import UserError
from hybrid.field.dataset import crop_fields
from hybrid.field.settings import Settings
from hybrid.field.tracks import Rules, tracks_of
from hybrid.field.video import FieldVideo
from hybrid.field.windows import Camera, windows_of

FORMATS = ("csv", "csv without ids", "mot", "voc", "yolo", "yolo with ids")
SIZE = (3 * TILE, 2 * TILE)


@pytest.mark.parametrize("kind", FORMATS)
def test_casa_figures_of_a_simulated_field_are_true_in_every_format(kind, field, tmp_path):
    """To 2 %, against the figures of the simulator's own paths at the video's rate."""
    boxes = write_boxes(tmp_path / "boxes", field.boxes, kind, SIZE)
    crop_fields([field.video], boxes, tmp_path / "out", Settings(side=64, um_per_px=UM_PER_PX))
    tracks = pd.read_csv(tmp_path / "out" / "tracks.csv")
    assert len(tracks) == 6 and set(tracks["unit"]) == {"um"}
    true = pd.DataFrame([casa(path * UM_PER_PX, RATE) for path in field.paths.values()])
    np.testing.assert_allclose(tracks[list(FIGURES)], true[list(FIGURES)], rtol=0.02, atol=1e-3)
    assert true["vcl"].min() > 5 and true["vcl"].max() > 1.5 * true["vcl"].min()  # there is something to measure


def test_clips_show_what_the_field_shows_and_the_window_follows_the_head(field, tmp_path):
    boxes = write_boxes(tmp_path / "boxes", field.boxes, "csv", SIZE)
    made = crop_fields([field.video], boxes, tmp_path / "out", Settings(side=64))
    clips = pd.read_csv(tmp_path / "out" / "clips.csv")
    tracks = pd.read_csv(tmp_path / "out" / "tracks.csv").set_index("track")
    assert made.clips == len(clips) == tracks["clips"].sum() > 0
    assert [path.name for path in clips_under(tmp_path / "out")] == sorted(clips["clip"])
    assert set(clips["group"]) == {"donor1"}
    assert set(clips["video_sha256"]) == {hashlib.sha256(field.video.read_bytes()).hexdigest()}
    for row in clips.itertuples():
        seen = decode_clip(tmp_path / "out" / "clips" / row.clip, ClipSpec(side=64))
        assert (seen.facts.distinct, seen.facts.padded, seen.facts.width, seen.facts.height) == (16, 0, 64, 64)
        assert seen.facts.frame_rate == pytest.approx(16)
        path = field.paths[tracks["id"][row.track]]
        for t in range(16):  # at 48 frames a second every third frame is wanted
            frame = round(row.first_s * RATE) + 3 * t
            found = _place(field.frames_THWC[frame], seen.frames_THWC[t], path[frame])
            assert np.abs(found + 32 - path[frame]).max() < 12  # the head is near the middle


def _place(field_HWC, clip_HWC, near):
    """Left and top of where the clip was cut out: the one place where grey levels agree."""
    best = {}
    for left in range(int(near[0]) - 32 - 14, int(near[0]) - 32 + 15):
        for top in range(int(near[1]) - 32 - 14, int(near[1]) - 32 + 15):
            if left >= 0 and top >= 0 and left + 64 <= SIZE[0] and top + 64 <= SIZE[1]:
                part = field_HWC[top : top + 64, left : left + 64].astype(int)
                best[np.abs(part - clip_HWC).mean()] = (left, top)
    assert min(best) < 1.5  # grey levels
    return np.array(best[min(best)])


def test_a_track_that_gives_no_clip_says_why(field, tmp_path):
    cells = {name: field.boxes[field.boxes["id"] == name].copy() for name in field.paths}
    cells["cell0"] = cells["cell0"].query("frame < 20")
    cells["cell1"] = cells["cell1"].query("frame < 20 or frame > 35")
    cells["cell2"].loc[cells["cell2"]["frame"] > 30, "x"] -= 200
    cells["cell3"]["x"] += 8 - cells["cell3"]["x"].min()
    cells["cell4"] = cells["cell4"].query("frame < 20 or frame > 24")
    boxes = write_boxes(tmp_path / "boxes", pd.concat(cells.values()), "csv", SIZE)
    said = crop_fields([field.video], boxes, tmp_path / "out", Settings(side=64)).said[0]
    tracks = pd.read_csv(tmp_path / "out" / "tracks.csv", keep_default_na=False).set_index("id")
    assert tracks["left_out"].to_dict() | {"cell5": ""} == {
        "cell0": "too short",
        "cell1": "lost",
        "cell2": "jumped",
        "cell3": "at the border",
        "cell4": "",
        "cell5": "",
    }
    assert tracks["part_bridged"]["cell4"] == 5 and tracks["gaps"]["cell1"] == 1 and tracks["jumps"]["cell2"] == 1
    for reason in ("1 too short", "1 lost", "1 jumped", "1 at the border"):
        assert reason in said


def test_a_fixed_camera_stays_and_long_tracks_give_several_clips(field, tmp_path):
    tile = field.frames_THWC[:, :TILE, TILE : 2 * TILE]
    video = write_video(tmp_path / "long.mkv", np.concatenate([tile, tile[::-1]] * 2))  # to and fro, 5 s
    steps = np.concatenate([np.arange(60), np.arange(60)[::-1]] * 2)
    one = field.boxes[field.boxes["id"] == "cell1"].set_index("frame").loc[steps].reset_index()
    boxes = write_boxes(tmp_path / "boxes", one.assign(frame=range(240), x=one["x"] - TILE), "csv", (TILE, TILE))
    for most, wanted in ((0, 4), (2, 2)):
        crop_fields([video], boxes, tmp_path / f"{most}", Settings(side=120, camera="fixed", most=most))
        clips = pd.read_csv(tmp_path / f"{most}" / "clips.csv")
        assert len(clips) == wanted and (np.diff(clips["first_s"]) > 0.999).all()


def test_a_video_of_which_a_clip_would_show_one_picture_is_refused(field, tmp_path):
    """A wrong rate in a header would make it days long, with a clip of each second."""
    video = write_video(tmp_path / "slow.mkv", field.frames_THWC[:4], rate=1 / 1600)
    with pytest.raises(UserError, match=r"slow.mkv: has a frame every 1.6e\+03 s, so that a clip of 1 s shows"):
        crop_fields([video], None, tmp_path / "out", Settings(side=64, head_px=14))


def test_a_cell_is_lost_while_the_camera_pauses():
    """A damaged time stamp would else give a clip of one picture for every second of a month."""
    times_N = np.concatenate([np.arange(40), 5e7 + np.arange(40)]) / 20
    video = FieldVideo(Path("a.mkv"), 200, 200, (False,) * 3, times_N, 0, "", ())
    boxes = pd.DataFrame({"id": "1", "frame": range(80), "x": 100.0, "y": 100.0, "w": 8.0, "h": 8.0})
    (track,) = tracks_of(boxes, video, Rules(max_speed=100.0, max_gap=0.25))
    assert track.gaps == 1 and [len(segment.path_T2) for segment in track.segments] == [40, 40]
    assert len(windows_of(track, video, Camera(64, "tracked", ClipSpec()))) == 4  # two in each two seconds


def test_what_is_made_is_whole_and_never_overwritten(field, tmp_path):
    boxes = write_boxes(tmp_path / "boxes", field.boxes, "csv", SIZE)
    crop_fields([field.video], boxes, tmp_path / "out", Settings(side=64))
    with pytest.raises(UserError, match="is there already"):
        crop_fields([field.video], boxes, tmp_path / "out", Settings(side=64))
    with pytest.raises(UserError, match="no track gives a clip"):
        crop_fields([field.video], boxes, tmp_path / "none", Settings(side=320))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["boxes", "out"]
    pictures = {path.name for path in (tmp_path / "out" / "pictures").iterdir()}
    assert pictures == {"donor1-clips.png", "donor1-field.png"}
