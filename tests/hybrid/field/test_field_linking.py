"""Boxes without ids are linked as they belong together."""

from dataclasses import replace

import numpy as np
import pandas as pd

from hybrid.field.linking import linked
from hybrid.field.tracks import Rules, tracks_of
from hybrid.field.video import look_through


def of(boxes: pd.DataFrame, video, rules: Rules) -> pd.DataFrame:
    shuffled = boxes.sample(frac=1, random_state=0).sort_values("frame", kind="stable", ignore_index=True)
    return linked(shuffled.assign(id=None), video, rules).assign(true=shuffled["id"])


def test_links_of_a_simulated_field_are_its_cells_also_over_short_gaps(field):
    video = look_through(field.video)
    missed = np.random.default_rng(0).random(len(field.boxes)) < 0.1
    found = of(field.boxes[~missed], video, Rules(max_speed=480, max_gap=0.2))
    assert (found.groupby("true")["id"].nunique() == 1).all() and found["id"].nunique() == 6


def test_two_cells_that_pass_each_other_keep_their_ids_and_an_empty_frame_breaks_nothing(field):
    video, frame = look_through(field.video), np.arange(60)
    there = pd.DataFrame({"frame": frame, "x": 50 + 4.0 * frame, "y": 100.0, "w": 12, "h": 12, "id": "there"})
    back = there.assign(x=290 - 4.0 * frame, y=112.0, id="back")
    boxes = pd.concat([there, back]).query("frame != 20")
    found = of(boxes, video, Rules(max_speed=480, max_gap=0.2))
    assert (found.groupby("true")["id"].nunique() == 1).all() and found["id"].nunique() == 2


def test_a_damaged_frame_rate_takes_no_more_memory(field):
    """trackpy keeps a list for each frame that a cell may be gone: in a fifth of a second there were millions."""
    video = look_through(field.video)
    boxes = pd.DataFrame({"frame": range(60), "x": 50.0, "y": 100.0, "w": 12, "h": 12, "id": "one"})
    found = of(boxes, replace(video, times_N=video.times_N * 1e-8), Rules(max_speed=480, max_gap=0.2))
    assert found["id"].nunique() == 1


def test_a_cell_that_is_gone_for_longer_is_a_new_one(field):
    video, frame = look_through(field.video), np.arange(60)
    boxes = pd.DataFrame({"frame": frame, "x": 50.0 + frame, "y": 100.0, "w": 12, "h": 12, "id": "one"})
    found = of(boxes.query("frame < 20 or frame > 40"), video, Rules(max_speed=480, max_gap=0.2))
    assert found["id"].nunique() == 2


def test_an_id_that_jumps_is_two_segments(field):
    video, frame = look_through(field.video), np.arange(60)
    boxes = pd.DataFrame(
        {"frame": frame, "x": 50.0 + frame + 200 * (frame > 30), "y": 100.0, "w": 12, "h": 12, "id": "a"}
    )
    (track,) = tracks_of(boxes, video, Rules(max_speed=480, max_gap=0.2))
    assert [(segment.first, segment.last) for segment in track.segments] == [(0, 30), (31, 59)]
    assert (track.jumps, track.gaps) == (1, 0)
