import re

import numpy as np
import pytest

from hybrid.errors import UserError
from hybrid.rating.collection import opened
from hybrid.rating.summary import read_given, summarise
from hybrid.rating.votes import Vote


@pytest.fixture
def voted(folder):
    """Eva and Ada grade all six clips, Ida five and stricter; Eva repeats two, one of them a grade off."""
    given = [("Eva", n, 1, "ABCABC"[n]) for n in range(6)]
    given += [("Ada", n, 1, "ABBABC"[n]) for n in range(6)]
    given += [("Ida", n, 1, "BBDACD"[n]) for n in range(5)]
    given += [("Ida", 5, 1, None), ("Eva", 0, 2, "A"), ("Eva", 1, 2, "C"), ("Ada", 0, 2, None)]
    with opened(folder) as collection:
        for number, (rater, clip, showing, grade) in enumerate(given):
            collection.give(Vote(str(number), rater, f"{clip}.mkv", showing, grade), None)
    return folder


def test_votes_are_read_with_their_second_showings_and_groups(voted):
    given = read_given(voted, voted)
    assert given.raters == ("Ada", "Eva", "Ida") and given.groups == ("donor0",) * 3 + ("donor1",) * 3
    assert given.ratings_NR[:, 1].tolist() == [0, 1, 2, 0, 1, 2]
    assert given.again_NR[:, 1].tolist() == [0, 2, -1, -1, -1, -1] and (given.again_NR[:, [0, 2]] == -1).all()
    assert np.argwhere(given.cannot_NR).tolist() == [[5, 2]]


def test_the_summary_says_what_the_votes_say(voted):
    text = summarise(voted)
    assert "17 votes of 3 raters on 6 of 6 clips" in text
    assert "votes per clip: 2 (1 clip), 3 (5 clips)" in text
    assert "\"cannot grade\": 1 times, most often first '5.mkv'" in text
    assert re.search(r"Krippendorff's alpha \(ordinal\): 0\.\d{3} \(95 % .* over 2 groups of clips", text)
    assert "one half of the raters against the other" in text
    rows = {
        line.split()[0]: line.split()[1:] for line in text.splitlines() if line.strip()[:4] in ("Eva ", "Ada ", "Ida ")
    }
    votes, cannot, severity, _, twice, same, percent, apart = rows["Eva"]
    assert (votes, cannot, twice, same, percent, apart) == ("6", "0", "2", "50", "%", "0.50")
    assert rows["Ida"][2].startswith("+") and rows["Ida"][:2] == ["5", "1"] and rows["Ida"][4:] == ["0", "-", "-"]
    assert re.search(
        r"to narrow its interval from \S+ to \S+: about \d+ more clips of other groups .* more raters", text
    )


def test_a_wider_interval_than_there_is_needs_nothing_more(voted):
    assert "wide already" in summarise(voted, width=1000)
    with pytest.raises(UserError, match="--width is above 0"):
        summarise(voted, width=0)


def test_it_can_be_asked_while_votes_come_in(voted):
    with opened(voted) as collection:
        before = summarise(voted)
        collection.give(Vote("new", "Una", "0.mkv", 1, "E"), None)
        assert "18 votes of 4 raters" in summarise(voted) and "17 votes" in before


def test_ratings_alone_are_enough_also_as_a_spreadsheet_saves_them(voted):
    (expected,) = [line for line in summarise(voted).split("\n") if line.startswith("Krippendorff")]
    rows = (voted / "ratings.csv").read_text().replace(",", ";")
    for path in voted.glob("votes.sqlite3*"):
        path.unlink()
    (voted / "ratings.csv").write_text("\ufeff" + rows, encoding="utf-8")
    assert expected in summarise(voted)


def test_without_votes_it_says_how_to_collect_them(folder):
    with pytest.raises(UserError, match="there are no votes in .* yet"):
        summarise(folder)
    with opened(folder):
        with pytest.raises(UserError, match="there are no votes in .* yet"):
            summarise(folder)


def test_groups_are_those_that_a_benchmark_would_read(voted):
    lines = (voted / "clips.csv").read_text().replace("donor0", "1").replace("donor1", "2").splitlines()
    (voted / "clips.csv").write_text("\n".join([lines[0], lines[1].replace(",1", ",1.0"), *lines[2:]]))
    assert read_given(voted, voted).groups == ("1",) * 3 + ("2",) * 3
    (voted / "clips.csv").write_text("\n".join([*lines, lines[1].replace(",1", ",2")]))
    with pytest.raises(UserError, match=r"clip '0.mkv' is in group '2', in row 2 in '1'"):
        summarise(voted)


def test_clips_of_one_group_have_intervals_over_clips(voted):
    table = (voted / "clips.csv").read_text().replace("donor1", "donor0")
    (voted / "clips.csv").write_text(table)
    of_votes = summarise(voted)
    for path in voted.glob("votes.sqlite3*"):
        path.unlink()
    for text in (of_votes, summarise(voted)):
        assert ") over clips" in text and "to narrow its interval" in text
