"""labels.csv as people and spreadsheets write it, and what is said where it is wrong."""

import os
import unicodedata

import numpy as np
import pytest

from hybrid.data.labels import read_labels
from hybrid.data.problems import DatasetError

PLAIN = "clip,A,B,C\na.mkv,1,2,1\nb.mkv,0,3,1\nc.mkv,4,0,0\n"
GROUPED = "clip,A,B,C,group\na.mkv,1,2,1,p1\nb.mkv,0,3,1,p1\nc.mkv,4,0,0,p2\n"
TARGETS = np.array([[1, 2, 1], [0, 3, 1], [4, 0, 0]]) / 4


def test_plain(make_dataset):
    labels = read_labels(make_dataset(PLAIN))
    assert labels.clips == ("a.mkv", "b.mkv", "c.mkv")
    assert labels.grades == ("A", "B", "C")
    assert labels.groups is None and labels.notices == () and labels.left_out == ()
    assert labels.lines == (2, 3, 4)
    assert labels.targets_NK.dtype == np.float32
    np.testing.assert_allclose(labels.targets_NK, TARGETS)
    np.testing.assert_array_equal(labels.votes_NK, 4 * TARGETS)


SPELLINGS = {
    "BOM": ("\ufeff" + GROUPED).encode(),
    "UTF-16": GROUPED.encode("utf-16"),
    "UTF-16 big-endian, tabs": ("\ufeff" + GROUPED.replace(",", "\t")).encode("utf-16-be"),
    "CRLF": GROUPED.replace("\n", "\r\n"),
    "old Mac": GROUPED.replace("\n", "\r"),
    "no newline at the end": GROUPED.rstrip(),
    "semicolons": GROUPED.replace(",", ";"),
    "tabs": GROUPED.replace(",", "\t"),
    "sep line": "sep=;\n" + GROUPED.replace(",", ";"),
    "spaces": GROUPED.replace(",", " , ").replace("\n", "  \n "),
    "no-break spaces": GROUPED.replace(",", ",\u00a0"),
    "quotes": "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in GROUPED.splitlines()),
    "blank lines": "\n" + GROUPED.replace("\n", "\n\n") + "\n\n",
    "empty rows and columns": "\n".join(line + ",," for line in GROUPED.splitlines()) + "\n,,,,,,\n,,,,,,\n",
    "capitals": GROUPED.replace("clip", "Clip").replace("group", "GROUP"),
    "decimal points": GROUPED.replace("1,2,1", "1.0,2.0,1.0"),
    "decimal commas": "clip;A;B;C;group\na.mkv;0,25;0,5;0,25;p1\nb.mkv;0;0,75;0,25;p1\nc.mkv;1;0;0;p2\n",
    "quoted decimal commas": 'clip,A,B,C,group\na.mkv,"0,25","0,5","0,25",p1\nb.mkv,0,"0,75","0,25",p1\nc.mkv,1,0,0,p2',
    "exponents": GROUPED.replace("1,2,1", "1e0,2E0,+1"),
    "dots and backslashes": GROUPED.replace("a.mkv", "./a.mkv").replace("b.mkv", ".\\b.mkv"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_spellings_mean_the_same(make_dataset, spelling):
    labels = read_labels(make_dataset(SPELLINGS[spelling]))
    assert labels.clips == ("a.mkv", "b.mkv", "c.mkv")
    assert labels.grades == ("A", "B", "C")
    assert labels.groups == ("p1", "p1", "p2")
    np.testing.assert_allclose(labels.targets_NK, TARGETS)


def test_accents_in_either_form(make_dataset):
    """macOS stores e + accent, spreadsheets write é; the path is the one on disk."""
    on_disk = unicodedata.normalize("NFD", "é.mkv")
    assert read_labels(make_dataset("clip,A,B\né.mkv,1,2\n", clips=(on_disk,))).clips == (on_disk,)


def test_folders_spaces_and_unicode_in_names(make_dataset):
    clips = ("patient 1/clip one.mkv", "精子/ä ö.mkv")
    labels = read_labels(make_dataset(f"clip,A,B\n{clips[0]},1,2\n{clips[1]},1,2\n", clips=clips))
    assert labels.clips == clips
    assert labels.path(1).is_file()


@pytest.mark.parametrize("grades", [2, 3, 7, 30])
def test_any_number_of_grades(make_dataset, grades):
    names = [f"grade {k}" for k in range(grades)]
    labels = read_labels(make_dataset(f"clip,{','.join(names)}\na.mkv,{','.join(['1'] * grades)}\n"))
    assert labels.grades == tuple(names)
    np.testing.assert_allclose(labels.targets_NK, 1 / grades)


def test_rounded_fractions_are_made_to_sum_to_one(make_dataset):
    labels = read_labels(make_dataset("clip,A,B,C\na.mkv,0.33,0.33,0.33\nb.mkv,1,0,0\n", clips=("a.mkv", "b.mkv")))
    np.testing.assert_allclose(labels.targets_NK.sum(axis=1), 1, rtol=1e-6)


def test_panels_of_different_size_and_single_votes_are_fine(make_dataset):
    read_labels(make_dataset("clip,A,B\na.mkv,20,20\nb.mkv,1,0\nc.mkv,3,4\n"))


def test_half_of_the_votes_on_one_grade_in_a_few_clips_are_no_total(make_dataset):
    assert read_labels(make_dataset("clip,A,B,C\na.mkv,1,2,3\nb.mkv,0,4,4\n")).grades == ("A", "B", "C")
    of_two = "clip,A,B,C\n" + "".join(f"{n}.mkv,{n % 2},{1 - n % 2},1\n" for n in range(6))
    assert len(read_labels(make_dataset(of_two, clips=[f"{n}.mkv" for n in range(6)])).grades) == 3


@pytest.mark.parametrize("place", [0, 3, 5])
def test_a_column_that_is_the_sum_of_the_others_is_no_grade_wherever_it_stands(make_dataset, place):
    rows = [["clip", *"ABCDE"], *([f"{n}.mkv", 20 - n, 10, n, 6, 4] for n in range(5))]
    for row in rows:
        row.insert(place + 1, "X" if row[0] == "clip" else sum(row[1:]))
    root = make_dataset("\n".join(",".join(map(str, row)) for row in rows), clips=[row[0] for row in rows[1:]])
    with pytest.raises(DatasetError) as error:
        read_labels(root)
    (problem,) = error.value.problems
    assert problem.startswith("labels.csv: the column 'X' is the sum of the others, not a grade; remove it")


@pytest.mark.parametrize("names", ["A,B,C", "1,2,3", "grade 1,grade 2,grade 3"])
def test_a_grade_that_half_of_every_panel_gives_is_a_grade_where_names_are_in_a_row(make_dataset, names):
    rows = [f"{n}.mkv,{n % 3},2,{2 - n % 3}" for n in range(6)]
    root = make_dataset(f"clip,{names}\n" + "\n".join(rows), clips=[row.split(",")[0] for row in rows])
    assert read_labels(root).grades == tuple(names.split(","))


@pytest.mark.parametrize("name, last, taken", [
    ("dead", [7, 5, 3, 1, 0], True), ("dead", [0] * 5, True), ("week", [1, 2, 3, 4, 5], False), ("week", [3] * 5, False)
])  # fmt: skip
def test_a_worst_grade_with_a_name_is_told_from_other_numbers_by_the_sums_of_rows(make_dataset, name, last, taken):
    rows = [f"{n}.mkv,{2 * n},1,0,{last[n]}" for n in range(5)]
    root = make_dataset(f"clip,A,B,C,{name}\n" + "\n".join(rows), clips=[row.split(",")[0] for row in rows])
    if taken:
        (notice,) = (labels := read_labels(root)).notices
        assert labels.grades == ("A", "B", "C", name) and f"{name!r} is taken for the worst grade" in notice
    else:
        with pytest.raises(DatasetError, match=f"{name!r} does not look like a grade beside 'A', 'B', 'C'"):
            read_labels(root)


@pytest.mark.parametrize("name, last, taken", [
    ("poor", [6, 5, 4, 3, 2], True), ("motility", [30, 36, 31, 33, 30], False), ("pid", [1, 1, 2, 2, 3], False)
])  # fmt: skip
def test_what_breaks_the_sums_of_rows_is_no_grade(make_dataset, name, last, taken):
    rows = [f"{n}.mkv,{n},3,{7 - n if not taken else 1},{last[n]}" for n in range(5)]
    root = make_dataset(
        f"clip,excellent,good,fair,{name}\n" + "\n".join(rows), clips=[row.split(",")[0] for row in rows]
    )
    if taken:
        assert read_labels(root).grades == ("excellent", "good", "fair", name)
    else:
        with pytest.raises(
            DatasetError, match=f"'{name}' does not look like a grade: every row sums to the same without"
        ):
            read_labels(root)


def test_a_rare_worst_grade_is_one_though_others_sum_nearly_alike(make_dataset):
    rows = [f"{n}.mkv,{20 - (n == 3)},15,5,{int(n in (1, 3))}" for n in range(6)]
    root = make_dataset("clip,good,fair,poor,none\n" + "\n".join(rows), clips=[row.split(",")[0] for row in rows])
    assert len(read_labels(root).grades) == 4


@pytest.mark.parametrize(
    "votes, counted, noted",
    [
        ("20,20\nb.mkv,0,39", True, ""),
        ("1,0\nb.mkv,1,2", True, ""),
        ("1,0\nb.mkv,0,1", False, ""),
        ("0.3,0.7\nb.mkv,0,1", False, ""),
        ("30.5,69.5\nb.mkv,0,100", False, ""),
        ("19.5,20.5\nb.mkv,0,40", False, ""),
        ("0.3,1.7\nb.mkv,0.5,0.4", False, "numbers of labels.csv are not whole, and its rows sum to 0.9 to 2: each is"),
        ("30,70\nb.mkv,0,100", True, "every row of labels.csv sums to 100: taken as votes of 100 raters; if they are"),
        ("30,71\nb.mkv,0,100", False, "every row of labels.csv sums to 100, or nearly: taken as rounded percentages;"),
        ("30,69\nb.mkv,0,100", True, "every row of labels.csv sums to 100, or nearly: taken as votes of 100 raters;"),
    ],
)
def test_numbers_that_are_not_whole_are_no_votes_and_percentages_are_asked_about(make_dataset, votes, counted, noted):
    labels = read_labels(make_dataset(f"clip,A,B\na.mkv,{votes}\n", clips=("a.mkv", "b.mkv")))
    assert labels.counted is counted
    assert [notice.startswith(noted) for notice in labels.notices] == [True] * bool(noted)


def test_tables_under_another_name_are_named(make_dataset):
    root = make_dataset(PLAIN)
    (root / "Clips.csv").write_text("clip,group\na.mkv,1\n")
    assert read_labels(root).notices == (
        "there is no clips.csv; there is 'Clips.csv': rename it to clips.csv, or it is not read",
    )
    for other, mend in {
        "Labels.CSV": "rename it to labels.csv",
        "labels.csv.txt": "rename it to labels.csv",
        "labels.xlsx": "open it and save it as CSV, as labels.csv",
    }.items():
        (root / "labels.csv").rename(root / other)
        with pytest.raises(DatasetError, match=f"labels.csv: there is no such file in .*; there is '{other}': {mend}"):
            read_labels(root)
        (root / other).rename(root / "labels.csv")
    (root / "labels.csv").rename(root / "Ratings.csv")
    with pytest.raises(DatasetError, match="ratings.csv: .*; there is 'Ratings.csv': rename it to ratings.csv"):
        read_labels(root)


def test_clips_that_lie_beside_their_folder_are_named(make_dataset):
    root = make_dataset(PLAIN)
    (root / "clips" / "b.mkv").rename(root / "b.mkv")
    with pytest.raises(DatasetError, match="row 3: clip 'b.mkv': there is no such file in clips/, but beside it: move"):
        read_labels(root)
    for name in ("a.mkv", "c.mkv"):
        (root / "clips" / name).rename(root / name)
    (root / "clips").rmdir()
    with pytest.raises(DatasetError) as error:
        read_labels(root)
    assert error.value.problems == (
        "clips/: there is no such folder; the videos belong there: 'a.mkv', 'b.mkv', 'c.mkv' lie beside it, so move "
        "them into it",
    )


def test_unused_files_are_a_notice(make_dataset):
    root = make_dataset("clip,A,B\na.mkv,1,2\n")
    (root / "clips" / ".DS_Store").touch()
    assert read_labels(root).notices == ("labels.csv does not mention 2 of the files in clips/: 'b.mkv', 'c.mkv'",)


def test_empty_group_column_is_a_notice(make_dataset):
    labels = read_labels(make_dataset("clip,A,B,group\na.mkv,1,2,\n", clips=("a.mkv",)))
    assert labels.groups is None
    assert "the column 'group' of labels.csv is empty" in labels.notices[0]


@pytest.mark.parametrize("names, noted", [("ABC", False), ("CBA", True), ("ACB", True), ("123", False), ("321", True)])
def test_columns_that_may_not_be_best_first_are_a_notice(make_dataset, names, noted):
    labels = read_labels(make_dataset(f"clip,{','.join(names)}\na.mkv,1,2,3\n", clips=("a.mkv",)))
    assert labels.grades == tuple(names)
    said = f"the first column of labels.csv is the best grade: {names[0]!r} is the best, {names[-1]!r} the worst; "
    assert [notice.startswith(said) for notice in labels.notices] == [True] * noted


BAD = {
    "empty file": ("", "labels.csv: is empty"),
    "only a header": ("clip,A,B\n", "labels.csv: has a header but no rows"),
    "a header of a strange grade": ("clip,A,B,C,dead\n", "labels.csv: has a header but no rows"),
    "no header": ("a.mkv,1,2\nb.mkv,1,2\n", "there is no column 'clip'; the first line has 'a.mkv', '1', '2'"),
    "no grades": ("clip\na.mkv\n", "labels.csv: needs 2 or more grade columns after 'clip', has 0"),
    "one grade": ("clip,A\na.mkv,1\n", "labels.csv: needs 2 or more grade columns after 'clip', has 1"),
    "a column twice": ("clip,A,A\na.mkv,1,2\n", "labels.csv: the column 'A' is there 2 times"),
    "nameless column": ("clip,A,,B\na.mkv,1,2,3\n", "labels.csv: column 3 has no name"),
    "index column": ("id,clip,A,B\n0,a.mkv,1,2\n", "labels.csv: unknown column 'id'"),
    "column after group": ("clip,A,B,group,x\na.mkv,1,2,p,3\n", "labels.csv: unknown column 'x'"),
    "group first": ("group,clip,A,B\np,a.mkv,1,2\n", "labels.csv: the column 'group' must come after the grades"),
    "group second": ("clip,group,A,B\na.mkv,p,1,2\n", "labels.csv: the column 'group' must come after the grades"),
    "column of text": ("clip,A,B,note\na.mkv,1,2,ok\nb.mkv,1,2,bad\n", "labels.csv: unknown column 'note': what lies"),
    "patient": ("clip,A,B,patient\na.mkv,1,2,3\nb.mkv,1,2,4\n", "unknown column 'patient': rename it to group"),
    "Gruppe": ("clip,A,B,Gruppe\na.mkv,1,2,p\nb.mkv,1,2,q\n", "unknown column 'Gruppe': rename it to group"),
    "donor first": ("Donor_ID,clip,A,B\np,a.mkv,1,2\n", "unknown column 'Donor_ID': rename it to group"),
    "video": ("clip,video,A,B\na.mkv,v,1,2\nb.mkv,w,1,2\n", "unknown column 'video': rename it to group"),
    "video of clips": ("video,A,B\na.mkv,1,2\n", "there is no column 'clip' but 'video': rename it to clip"),
    "column of totals": ("clip,A,B,total\na.mkv,1,2,3\nb.mkv,2,2,4\n", "the column 'total' is the sum of the others"),
    "same row twice": ("clip,A,B\na.mkv,1,2\n./a.mkv,1,2\n", "row 3: clip 'a.mkv' is in row 2 already"),
    "no such clip": ("clip,A,B\nx.mkv,1,2\n", "row 2: clip 'x.mkv': there is no such file in clips/"),
    "no extension": ("clip,A,B\na,1,2\n", "row 2: clip 'a': there is no such file in clips/ (there is 'a.mkv')"),
    "clips/ before": ("clip,A,B\nclips/a.mkv,1,2\n", "there is no such file in clips/ (there is 'a.mkv')"),
    "other case": ("clip,A,B\nA.MKV,1,2\n", "clip 'A.MKV': there is no such file in clips/ (there is 'a.mkv')"),
    "other ending": ("clip,A,B\na.mp4,1,2\n", "clip 'a.mp4': there is no such file in clips/ (there is 'a.mkv')"),
    "no name": ("clip,A,B\n,1,2\n", "row 2: names no clip"),
    "outside": ("clip,A,B\n../labels.csv,1,2\n", "row 2: clip '../labels.csv' lies outside clips/"),
    "absolute": ("clip,A,B\n/etc/passwd,1,2\n", "row 2: clip '/etc/passwd' lies outside clips/"),
    "drive": ("clip,A,B\nC:\\a.mkv,1,2\n", r"row 2: clip 'C:\\a.mkv' lies outside clips/"),
    "folder": ("clip,A,B\n.,1,2\n", "row 2: clip '.' is a folder"),
    "too long a name": (f"clip,A,B\n{'9' * 300}.mkv,1,2\n", "there is no such file in clips/"),
    "NaN": ("clip,A,B\na.mkv,nan,2\n", "row 2: 'A' of clip 'a.mkv' is 'nan', not a number"),
    "infinite": ("clip,A,B\na.mkv,inf,2\n", "row 2: 'A' of clip 'a.mkv' is 'inf', not a number"),
    "too large": ("clip,A,B\na.mkv,1e999,2\n", "row 2: 'A' of clip 'a.mkv' is '1e999', not a number"),
    "word": ("clip,A,B\na.mkv,1,2\nb.mkv,1,many\n", "row 3: 'B' of clip 'b.mkv' is 'many', not a number"),
    "underscore": ("clip,A,B\na.mkv,1_0,2\n", "'A' of clip 'a.mkv' is '1_0', not a number"),
    "percent": ("clip,A,B\na.mkv,10%,2\n", "'A' of clip 'a.mkv' is '10%'; write '10', without the sign"),
    "column of percent": (
        "clip,A,B\na.mkv,10%,90\nb.mkv,20 %,80\n",
        "labels.csv: the column 'A' has percent signs: write '10%' as '10'",
    ),
    "one column a count": ("clip,A,B,n_raters\na.mkv,1,2,4\nb.mkv,2,2,4\n", "'n_raters' does not look like a grade"),
    "one column an age": ("clip,A,B,C,Alter\na.mkv,1,2,0,31\n", "'Alter' does not look like a grade beside 'A', 'B',"),
    "numbers of rows": ("clip,A,B,index\na.mkv,1,2,0\n", "'index' does not look like a grade beside 'A', 'B'; remove"),
    "two names of one grade": ("clip,3,3.0,2\na.mkv,1,2,0\n", "the columns '3' and '3.0' are one grade; keep one"),
    "wide name of a grade": ("clip,Ａ,A,B\na.mkv,1,2,0\n", "the columns 'Ａ' and 'A' are one grade; keep one of them"),
    "two alphabets": (
        "clip,\u0410,B,C\na.mkv,1,2,0\n",
        "hold letters that look alike: '\u0410' is U+0410 CYRILLIC CAPITAL LETTER A, 'B' is U+0042 LATIN CAPITAL",
    ),
    "short of 100": (
        "clip,A,B\na.mkv,30.5,69.5\nb.mkv,10.5,89.5\nc.mkv,30.5,29.5\n",
        "row 4: clip 'c.mkv' sums to 60 where most rows are percentages that sum to 100",
    ),
    "empty vote": ("clip,A,B\na.mkv,,2\n", "row 2: 'A' of clip 'a.mkv' is empty"),
    "negative": ("clip,A,B\na.mkv,-1,2\n", "row 2: 'A' of clip 'a.mkv' is negative (-1)"),
    "more than raters": ("clip,A,B\na.mkv,1e308,2\n", "row 2: 'A' of clip 'a.mkv' is 1e308, more than any panel"),
    "all zero": ("clip,A,B\na.mkv,0,0\n", "row 2: clip 'a.mkv' has no votes (all are zero)"),
    "short row": ("clip,A,B\na.mkv,1\n", "row 2: has 2 values where the header has 3 columns"),
    "decimal commas": (
        "clip,A,B\na.mkv,0,5,0,5\n",
        "row 2: has 5 values where the header has 3 columns (decimal commas",
    ),
    "votes among fractions": (
        "clip,A,B\na.mkv,.5,.5\nb.mkv,.2,.8\nc.mkv,20,20\n",
        "row 4: clip 'c.mkv' sums to 40 where most rows are fractions that sum to 1",
    ),
    "fraction short of one": (
        "clip,A,B\na.mkv,.5,.5\nb.mkv,.2,.8\nc.mkv,.2,.5\n",
        "row 4: clip 'c.mkv' sums to 0.7 where most rows are fractions that sum to 1",
    ),
    "fractions among votes": (
        "clip,A,B\na.mkv,20,20\nb.mkv,10,30\nc.mkv,.2,.8\n",
        "row 4: clip 'c.mkv' has fractions where most rows are votes",
    ),
    "some without group": (GROUPED.replace("1,p1\nc", "1,\nc"), "row 3: clip 'b.mkv' has no group, others have one"),
    "spreadsheet": (b"PK\x03\x04\x14\x00\x06", "labels.csv: is a spreadsheet or zip file; save it as CSV"),
    "binary": (b"clip,A,B\n\x00\x01\x02", "labels.csv: is not a text file"),
    "half UTF-16": ("\ufeffclip,A,B\n".encode("utf-16-le")[:-1], "labels.csv: is not a text file"),
}


@pytest.mark.parametrize("case", BAD)
def test_says_what_is_wrong(make_dataset, case):
    text, message = BAD[case]
    with pytest.raises(DatasetError) as error:
        read_labels(make_dataset(text))
    assert len(error.value.problems) == 1, error.value.problems
    assert message in error.value.problems[0]
    assert error.value.problems[0].startswith("labels.csv")


def test_no_folder_and_no_files(tmp_path, make_dataset):
    with pytest.raises(DatasetError, match="there is no folder .*nowhere"):
        read_labels(tmp_path / "nowhere")
    (tmp_path / "bare").mkdir()
    with pytest.raises(DatasetError) as error:
        read_labels(tmp_path / "bare")
    assert error.value.problems == (
        f"labels.csv: there is no such file in {tmp_path / 'bare'}",
        "clips/: there is no such folder; the videos belong there",
    )
    ungraded = make_dataset("")
    (ungraded / "labels.csv").unlink()
    with pytest.raises(
        DatasetError, match=r"no ratings.csv \(clip,rater,grade\); python tools/rate.py .* collects them"
    ):
        read_labels(ungraded)


def test_every_problem_at_once(make_dataset):
    text = "clip,A,B,note\na.mkv,-1,,x\nx.mkv,nan,1,y\na.mkv,0,0,z\nb.mkv,1\n"
    with pytest.raises(DatasetError) as error:
        read_labels(make_dataset(text))
    expected = [
        "row 5: has 2 values",
        "unknown column 'note'",
        "'A' of clip 'a.mkv' is negative",
        "'B' of clip 'a.mkv' is empty",
        "'A' of clip 'x.mkv' is 'nan'",
        "row 4: clip 'a.mkv' has no votes",
        "row 3: clip 'x.mkv': there is no such file",
        "row 4: clip 'a.mkv' is in row 2 already",
    ]
    assert len(error.value.problems) == len(expected)
    for problem, part in zip(error.value.problems, expected, strict=True):
        assert part in problem


def test_long_listings_are_cut_but_counted(make_dataset):
    text = "clip,A,B\n" + "".join(f"x{n}.mkv,1,2\n" for n in range(70))
    with pytest.raises(DatasetError) as error:
        read_labels(make_dataset(text))
    lines = str(error.value).splitlines()
    assert lines[0].endswith("set: 70 problems") and len(lines) == 52 and lines[-1].strip() == "... and 20 more"


def test_linked_clips(make_dataset, tmp_path):
    """A folder of links to clips that lie elsewhere, and a link to a folder of clips."""
    root = make_dataset("clip,A,B\nlink.mkv,1,2\nmore/b.mkv,1,2\n", clips=("sub/a.mkv",), name="first")
    elsewhere = make_dataset(clips=("b.mkv",), name="second")
    (root / "clips" / "link.mkv").symlink_to(root / "clips" / "sub" / "a.mkv")
    (root / "clips" / "more").symlink_to(elsewhere / "clips")
    assert read_labels(root).clips == ("link.mkv", "more/b.mkv")


@pytest.mark.parametrize(
    "one, other",
    [
        ("José", unicodedata.normalize("NFD", "José")),
        ("p1", "p１"),
        ("p1", "ｐ1"),
        ("1", "1.0"),
        ("p 1", "p\u3000\u00a0 1"),
        ("カ", "ｶ"),
    ],
)
def test_one_patient_typed_in_two_ways_is_one_group(make_dataset, one, other):
    labels = read_labels(make_dataset(f"clip,A,B,group\na.mkv,1,2,{one}\nb.mkv,1,2,q\nc.mkv,1,2,{other}\n"))
    assert labels.groups[0] == labels.groups[2] == one
    (notice,) = labels.notices
    assert "typed in several ways" in notice and notice.endswith(f": {one!r} in rows 2, 4")


@pytest.mark.parametrize(
    "one, other", [("p1", "P1"), ("p1", "p01"), ("p1", "P001"), ("p-1", "p_1"), ("p 1", "p.01"), ("P 1", "P1")]
)
def test_groups_that_may_be_one_patient_are_kept_apart_and_named(make_dataset, one, other):
    labels = read_labels(make_dataset(f"clip,A,B,group\na.mkv,1,2,{one}\nb.mkv,1,2,q\nc.mkv,1,2,{other}\n"))
    assert labels.groups == (one, "q", other)
    (notice,) = labels.notices
    assert f"{one!r} and {other!r}" in notice and "capitals, leading zeros" in notice


def test_groups_that_are_different_are_no_matter(make_dataset):
    assert read_labels(make_dataset("clip,A,B,group\na.mkv,1,2,p1\nb.mkv,1,2,p10\nc.mkv,1,2,p100\n")).notices == ()


@pytest.mark.parametrize("name", ["labels.csv", "clips/a.mkv"])
def test_a_pipe_is_named_and_not_waited_for(make_dataset, name):
    root = make_dataset("clip,A,B\na.mkv,1,2\n")
    (root / name).unlink()
    os.mkfifo(root / name)
    with pytest.raises(DatasetError, match="is no regular file"):
        read_labels(root)
