import sqlite3

import pytest

from hybrid.errors import UserError
from hybrid.rating.votes import FILE, Vote, VoteConflict, Votes


@pytest.fixture
def votes(tmp_path):
    votes = Votes(tmp_path / FILE)
    votes.set_grades(("A", "B"))
    yield votes
    votes.close()


def test_a_vote_that_is_sent_twice_is_stored_once_and_a_corrected_one_counts_alone(votes):
    first, corrected = Vote("1", "Eva", "a.mp4", 1, "A"), Vote("2", "Eva", "a.mp4", 1, None)
    votes.give(first, None)
    votes.give(first, None)
    votes.give(corrected, "1")
    votes.give(first, None)  # a late retry changes nothing
    assert votes.counting() == [corrected]
    assert votes.ever_given() == {("a.mp4", "Eva", "A")}
    assert sqlite3.connect(votes.path).execute("SELECT count(*) FROM votes").fetchone() == (2,)


def test_a_vote_replaces_only_the_one_that_its_giver_knew_of(votes):
    votes.give(Vote("1", "Eva", "a.mp4", 1, "A"), None)
    for number, replaces in (("2", None), ("3", "0")):
        with pytest.raises(VoteConflict):
            votes.give(Vote(number, "Eva", "a.mp4", 1, "B"), replaces)
    assert [vote.grade for vote in votes.counting()] == ["A"]


def test_raters_clips_and_showings_do_not_touch_each_other(votes):
    given = [
        Vote("1", "Ada", "a.mp4", 1, "A"),
        Vote("2", "Ada", "a.mp4", 2, "B"),
        Vote("3", "Ada", "b.mp4", 1, None),
        Vote("4", "Eva", "a.mp4", 1, "B"),
    ]
    for vote in given:
        votes.give(vote, None)
    assert votes.counting() == given
    assert votes.of("Ada") == {(vote.clip, vote.showing): vote for vote in given[:3]}
    assert votes.raters() == ["Ada", "Eva"]


def test_the_database_keeps_votes_through_a_power_cut(votes):
    """What SQLite promises with a write-ahead log that is flushed at every commit."""
    assert votes._database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert votes._database.execute("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.parametrize("replaced", [False, True])
def test_a_database_that_is_taken_away_takes_no_votes_with_it(votes, replaced):
    votes.give(Vote("1", "Eva", "a.mp4", 1, "A"), None)
    votes.path.rename(votes.path.with_suffix(".old"))
    if replaced:
        votes.path.touch()
    with pytest.raises(UserError, match="was moved or removed while votes were stored in it, and this one is not"):
        votes.give(Vote("2", "Eva", "b.mp4", 1, "A"), None)


@pytest.mark.parametrize("content", [b"clip,rater,grade\n" * 100, None])
def test_another_file_of_that_name_is_explained(tmp_path, content):
    path = tmp_path / FILE
    if content:
        path.write_bytes(content)
    else:
        other = sqlite3.connect(path)
        other.execute("PRAGMA user_version = 9")
        other.close()
    with pytest.raises(UserError, match=FILE):
        Votes(path)
    if content:
        assert path.read_bytes() == content
