"""The split: made once, written down, the same for every model.

clip,group,repeat0,repeat1      the fold each clip is tested in, from 0; `group` only where the labels have groups
p1/a.mp4,p1,3,0
"""

import csv
import hashlib
import io
import json
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hybrid.config import NO_FOLD
from hybrid.data.paths import group_name, plain_name
from hybrid.data.problems import Problems, some_of
from hybrid.data.table import Table, read_table
from hybrid.errors import UserError

MOST_STRATA = 10
UNGROUPED_SEED = 123


def make_folds(
    targets_NK: np.ndarray,
    groups: Sequence[str] | None,
    num_folds: int,
    repeats: int,
    seed: int,
    *,
    ungrouped: bool = False,
) -> np.ndarray:
    """(repeats, N) int: the fold in which each clip is tested, 0 to num_folds - 1.

    Stratified on the mean grade; a group is never split. A repeat depends on the seed and its own number alone, so
    asking for more repeats leaves the first ones as they are.
    ungrouped: instead as T. Fujii et al., WACV 2024, split: clips at random, whatever their grades and groups, by
        scikit-learn's KFold(shuffle=True, random_state=123) in the order of labels.csv; further repeats count on.
    """
    num_clips = len(targets_NK)
    if num_folds < 2 or repeats < 1:
        raise UserError(f"folds must be 2 or more and repeats 1 or more, not {num_folds} and {repeats}")
    check_number(num_folds, num_clips, None if ungrouped else groups)
    if ungrouped:
        return np.stack([_by_chance(num_clips, num_folds, UNGROUPED_SEED + repeat) for repeat in range(repeats)])
    return np.stack([_one_repeat(targets_NK, groups, num_folds, seed, repeat) for repeat in range(repeats)])


def check_number(num_folds: int, num_clips: int, groups: Sequence[str] | None) -> None:
    """Refuse more folds than there are clips or, where groups are not to be split, groups."""
    if num_folds > num_clips:
        raise UserError(f"{num_folds} folds need as many clips, there are {num_clips}: give protocol.num_folds")
    if groups is not None and num_folds > (number := len(set(groups))):
        instead = f"give protocol.num_folds={number}"
        if number == 1:
            instead = "training and test must not share one, so add clips of other groups (videos, donors)"
        raise UserError(f"{num_folds} folds need as many groups, there are {number}: {instead}")


def _by_chance(num_clips: int, num_folds: int, state: int) -> np.ndarray:
    from sklearn.model_selection import KFold  # slow to import, seldom needed

    fold_N = np.empty(num_clips, int)
    for fold, (_, tested) in enumerate(KFold(num_folds, shuffle=True, random_state=state).split(fold_N)):
        fold_N[tested] = fold
    return fold_N


def split_groups(folds_RN: np.ndarray, groups: Sequence[str] | None) -> list[str]:
    """Groups that have clips in several folds of one repeat, and so in training and test; none without groups."""
    if groups is None:
        return []
    pairs = {(r, group, fold) for r, fold_N in enumerate(folds_RN) for group, fold in zip(groups, fold_N, strict=True)}
    folds_of = Counter((r, group) for r, group, _ in pairs)
    return sorted({group for (_, group), folds in folds_of.items() if folds > 1})


def split_notices(groups: Sequence[str]) -> list[str]:
    """What a reader of results must know where these groups are split; nothing where none is."""
    if not groups:
        return []
    return [
        f"{len(groups)} groups (donors, say) are split between training and test, as protocol.folds=ungrouped does: "
        f"{some_of(groups)}; errors are optimistic, and higher on clips of new groups"
    ]


def _one_repeat(targets_NK: np.ndarray, groups: Sequence[str] | None, num_folds: int, seed: int, repeat: int):
    # Slow to import, seldom needed.
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, StratifiedKFold

    state = int(np.random.SeedSequence([seed, repeat]).generate_state(1)[0])
    splitter = StratifiedKFold if groups is None else StratifiedGroupKFold
    fold_N = np.full(len(targets_NK), -1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that a stratum is small: groups come first
        parts = splitter(num_folds, shuffle=True, random_state=state).split(
            np.zeros(len(targets_NK)), _strata(targets_NK, num_folds), groups
        )
        for fold, (_, tested) in enumerate(parts):
            fold_N[tested] = fold
    if len(np.unique(fold_N)) < num_folds:  # a group so large that spreading the grades leaves a fold empty
        for fold, (_, tested) in enumerate(GroupKFold(num_folds).split(fold_N, groups=groups)):
            fold_N[tested] = fold
    return fold_N


def unequal_folds(folds_RN: np.ndarray) -> list[str]:
    """A notice where folds differ in size by a factor of two or more, as they do where groups are very unequal."""
    sizes_RF = np.stack([np.bincount(fold_N) for fold_N in folds_RN])
    least, most = sizes_RF.min(), sizes_RF.max()
    if most < 2 * least:
        return []
    return [
        f"a test fold has {least} to {most} clips, since the groups are unequal and none is split: errors of the small "
        "folds are noisy, and grades may be spread unevenly"
    ]


def _strata(targets_NK: np.ndarray, num_folds: int) -> np.ndarray:
    """(N,) which slice of the clips sorted by mean grade each is in; every slice has num_folds clips or more."""
    num_clips, num_grades = targets_NK.shape
    mean_grade_N = targets_NK @ np.arange(num_grades)
    strata = int(np.clip(num_clips // num_folds, 1, MOST_STRATA))
    rank_N = np.empty(num_clips, int)
    rank_N[np.argsort(mean_grade_N, kind="stable")] = np.arange(num_clips)
    return rank_N * strata // num_clips


def planned_folds(
    path: Path,
    clips: Sequence[str],
    targets_NK: np.ndarray,
    groups: Sequence[str] | None,
    *,
    num_folds: int,
    repeats: int,
    seed: int,
    ungrouped: bool = False,
    ignored: bool = False,
) -> tuple[np.ndarray, bool]:
    """The folds written in `path`, (repeats, N) in the order of `clips`, or by `make_folds`; and whether all are there.

    A file that is there counts, one's own too, and is checked: exactly these clips, no group in two folds unless
    `ungrouped`, folds 0 to num_folds - 1, none empty. Repeats it does not have yet are made and put behind its own.
    ignored: it does not count, as that of a start after which nothing was trained.
    """
    path = Path(path)
    written_RN = np.empty((0, len(clips)), int)
    if path.exists() and not ignored:
        written_RN = _read(path, list(clips), groups, num_folds, repeats, ungrouped)
        if len(written_RN) >= repeats:
            return written_RN[:repeats], True
    made_RN = make_folds(targets_NK, groups, num_folds, repeats, seed, ungrouped=ungrouped)
    return np.concatenate([written_RN, made_RN[len(written_RN) :]]), False


def folds_table(clips: Sequence[str], groups: Sequence[str] | None, folds_RN: np.ndarray) -> str:
    """What `planned_folds` reads."""
    header = ["clip", *([] if groups is None else ["group"]), *(f"repeat{r}" for r in range(len(folds_RN)))]
    columns = [clips, *([] if groups is None else [groups]), *folds_RN]
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([header, *zip(*columns, strict=True)])
    return text.getvalue()


def _read(
    path: Path, clips: list[str], groups: Sequence[str] | None, num_folds: int, repeats: int, ungrouped: bool
) -> np.ndarray:
    problems = Problems(f"folds {path}")
    table = read_table(path, ("clip", "repeat0"), problems, optional=("group",), clips=clips)
    problems.raise_if_any()
    columns = [column for column in table.columns if column not in ("clip", "group")]
    if columns != [f"repeat{r}" for r in range(len(columns))]:
        problems.add(
            f"{path.name}: unknown columns; expected clip[,group],repeat0,repeat1,..., got {', '.join(columns)}"
        )
        problems.raise_if_any()
    names, rows = {plain_name(clip): clip for clip in clips}, {}
    for row in table.rows:
        written = row.cells["clip"]
        clip = names.get(plain_name(written), written)
        if clip in rows:
            problems.add(f"{path.name} row {row.line}: clip {clip!r} is in row {rows[clip].line} already")
        rows[clip] = row
    if missing := [clip for clip in clips if clip not in rows]:
        problems.add(f"{path.name}: {len(missing)} clips of the data set have no fold: {some_of(missing)}")
    if unknown := [clip for clip in rows if clip not in names.values()]:
        problems.add(f"{path.name}: {len(unknown)} clips are not in the data set: {some_of(unknown)}")
    problems.raise_if_any()
    folds_RN = np.array(
        [[_fold(rows[clip], column, num_folds, path, problems) for clip in clips] for column in columns]
    )
    problems.raise_if_any()
    for column, fold_N in zip(columns, folds_RN, strict=True):
        if empty := sorted(set(range(num_folds)) - set(fold_N)):
            problems.add(
                f"{path.name}: {column} has no clips in fold {empty[0]} of {num_folds}; was it made for fewer folds?"
            )
    _check_groups(path, clips, rows, groups, table, [] if ungrouped else folds_RN, problems)
    problems.raise_if_any()
    if groups is None and "group" in table.columns and len(folds_RN) < repeats:
        raise UserError(
            f"{path}: has groups, which labels.csv has not, and {repeats - len(folds_RN)} more repeats have to "
            "keep them together: add the column 'group' to labels.csv, or these repeats to this file"
        )
    return folds_RN


def _fold(row, column: str, num_folds: int, path: Path, problems: Problems) -> int:
    text = row.cells[column]
    if not text.isdecimal() or int(text) >= num_folds:
        problems.add(
            f"{path.name} row {row.line}: {column} of clip {row.cells['clip']!r} is {text!r}; "
            f"with {num_folds} folds it must be 0 to {num_folds - 1}"
        )
        return -1
    return int(text)


def _check_groups(path, clips, rows, groups, table: Table, folds_RN: np.ndarray, problems: Problems) -> None:
    written = [group_name(rows[clip].cells["group"]) for clip in clips] if "group" in table.columns else None
    if groups is not None and written is not None:
        for clip, group, other in zip(clips, groups, written, strict=True):
            if group != other:
                problems.add(
                    f"{path.name} row {rows[clip].line}: clip {clip!r} is in group {other!r}, in the labels {group!r}"
                )
    groups = groups if groups is not None else written
    if groups is None:
        return
    for r, fold_N in enumerate(folds_RN):
        seen: dict[str, int] = {}
        split: set[str] = set()
        for group, fold in zip(groups, fold_N, strict=True):
            if group not in split and seen.setdefault(group, fold) != fold:
                split.add(group)
                problems.add(f"{path.name}: group {group!r} is in folds {seen[group]} and {fold} of repeat{r}")


def fold_digests(clips: Sequence[str], folds_RN: np.ndarray) -> dict[str, str]:
    """12 hex digits for each repeat, of which clip is in which fold."""
    names = list(map(plain_name, clips))
    pairs = {f"repeat{r}": sorted(zip(names, map(int, fold_N), strict=True)) for r, fold_N in enumerate(folds_RN)}
    return {repeat: hashlib.sha256(json.dumps(of).encode()).hexdigest()[:12] for repeat, of in pairs.items()}


def held_out_clips(fold: int | str, fold_of_N: np.ndarray) -> np.ndarray:
    """The numbers of the clips that are tested on where this fold is held out: of none, none."""
    return np.flatnonzero(fold_of_N == fold) if fold != NO_FOLD else np.empty(0, int)


def share_of(clips: int, share: float) -> int:
    """How many of so many training clips a run is trained on; a UserError where they are too few."""
    number = round(share * clips)
    if number < 2:
        raise UserError(
            f"model.recipe.train_share={share:g} of {clips} training clips leaves {number}; 2 or more are needed"
        )
    return number


def subsample(clips: np.ndarray, groups: Sequence[str] | None, share: float, seed: int | tuple[int, ...]) -> np.ndarray:
    """`share` of these clip numbers, ascending: a function of its arguments, so the same for every model.

    groups: of every clip of the data set, or None. A smaller study has fewer patients, not fewer clips of each: whole
    groups are taken one after the other, in an order that follows from `seed`, and of the last one a part. The smaller
    share is therefore always inside the larger one.
    """
    number = share_of(len(clips), share)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(clips))
    if groups is not None:
        named = np.asarray(groups)[clips]
        rank = {name: r for r, name in enumerate(rng.permutation(np.unique(named)))}
        order = order[np.argsort([rank[name] for name in named[order]], kind="stable")]
    return np.sort(clips[order[:number]])
