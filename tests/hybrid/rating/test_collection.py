"""The two files of votes, and folders that are not as they should be."""

import shutil

import pytest

from hybrid.data.labels import read_labels
from hybrid.data.ratings import read_ratings
from hybrid.errors import UserError
from hybrid.rating.collection import opened
from hybrid.rating.votes import FILE, Vote


def give(folder, *given):
    """(rater, clip, showing, grade) each."""
    with opened(folder) as collection:
        start = len(collection.votes.counting())
        for number, vote in enumerate(given):
            collection.give(Vote(f"{start + number}", *vote), None)


def test_ratings_are_what_the_rest_reads(folder):
    """A second showing and "cannot grade" are in the database alone."""
    give(
        folder,
        *[("Eva", f"{n}.mkv", 1, "ABCDE"[n % 5]) for n in range(6)],
        ("Ada", "0.mkv", 1, "E"),
        ("Ada", "1.mkv", 1, None),
        ("Eva", "0.mkv", 2, "D"),
    )
    labels = read_labels(folder)
    ratings = read_ratings(folder, labels)
    assert labels.clips == tuple(f"{n}.mkv" for n in range(6)) and labels.groups == ("donor0",) * 3 + ("donor1",) * 3
    assert ratings.raters == ("Ada", "Eva")
    assert ratings.ratings_NR.tolist() == [[4, 0], [-1, 1], [-1, 2], [-1, 3], [-1, 4], [-1, 0]]


def test_there_are_no_ratings_without_a_grade(folder):
    give(folder, ("Eva", "0.mkv", 1, None))
    assert not (folder / "ratings.csv").exists()


def test_a_spreadsheets_ratings_are_understood_and_written_anew(folder):
    give(folder, ("Eva", "0.mkv", 1, "A"), ("Zo\u00eb", "1.mkv", 1, "B"))
    before = (folder / "ratings.csv").read_text(encoding="utf-8")
    saved = "\ufeff" + before.replace(",", ";").replace("\n", "\r\n")
    (folder / "ratings.csv").write_bytes(saved.encode("utf-8"))
    give(folder, ("Eva", "1.mkv", 1, "B"))
    assert (folder / "ratings.csv").read_text(encoding="utf-8") == before.replace("1.mkv,Z", "1.mkv,Eva,B\n1.mkv,Z")


@pytest.mark.parametrize("text", ["clip,rater,grade\n0.mkv,Eva,C\n", "clip,rater,grade\n0.mkv,Ida,A\n"])
def test_votes_from_elsewhere_are_not_overwritten(folder, text):
    give(folder, ("Eva", "0.mkv", 1, "A"))
    (folder / "ratings.csv").write_text(text)
    with pytest.raises(UserError, match="row 2: the vote .* was not given on the rating page"):
        give(folder)
    assert (folder / "ratings.csv").read_text() == text


def test_ratings_that_a_kill_left_behind_are_written_at_the_next_start(folder):
    give(folder, ("Eva", "0.mkv", 1, "A"))
    before = (folder / "ratings.csv").read_text()
    give(folder, ("Eva", "1.mkv", 1, "B"))
    after = (folder / "ratings.csv").read_text()
    (folder / "ratings.csv").write_text(before)
    give(folder)
    assert (folder / "ratings.csv").read_text() == after != before


def test_votes_on_a_clip_that_is_gone_are_kept_in_the_database_alone(folder):
    give(folder, ("Eva", "0.mkv", 1, "A"), ("Eva", "1.mkv", 1, "B"))
    (folder / "clips" / "0.mkv").unlink()
    with opened(folder) as collection:
        assert "1 clips with votes are no longer" in collection.notices[0]
        assert len(collection.votes.counting()) == 2
    assert (folder / "ratings.csv").read_text() == "clip,rater,grade\n1.mkv,Eva,B\n"


def test_votes_beside_labels_go_to_another_folder_in_the_grades_of_the_labels(small_dataset, tmp_path):
    with pytest.raises(UserError, match="labels.csv holds votes already.*--votes"), opened(small_dataset):
        pass
    with opened(small_dataset, tmp_path / "new" / "votes") as collection:
        assert collection.grades == ("A", "B", "C", "D", "E")
        collection.give(Vote("1", "Eva", "0.mkv", 1, "A"), None)
    assert (tmp_path / "new" / "votes" / "ratings.csv").exists() and not (small_dataset / FILE).exists()


def test_one_program_at_a_time_collects_in_a_folder(folder):
    with opened(folder):
        with pytest.raises(UserError, match="by another tools/rate.py already"), opened(folder):
            pass
    with opened(folder):
        pass


def test_grades_stay_those_of_the_first_start(folder):
    with opened(folder, grades=("1", "2", "3")):
        pass
    with opened(folder) as collection:
        assert collection.grades == ("1", "2", "3")
    with pytest.raises(UserError, match="are of the grades 1,2,3, not A,B"), opened(folder, grades=("A", "B")):
        pass


@pytest.mark.parametrize(
    "grades, message",
    [
        (("A",), "grades are 2 to 9"),
        (tuple("ABCDEFGHIJ"), "grades are 2 to 9"),
        (("A", "", "B"), "must differ"),
        (("A", "a"), "must differ"),
        (("1", "1.0"), "must differ"),
        (("\u0410", "B"), r"look alike: '\u0410' is U\+0410 CYRILLIC CAPITAL LETTER A, 'B' is U\+0042"),
        (("E", "D", "C"), "does not say which grade is the best"),
        (("good", "bad"), "does not say which grade is the best"),
    ],
)
def test_grades_that_cannot_be_read_back_are_refused(folder, grades, message):
    with pytest.raises(UserError, match=message), opened(folder, grades=grades):
        pass
    with opened(folder) as collection:  # nothing was kept of them
        assert collection.grades == tuple("ABCDE")


def test_folders_without_clips_are_explained(folder, tmp_path):
    for path, message in (
        (tmp_path / "none", "there is no folder"),
        (tmp_path, "has no folder clips/, in which the videos are; tools/crop.py"),
        (folder / "clips", f"give {folder}"),
    ):
        with pytest.raises(UserError, match=message), opened(path):
            pass
    shutil.rmtree(folder / "clips")
    (folder / "clips").mkdir()
    with pytest.raises(UserError, match="holds no files"), opened(folder):
        pass


def test_a_place_that_cannot_be_written_to_is_explained(folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="no votes can be written there"), opened(folder, tmp_path / "file" / "votes"):
        pass
