"""What must not be split: a video, or a donor."""

from pathlib import Path

import pytest

from hybrid.errors import UserError
from hybrid.field.groups import groups_of

VIDEOS = [Path("a.mp4"), Path("b.avi")]


def test_a_video_is_a_group_unless_a_table_names_donors(tmp_path):
    assert list(groups_of(VIDEOS, None)[0].values()) == ["a", "b"]
    donors = tmp_path / "donors.csv"
    donors.write_text("video;donor\na.mp4;P 1\nb;P  1\nc;P2\n")
    groups, notes = groups_of(VIDEOS, donors)
    assert list(groups.values()) == ["P 1", "P 1"] and "'c'" in notes[0]
    donors.write_text("video,donor\na,1\nb,2\n")
    assert groups_of(VIDEOS, donors)[1] == [], "a table of just these videos"


@pytest.mark.parametrize(
    "text, message",
    [
        ("video,donor\na,1\n", "has no row for b.avi"),
        ("video,donor\na,1\na,2\nb,1\n", "row 3: video 'a' is there already"),
        ("video,donor\na,1\nb,\n", "row 3: video or donor is empty"),
        ("video,patient\na,1\n", "there is no column 'donor'"),
    ],
)
def test_a_wrong_table_of_donors_is_explained(text, message, tmp_path):
    (tmp_path / "donors.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        groups_of(VIDEOS, tmp_path / "donors.csv")
