"""ratings.csv: read, and checked against labels.csv."""

import numpy as np
import pytest

from hybrid.data.labels import read_labels
from hybrid.data.problems import DatasetError
from hybrid.data.ratings import read_ratings

LABELS = "clip,A,B\na.mkv,2,1\nb.mkv,0,3\n"
RATINGS = "clip,rater,grade\na.mkv,r1,A\na.mkv,r2,A\na.mkv,r3,B\nb.mkv,r1,B\nb.mkv,r2,B\nb.mkv,r4,B\n"


def ratings_of(make_dataset, ratings, labels=LABELS):
    root = make_dataset(labels, clips=("a.mkv", "b.mkv"))
    if ratings is not None:
        (root / "ratings.csv").write_text(ratings)
    return read_ratings(root, read_labels(root))


def test_no_file(make_dataset):
    assert ratings_of(make_dataset, None) is None


@pytest.mark.parametrize(
    "text", [RATINGS, RATINGS.replace(",", ";"), RATINGS.replace("a.mkv", "./a.mkv"), "\n" + RATINGS]
)
def test_read(make_dataset, text):
    ratings = ratings_of(make_dataset, text)
    assert ratings.raters == ("r1", "r2", "r3", "r4")
    np.testing.assert_array_equal(ratings.ratings_NR, [[0, 0, 1, -1], [1, 1, -1, 1]])


@pytest.mark.parametrize(
    "one, other", [("Anna", "ANNA"), ("Zo\u00eb", "Zoe\u0308"), ("r 1", "r\u3000 1"), ("1", "1.0")]
)
def test_a_rater_typed_in_several_ways_is_one(make_dataset, one, other):
    text = f"clip,rater,grade\na.mkv,{one},A\na.mkv,r2,A\na.mkv,r3,B\nb.mkv,{other},B\nb.mkv,r2,B\nb.mkv,r3,B\n"
    ratings = ratings_of(make_dataset, text)
    assert sorted(ratings.raters) == sorted((one, "r2", "r3"))
    (notice,) = ratings.notices
    assert "typed in several ways" in notice and f"{one!r} and {other!r}" in notice
    with pytest.raises(DatasetError, match="has graded clip 'a.mkv' in row 2 already as"):
        ratings_of(make_dataset, text.replace(f"b.mkv,{other}", f"a.mkv,{other}"))


def test_grades_are_known_in_any_spelling(make_dataset):
    text = RATINGS.replace(",B", ",2.0").replace(",A", ",\uff11")
    ratings = ratings_of(make_dataset, text, LABELS.replace("A,B", "1,2"))
    np.testing.assert_array_equal(ratings.ratings_NR, [[0, 0, 1, -1], [1, 1, -1, 1]])


def test_percentages_agree_with_the_votes_they_were_made_of(make_dataset):
    ratings_of(make_dataset, RATINGS, "clip,A,B\na.mkv,66.7,33.3\nb.mkv,0,100\n")


def test_fractions_may_be_rounded(make_dataset):
    ratings_of(make_dataset, RATINGS, "clip,A,B\na.mkv,0.67,0.33\nb.mkv,0,1\n")


BAD = {
    "no grade column": (RATINGS.replace("grade", "vote"), "ratings.csv: there is no column 'grade'"),
    "unknown column": (RATINGS.replace("\n", ",x\n"), "ratings.csv: unknown column 'x'"),
    "unknown clip": (RATINGS + "c.mkv,r1,A\n", "ratings.csv row 8: clip 'c.mkv' is not in labels.csv"),
    "unknown grade": (
        RATINGS + "a.mkv,r9,C\n",
        "ratings.csv row 8: rater 'r9' gives clip 'a.mkv' the unknown grade 'C'; grades: A, B",
    ),
    "look-alike": (
        RATINGS + "a.mkv,r9,\u0410\n",
        "grades: A, B ('\u0410' is U+0410 CYRILLIC CAPITAL LETTER A, 'A' is U+0041",
    ),
    "lower case": (RATINGS + "a.mkv,r9,a\n", "the unknown grade 'a'"),
    "no rater": (RATINGS + "a.mkv,,A\n", "ratings.csv row 8: clip 'a.mkv' has no rater"),
    "twice": (
        RATINGS + "a.mkv,r1,B\n",
        "ratings.csv row 8: rater 'r1' has graded clip 'a.mkv' in row 2 already",
    ),
    "other votes": (
        RATINGS.replace("a.mkv,r3,B", "a.mkv,r3,A"),
        "ratings.csv: clip 'a.mkv' has 3/0 here but 2/1 in labels.csv row 2",
    ),
    "a vote too many": (RATINGS + "b.mkv,r9,B\n", "ratings.csv: clip 'b.mkv' has 0/4 here but 0/3 in labels.csv row 3"),
    "clip without ratings": (
        RATINGS.split("b.mkv")[0],
        "ratings.csv: has no ratings of 1 of the clips of labels.csv: 'b.mkv'",
    ),
    "empty": ("", "ratings.csv: is empty"),
}


@pytest.mark.parametrize("case", BAD)
def test_says_what_is_wrong(make_dataset, case):
    text, message = BAD[case]
    with pytest.raises(DatasetError) as error:
        ratings_of(make_dataset, text)
    assert any(message in problem for problem in error.value.problems), error.value.problems
    if case not in ("unknown column",):
        assert len(error.value.problems) == 1, error.value.problems


def test_fractions_that_disagree(make_dataset):
    with pytest.raises(DatasetError, match="'a.mkv' has 0.667/0.333 here but 0.5/0.5 in labels.csv row 2"):
        ratings_of(make_dataset, RATINGS, "clip,A,B\na.mkv,0.5,0.5\nb.mkv,0,1\n")
