"""The simple detector finds the heads of a simulated field, among other things."""

import numpy as np
import pytest

from hybrid.errors import UserError
from hybrid.field.detecting import detect
from hybrid.field.video import look_through


def test_heads_are_found_and_sizes_that_no_head_has_are_refused(field):
    video = look_through(field.video)
    boxes, said = detect(video, 13)
    assert "simple detector" in said and boxes["id"].isna().all()
    near = []
    for frame, heads in field.boxes.groupby("frame"):
        found = boxes.loc[boxes["frame"] == frame, ["x", "y"]].to_numpy()
        near.append(np.linalg.norm(heads[["x", "y"]].to_numpy()[:, None] - found, axis=-1).min(axis=1) < 6)
    assert np.mean(near) > 0.9
    with pytest.raises(UserError, match="diameter must be from 5 px to a quarter of the picture, not 200 px"):
        detect(video, 200)
