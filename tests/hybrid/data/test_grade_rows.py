"""Labels with a grade a row: ratings.csv alone, one grade a clip, groups from clips.csv."""

import numpy as np
import pytest

from hybrid.data.clip import ClipSpec
from hybrid.data.dataset import load_dataset
from hybrid.data.grade_rows import source_videos
from hybrid.data.labels import read_labels
from hybrid.data.permuted_labels import permute_labels
from hybrid.data.problems import DatasetError
from hybrid.data.ratings import read_ratings

RATINGS = "clip,rater,grade\nb.mkv,r1,C\na.mkv,r1,A\na.mkv,r2,A\na.mkv,r3,B\nb.mkv,r2,A\nc.mkv,r1,B\n"
CROPS = "clip,video,group,x\na.mkv,v1,p1,5\nb.mkv,v1,p1,6\nc.mkv,v2,p2,7\nd.mkv,v2,p2,7\n"


def rated(make_dataset, ratings, **others):
    root = make_dataset(False)
    (root / "ratings.csv").write_text(ratings)
    for name, text in others.items():
        (root / f"{name}.csv").write_text(text)
    return root


@pytest.mark.parametrize(
    "text",
    [RATINGS, RATINGS.replace(",", ";"), RATINGS.replace("a.mkv", "./a.mkv", 1), RATINGS.replace("grade", "Grade")],
)
def test_votes_are_counted_from_ratings_alone(make_dataset, text):
    root = rated(make_dataset, text)
    labels = read_labels(root)
    assert (labels.clips, labels.grades, labels.lines) == (("b.mkv", "a.mkv", "c.mkv"), ("A", "B", "C"), (2, 3, 7))
    np.testing.assert_array_equal(labels.votes_NK, [[1, 0, 1], [2, 1, 0], [0, 1, 0]])
    assert labels.file == "ratings.csv" and labels.groups is None
    counted, order = labels.notices
    assert counted == "there is no labels.csv: the votes are counted from ratings.csv (6 votes by 3 raters)"
    assert order.startswith(
        "ratings.csv does not say which grade is the best: it is taken to be 'A', and 'C' the worst"
    )
    np.testing.assert_array_equal(read_ratings(root, labels).ratings_NR, [[2, 0, -1], [0, 0, 1], [1, -1, -1]])


def test_a_data_set_of_ratings_is_like_one_with_both_files(make_dataset):
    root = rated(make_dataset, RATINGS)
    alone = load_dataset(root, ClipSpec(2, 2, 16, 1))
    (root / "labels.csv").write_text("clip,A,B,C\nb.mkv,1,0,1\na.mkv,2,1,0\nc.mkv,0,1,0\n")
    both = load_dataset(root, ClipSpec(2, 2, 16, 1))
    assert alone.fingerprint == both.fingerprint and len(set(alone.notices)) == len(alone.notices)


def test_one_grade_a_clip_is_one_vote(make_dataset):
    labels = read_labels(make_dataset("Clip;Grade;Group\na.mkv;B;p\nb.mkv;A;p\nc.mkv;D;q\n"))
    assert labels.grades == ("A", "B", "D") and labels.groups == ("p", "p", "q")
    np.testing.assert_array_equal(labels.votes_NK, [[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    assert labels.notices[0] == "labels.csv has one grade a clip, taken as one vote: how far raters agree is not known"
    assert labels.notices[1].startswith("labels.csv does not say which grade is the best: it is taken to be 'A', and")


def test_a_grade_that_one_clip_alone_has_is_told_with_its_row(make_dataset):
    root = make_dataset(False)
    clips = [f"{n}.mkv" for n in range(24)]
    for clip in clips:
        (root / "clips" / clip).touch()
    rows = [f"{clip},{'ABC'[n % 3]}" for n, clip in enumerate(clips)]
    (root / "labels.csv").write_text("\n".join(["clip,grade", *rows]))
    assert not any("by a slip" in notice for notice in read_labels(root).notices)
    rows[9] = f"{clips[9]},F"
    (root / "labels.csv").write_text("\n".join(["clip,grade", *rows]))
    assert any(notice.endswith("perhaps by a slip: 'F' in row 11") for notice in read_labels(root).notices)


@pytest.mark.parametrize(
    "grades, told",
    [
        (("A", "B", ""), "'grade' of clip 'c.mkv' is empty"),
        (("A", "B", "NA"), "the grade of clip 'c.mkv' is 'NA', which is none beside 'A', 'B'; write another or"),
        (("1", "2", "-"), "the grade of clip 'c.mkv' is '-', which is none beside '1', '2'; write another or"),
    ],
)
def test_a_cell_that_holds_no_grade_is_named(make_dataset, grades, told):
    rows = "".join(f"{clip},{grade}\n" for clip, grade in zip(("a.mkv", "b.mkv", "c.mkv"), grades, strict=True))
    with pytest.raises(DatasetError) as error:
        read_labels(make_dataset(f"clip,grade\n{rows}"))
    (problem,) = error.value.problems
    assert problem.startswith(f"labels.csv row 4: {told}")


def test_means_of_raters_are_met_with_a_word(make_dataset):
    notices = read_labels(make_dataset("clip,grade\na.mkv,2.33\nb.mkv,1.0\nc.mkv,3\n")).notices
    assert [notice for notice in notices if "a mean of several raters is none" in notice] == [
        "grades of labels.csv are not whole ('2.33'), and each is taken as a grade of its own; a mean of several "
        "raters is none: give each rater's, in ratings.csv"
    ]


def test_numbers_are_in_the_order_of_their_values(make_dataset):
    labels = read_labels(make_dataset("clip,grade\na.mkv,10\nb.mkv,9\nc.mkv,2\n"))
    assert labels.grades == ("2", "9", "10")


def test_a_grade_typed_in_several_ways_is_one(make_dataset):
    root = rated(make_dataset, "clip,rater,grade\na.mkv,r1,3\nb.mkv,r1,3.0\nc.mkv,r1,03\na.mkv,r2,\uff13\nb.mkv,r2,1\n")
    labels = read_labels(root)
    assert labels.grades == ("1", "3")
    np.testing.assert_array_equal(labels.votes_NK, [[0, 2], [1, 1], [0, 1]])
    assert "typed in several ways and taken as one each: '03' and '3' and '3.0'" in labels.notices[-1]
    np.testing.assert_array_equal(read_ratings(root, labels).ratings_NR, [[1, 1], [1, 0], [1, -1]])


@pytest.mark.parametrize(
    "text", [RATINGS, "clip,grade\na.mkv,A\nb.mkv,B\nc.mkv,A\n", "clip,A,B\na.mkv,1,0\nb.mkv,1,0\nc.mkv,1,0\n"]
)
def test_groups_of_cropped_clips_are_used_where_labels_have_none(make_dataset, text):
    if text == RATINGS:
        root = rated(make_dataset, text, clips=CROPS)
    else:
        root = make_dataset(text)
        (root / "clips.csv").write_text(CROPS)
    labels = read_labels(root)
    assert dict(zip(labels.clips, labels.groups, strict=True)) == {"a.mkv": "p1", "b.mkv": "p1", "c.mkv": "p2"}


def test_ratings_may_have_groups_of_their_own(make_dataset):
    root = rated(make_dataset, RATINGS.replace("\n", ",p\n").replace("grade,p", "grade,Group"), clips=CROPS)
    assert load_dataset(root, ClipSpec(2, 2, 16, 1)).groups == ("p", "p", "p")


def test_groups_of_labels_come_before_those_of_cropped_clips(make_dataset):
    root = make_dataset("clip,A,B,group\na.mkv,1,0,mine\nb.mkv,1,0,yours\nc.mkv,1,0,yours\n")
    (root / "clips.csv").write_text(CROPS)
    assert (labels := read_labels(root)).groups == ("mine", "yours", "yours")
    (notice,) = labels.notices
    assert notice.startswith("groups of labels.csv split groups of clips.csv ('p1'; 'p1' is in 'mine', 'yours'): those")
    text = (root / "labels.csv").read_text()
    (root / "labels.csv").write_text(text.replace("mine", "yours"))  # a donor of several videos
    assert read_labels(root).notices == ()


def test_a_clips_csv_without_groups_leaves_every_clip_on_its_own(make_dataset):
    root = make_dataset("clip,A,B\na.mkv,1,0\nb.mkv,1,0\nc.mkv,1,0\n")
    (root / "clips.csv").write_text("clip,taken_on\na.mkv,monday\n")
    assert (labels := read_labels(root)).groups is None
    assert labels.notices == ("clips.csv has no column 'group': clips are split one by one",)
    (root / "clips.csv").write_text("clip,Patient\na.mkv,1\n")
    with pytest.raises(DatasetError, match="there is no column 'group' but 'Patient': rename it to group"):
        read_labels(root)


def test_an_empty_group_column_is_none_and_those_of_clips_csv_are_taken(make_dataset):
    root = make_dataset("clip,A,B,group\na.mkv,1,2,\nb.mkv,2,1,\n")
    (root / "clips.csv").write_text("clip,group\na.mkv,p1\nb.mkv,p1\n")
    assert read_labels(root).groups == ("p1", "p1")


def test_the_videos_that_clips_were_cropped_from_are_known_where_clips_csv_says_so(make_dataset):
    root = make_dataset("clip,A,B\na.mkv,1,0\nb.mkv,1,0\nc.mkv,1,0\n")
    assert source_videos(root, ["a.mkv", "b.mkv", "c.mkv"]) == set()
    (root / "clips.csv").write_text(CROPS)
    assert source_videos(root, ["a.mkv", "b.mkv", "c.mkv"]) == set()
    (root / "clips.csv").write_text("clip,video_sha256\na.mkv,12\nb.mkv,12\nc.mkv,34\nd.mkv,56\n")
    assert source_videos(root, ["a.mkv", "b.mkv", "c.mkv"]) == {"12", "34"}
    assert source_videos(root, ["b.mkv"]) == {"12"}
    (root / "clips.csv").write_text("clip,video_sha256\na.mkv\nb.mkv,\n")
    assert source_videos(root, ["a.mkv", "b.mkv"]) == set()


BAD = {
    "no order": (
        RATINGS.replace(",A", ",good").replace(",B", ",bad"),
        "ratings.csv: nothing says which of the grades 'C', 'bad', 'good' is the best; write labels.csv with a column",
    ),
    "capitals": (
        RATINGS + "c.mkv,r2,a\n",
        "ratings.csv: grades differ in capitals alone (A, a, B, C)",
    ),
    "one grade": ("clip,rater,grade\na.mkv,r1,A\n", "ratings.csv: needs 2 or more grades, has A"),
    "not a number": (
        "clip,rater,grade\na.mkv,r1,1\nb.mkv,r1,2\nc.mkv,r1,nan\n",
        "ratings.csv row 4: the grade of clip 'c.mkv' is 'nan', which is none; write the grade, or remove the row",
    ),
    "infinite": (
        "clip,rater,grade\na.mkv,r1,-inf\nb.mkv,r1,2\nc.mkv,r1,1\n",
        "row 2: the grade of clip 'a.mkv' is '-inf'",
    ),
    "look-alike": (
        RATINGS + "c.mkv,r2,\u0410\n",
        "names of grades hold letters that look alike: 'A' is U+0041 LATIN CAPITAL LETTER A, '\u0410' is U+0410",
    ),
    "no such clip": (RATINGS + "x.mkv,r1,A\n", "ratings.csv row 8: clip 'x.mkv': there is no such file in clips/"),
    "twice": (RATINGS + "c.mkv,r1,A\n", "ratings.csv row 8: rater 'r1' has graded clip 'c.mkv' in row 7 already"),
    "no grade": (RATINGS + "a.mkv,r4,\n", "ratings.csv row 8: 'grade' of clip 'a.mkv' is empty"),
    "mark": (
        RATINGS + "a.mkv,r4,?\n",
        "ratings.csv row 8: the grade of clip 'a.mkv' is '?', which is none beside 'A', 'B', 'C'; write another or",
    ),
    "row too long": (RATINGS + "c.mkv,r2,A,B\n", "ratings.csv row 8: has 4 values where the header has 3 columns"),
    "patient": (
        RATINGS.replace("\n", ",p\n").replace("grade,p", "grade,patient"),
        "unknown column 'patient' beside 'grade': rename it to group",
    ),
    "two groups": (
        RATINGS.replace("\n", ",p\n").replace("grade,p", "grade,group").replace("r3,B,p", "r3,B,q"),
        "ratings.csv row 5: clip 'a.mkv' is in group 'q', in row 3 in 'p'",
    ),
    "other words": (
        RATINGS.replace("rater", "Reader"),
        "ratings.csv: there is no column 'rater' but 'Reader': rename it to rater; the first line has",
    ),
    "clip in two groups": (RATINGS, "clips.csv row 6: clip 'a.mkv' is in group 'p2', in row 2 in 'p1'"),
    "clip without group": (RATINGS, "clips.csv: clip 'c.mkv' has no group, others have one"),
}


@pytest.mark.parametrize("case", BAD)
def test_says_what_is_wrong(make_dataset, case):
    text, message = BAD[case]
    crops = {
        "clip without group": {"clips": CROPS.replace("c.mkv,v2,p2,7\n", "")},
        "clip in two groups": {"clips": CROPS + "./a.mkv,v2,p2,7\n"},
    }.get(case, {})
    with pytest.raises(DatasetError) as error:
        load_dataset(rated(make_dataset, text, **crops), ClipSpec(2, 2, 16, 1))
    assert len(error.value.problems) == 1, error.value.problems
    assert message in error.value.problems[0]


def test_permuted_labels_of_ratings_alone(make_dataset, tmp_path):
    root = rated(make_dataset, RATINGS, clips=CROPS)
    copy = read_labels(permute_labels(root, tmp_path / "copy"))
    assert copy.file == "labels.csv" and set(copy.clips) == set(read_labels(root).clips)
