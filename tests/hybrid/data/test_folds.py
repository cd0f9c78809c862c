"""Folds: fair, stratified, never splitting a group, and made once."""

import numpy as np
import pytest
from sklearn.model_selection import KFold

from hybrid.data.folds import folds_table, make_folds, planned_folds, split_groups, unequal_folds
from hybrid.errors import UserError
from hybrid.files import write_text


def made_up(num_clips, seed=0, grades=5):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(grades), num_clips).astype(np.float32)


def names(num_clips):
    return [f"clip {n}.mp4" for n in range(num_clips)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("num_clips", "num_folds"), [(615, 5), (40, 5), (11, 10), (7, 7), (6, 2)])
def test_folds_are_even_and_stratified(num_clips, num_folds, seed):
    targets_NK = made_up(num_clips, seed)
    folds_RN = make_folds(targets_NK, None, num_folds, 2, seed)
    assert folds_RN.shape == (2, num_clips)
    mean_grade_N = targets_NK @ np.arange(5)
    for fold_N in folds_RN:
        sizes = np.bincount(fold_N, minlength=num_folds)
        assert len(sizes) == num_folds and sizes.max() - sizes.min() <= max(1, min(10, num_clips // num_folds))
        if num_clips == 615:
            assert sizes.max() - sizes.min() <= 1
            means = [mean_grade_N[fold_N == fold].mean() for fold in range(num_folds)]
            assert np.ptp(means) < 0.06, "random folds differ by about 0.2"


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("num_clips", "num_groups", "num_folds"), [(615, 60, 5), (50, 5, 5), (30, 7, 3), (9, 9, 4)])
def test_groups_are_never_split(num_clips, num_groups, num_folds, seed):
    rng = np.random.default_rng(seed)
    groups = [f"p{g}" for g in (*range(num_groups), *rng.integers(num_groups, size=num_clips - num_groups))]
    folds_RN = make_folds(made_up(num_clips, seed), groups, num_folds, 3, seed)
    for fold_N in folds_RN:
        assert set(fold_N) == set(range(num_folds))
        for group in set(groups):
            assert len({fold for fold, of in zip(fold_N, groups, strict=True) if of == group}) == 1


def test_one_large_group_among_small_ones():
    groups = ["large"] * 50 + [f"p{n}" for n in range(4)]
    fold_N = make_folds(made_up(54), groups, 5, 1, 0)[0]
    assert set(fold_N) == set(range(5))


def test_all_clips_alike_can_be_split():
    assert set(make_folds(np.full((12, 3), 1 / 3), None, 4, 1, 0)[0]) == set(range(4))


def test_same_seed_same_folds_and_repeats_differ():
    targets_NK = made_up(100)
    folds_RN = make_folds(targets_NK, None, 5, 3, 7)
    np.testing.assert_array_equal(folds_RN, make_folds(targets_NK, None, 5, 3, 7))
    np.testing.assert_array_equal(folds_RN[:2], make_folds(targets_NK, None, 5, 2, 7))
    assert (folds_RN[0] != folds_RN[1]).mean() > 0.5 and (folds_RN[1] != folds_RN[2]).mean() > 0.5
    assert (folds_RN[0] != make_folds(targets_NK, None, 5, 1, 8)[0]).mean() > 0.5


@pytest.mark.parametrize(
    ("groups", "num_folds", "repeats", "message"),
    [
        (None, 11, 1, "11 folds need as many clips, there are 10"),
        (["p", "q"] * 5, 3, 1, "3 folds need as many groups, there are 2"),
        (["p"] * 10, 2, 1, "2 folds need as many groups, there are 1: .* add clips of other groups"),
        (None, 1, 1, "folds must be 2 or more and repeats 1 or more, not 1 and 1"),
        (None, 5, 0, "folds must be 2 or more and repeats 1 or more, not 5 and 0"),
    ],
)
def test_impossible_folds_are_refused(groups, num_folds, repeats, message):
    with pytest.raises(UserError, match=message):
        make_folds(made_up(10), groups, num_folds, repeats, 0)


def test_ungrouped_folds_are_scikit_learns():
    groups = [f"p{n // 4}" for n in range(40)]
    folds_RN = make_folds(made_up(40), groups, 5, 2, seed=7, ungrouped=True)
    for fold, (_, tested) in enumerate(KFold(5, shuffle=True, random_state=123).split(np.zeros(40))):
        assert np.flatnonzero(folds_RN[0] == fold).tolist() == sorted(tested)
    assert (folds_RN[0] != folds_RN[1]).any()
    with pytest.raises(UserError, match="11 folds need as many clips"):
        make_folds(made_up(10), None, 11, 1, 0, ungrouped=True)


def test_split_groups_are_named():
    folds_RN = np.array([[0, 0, 1, 1, 0], [0, 1, 1, 1, 0]])
    assert split_groups(folds_RN, ["p", "p", "q", "q", "r"]) == ["p"]
    assert split_groups(folds_RN[:1], ["p", "p", "q", "q", "r"]) == split_groups(folds_RN, None) == []


def frozen(path, num_clips=20, groups=None, num_folds=4, repeats=1, seed=0, clips=None, **how):
    clips = clips or names(num_clips)
    targets_NK = made_up(len(clips))
    how |= dict(num_folds=num_folds, repeats=repeats, seed=seed)
    folds_RN, there = planned_folds(path, clips, targets_NK, groups, **how)
    if not there:
        write_text(path, folds_table(clips, groups, folds_RN))
    return folds_RN


def test_ungrouped_folds_are_read_again_though_they_split_groups(tmp_path):
    groups = [f"p{n // 4}" for n in range(20)]
    first = frozen(tmp_path / "folds.csv", groups=groups, ungrouped=True)
    assert split_groups(first, groups)
    np.testing.assert_array_equal(frozen(tmp_path / "folds.csv", groups=groups, ungrouped=True), first)
    with pytest.raises(UserError, match="is in folds"):
        frozen(tmp_path / "folds.csv", groups=groups)


@pytest.mark.parametrize("groups", [None, ["p1", "p 2", "ü3", "p4", "p5"] * 4])
def test_made_once_then_read(tmp_path, groups):
    path = tmp_path / "new" / "folds.csv"
    first = frozen(path, groups=groups)
    written = path.read_bytes()
    assert written.splitlines()[0] == (b"clip,group,repeat0" if groups else b"clip,repeat0")
    np.testing.assert_array_equal(frozen(path, groups=groups, seed=99), first)
    assert path.read_bytes() == written
    assert [file.name for file in path.parent.iterdir()] == ["folds.csv"]


def test_more_repeats_are_added_and_the_first_stay(tmp_path):
    path = tmp_path / "folds.csv"
    first = frozen(path, repeats=1)
    more = frozen(path, repeats=3)
    np.testing.assert_array_equal(more[:1], first)
    np.testing.assert_array_equal(more, make_folds(made_up(20), None, 4, 3, 0))
    np.testing.assert_array_equal(frozen(path, repeats=2), more[:2])
    assert path.read_text().splitlines()[0] == "clip,repeat0,repeat1,repeat2"


def test_clips_in_another_order_keep_their_folds(tmp_path):
    first = frozen(tmp_path / "folds.csv")
    again = frozen(tmp_path / "folds.csv", clips=names(20)[::-1])
    np.testing.assert_array_equal(again[:, ::-1], first)


def test_own_folds_as_a_spreadsheet_writes_them(tmp_path):
    path = tmp_path / "folds.csv"
    path.write_text("\ufeffclip;group;repeat0\r\nb.mp4;y;1\r\n a.mp4 ;x;0\r\n")
    folds_RN = frozen(path, clips=["a.mp4", "b.mp4"], groups=["x", "y"], num_folds=2)
    assert folds_RN.tolist() == [[0, 1]]


def test_further_repeats_do_not_split_groups_that_own_folds_alone_have(tmp_path):
    path = tmp_path / "folds.csv"
    path.write_text("clip,group,repeat0\na,p,0\nb,p,0\nc,q,1\nd,q,1\n")
    clips = ["a", "b", "c", "d"]
    assert frozen(path, clips=clips, num_folds=2).tolist() == [[0, 0, 1, 1]]
    with pytest.raises(UserError, match="has groups, which labels.csv has not, and 1 more repeats have to keep them"):
        frozen(path, clips=clips, num_folds=2, repeats=2)


OWN = "clip,repeat0\na,0\nb,1\nc,0\nd,1\n"

BAD = {
    "empty": ("", None, 2, "folds.csv: is empty"),
    "no repeats": ("clip,fold\na,0\n", None, 2, "folds.csv: there is no column 'repeat0'"),
    "unknown column": (OWN.replace("\n", ",x\n"), None, 2, "unknown columns; expected clip[,group],repeat0,repeat1"),
    "clip missing": (OWN.replace("d,1\n", ""), None, 2, "1 clips of the data set have no fold: 'd'"),
    "unknown clip": (OWN + "e,0\n", None, 2, "1 clips are not in the data set: 'e'"),
    "clip twice": (OWN + "a,1\n", None, 2, "folds.csv row 6: clip 'a' is in row 2 already"),
    "not a fold": (
        OWN.replace("d,1", "d,x"),
        None,
        2,
        "row 5: repeat0 of clip 'd' is 'x'; with 2 folds it must be 0 to 1",
    ),
    "no fold": (OWN.replace("d,1", "d,"), None, 2, "row 5: repeat0 of clip 'd' is ''"),
    "negative": (OWN.replace("d,1", "d,-1"), None, 2, "repeat0 of clip 'd' is '-1'"),
    "fewer folds": (OWN.replace("d,1", "d,2"), None, 2, "repeat0 of clip 'd' is '2'; with 2 folds it must be 0 to 1"),
    "more folds": (OWN, None, 3, "repeat0 has no clips in fold 2 of 3; was it made for fewer folds?"),
    "group split": (OWN, ["p", "p", "q", "r"], 2, "folds.csv: group 'p' is in folds 0 and 1 of repeat0"),
    "own group split": (
        "clip,group,repeat0\na,p,0\nb,p,1\nc,q,0\nd,q,0\n",
        None,
        2,
        "folds.csv: group 'p' is in folds 0 and 1 of repeat0",
    ),
    "other groups": (
        "clip,group,repeat0\na,p,0\nb,q,1\nc,p,0\nd,q,1\n",
        ["p", "q", "r", "q"],
        2,
        "folds.csv row 4: clip 'c' is in group 'p', in the labels 'r'",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_says_what_is_wrong_with_own_folds(tmp_path, case):
    text, groups, num_folds, message = BAD[case]
    path = tmp_path / "folds.csv"
    path.write_text(text)
    with pytest.raises(UserError) as error:
        frozen(path, clips=list("abcd"), groups=groups, num_folds=num_folds)
    assert message in str(error.value)
    assert str(path) in str(error.value)
    assert path.read_text() == text


@pytest.mark.parametrize("folds", [3, 5])
def test_very_unequal_groups_are_divided_all_the_same_and_a_notice_says_so(folds):
    groups = [f"p{group}" for group, size in enumerate([100, 20, 3, 2, 1]) for _ in range(size)]
    targets_NK = np.random.default_rng(0).dirichlet(np.ones(5), len(groups))
    folds_RN = make_folds(targets_NK, groups, folds, 2, 0)
    for fold_N in folds_RN:
        assert set(fold_N) == set(range(folds))
        assert all(len(set(fold_N[np.array(groups) == group])) == 1 for group in set(groups))
    assert "to 100 clips" in unequal_folds(folds_RN)[0]
    assert unequal_folds(make_folds(targets_NK, None, folds, 1, 0)) == []
