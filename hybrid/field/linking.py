"""Boxes without identity become tracks, by trackpy (Crocker & Grier, J Colloid Interface Sci 179 (1996) 298).

It links all boxes of a frame with those of the next at once, so that the sum of squared steps is least, and remembers a
cell that was missed for some frames. It was made for many like, small particles in a microscope, and that is what heads
are; trackers for streets and sports look at overlap and appearance instead, and heads have neither: from frame to frame
a fast one moves by more than its own size, and they all look the same.
"""

from __future__ import annotations

import pandas as pd
import trackpy
from trackpy import SubnetOversizeException

from hybrid.errors import UserError
from hybrid.field.tracks import Rules
from hybrid.field.video import FieldVideo


def linked(boxes: pd.DataFrame, video: FieldVideo, rules: Rules) -> pd.DataFrame:
    """The same boxes with an id each, '0', '1', ... in order of appearance."""
    trackpy.quiet()
    reach = rules.max_speed * video.interval
    places = boxes.groupby("frame")[["x", "y"]]
    groups = places.indices
    xy = boxes[["x", "y"]].to_numpy()
    coordinates = ((frame, xy[groups.get(frame, [])].reshape(-1, 2)) for frame in range(len(video.times_N)))
    try:
        links = trackpy.link_iter(
            coordinates,
            search_range=reach,
            memory=int(min(rules.max_gap / video.interval, len(video.times_N))),
            adaptive_stop=reach / 10,  # where cells are so close that too many pairings are possible, look less far
            adaptive_step=0.9,
        )
        ids = pd.Series("", index=boxes.index, dtype=object)
        for frame, identities in links:
            if len(identities):
                ids.iloc[groups[frame]] = [str(identity) for identity in identities]
    except SubnetOversizeException:
        raise UserError(
            f"{video.path}: its boxes are too close together to be linked; lower --max-speed, or give boxes with ids"
        ) from None
    return boxes.assign(id=ids)
