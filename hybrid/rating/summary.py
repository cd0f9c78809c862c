"""What the votes say of the panel, as text."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from hybrid.data.grade_rows import cropped_groups
from hybrid.data.labels import read_labels
from hybrid.data.paths import CLIPS, LABELS, RATINGS, ClipFiles, group_name
from hybrid.data.problems import Problems, some_of
from hybrid.data.ratings import read_ratings
from hybrid.errors import UserError
from hybrid.evaluation.panel import agreement_of_raters
from hybrid.evaluation.raters import ordinal_alpha, plan_ceiling, severity
from hybrid.rating.collection import clip_files
from hybrid.rating.votes import FILE, Votes


@dataclass(frozen=True, eq=False)
class Given:
    """ratings_NR: as in `hybrid.data.ratings`. again_NR: the same of second showings. cannot_NR: whether rater r found
    that clip n cannot be graded. groups: one a clip, or None where none are known or all are one. source: the file.
    """

    clips: tuple[str, ...]
    grades: tuple[str, ...]
    raters: tuple[str, ...]
    ratings_NR: np.ndarray
    again_NR: np.ndarray
    cannot_NR: np.ndarray
    groups: tuple[str, ...] | None
    source: Path


def summarise(root: Path, votes_folder: Path | None = None, width: float | None = None) -> str:
    """width: of the noise ceiling's 95 % interval that is wanted, in MSE x10^-2; None: half of what it is."""
    if width is not None and not width > 0:
        raise UserError(f"--width is above 0, not {width:g}")
    given = read_given(root, votes_folder or root)
    votes_NK = (given.ratings_NR[:, :, None] == np.arange(len(given.grades))).sum(axis=1)
    return "\n".join(
        [*_counts(given), "", *_agreement(given, votes_NK), "", _table(given), "", *_plan(given, votes_NK, width)]
    )


def read_given(root: Path, votes_folder: Path) -> Given:
    """The votes of the database, also while the page is open; or of ratings.csv where it was collected elsewhere."""
    files = clip_files(root)
    if not (votes_folder / FILE).exists():
        return _of_ratings(votes_folder)
    votes = Votes(votes_folder / FILE, read_only=True)
    try:
        grades, counting = votes.grades, votes.counting()
    finally:
        votes.close()
    if not counting:
        raise _no_votes(votes_folder)
    clip_index = {clip: n for n, clip in enumerate(files.files)}
    raters = tuple(sorted({vote.rater for vote in counting}))
    rater_index = {rater: r for r, rater in enumerate(raters)}
    ratings_2NR = np.full((2, len(files.files), len(raters)), -1, np.int16)
    cannot_NR = np.zeros((len(files.files), len(raters)), bool)
    for vote in counting:
        if vote.clip not in clip_index:
            continue
        n, r = clip_index[vote.clip], rater_index[vote.rater]
        if vote.grade is not None:
            ratings_2NR[vote.showing - 1, n, r] = grades.index(vote.grade)
        elif vote.showing == 1:
            cannot_NR[n, r] = True
    groups = _groups(root, files)
    return Given(tuple(files.files), grades, raters, *ratings_2NR, cannot_NR, groups, votes_folder / FILE)


def _of_ratings(folder: Path) -> Given:
    if not (folder / RATINGS).exists():
        raise _no_votes(folder)
    labels = read_labels(folder)
    read = read_ratings(folder, labels)
    again_NR, cannot_NR = np.full_like(read.ratings_NR, -1), np.zeros(read.ratings_NR.shape, bool)
    groups = _several(labels.groups)
    return Given(
        labels.clips, labels.grades, read.raters, read.ratings_NR, again_NR, cannot_NR, groups, folder / RATINGS
    )


def _no_votes(folder: Path) -> UserError:
    return UserError(f"there are no votes in {folder} yet; without --summary, tools/rate.py collects them")


def _groups(root: Path, files: ClipFiles) -> tuple[str, ...] | None:
    """Of every clip, by labels.csv or clips.csv; a clip that is not in it is a group of its own."""
    if (root / LABELS).exists():
        labels = read_labels(root)
        group_of = dict(zip(labels.clips, labels.groups or (), strict=False))
    elif (root / CLIPS).exists():
        problems = Problems(f"data set {root}")
        group_of = cropped_groups(root, files, problems, [])
        problems.raise_if_any()
    else:
        return None
    return _several(tuple(group_name(group_of.get(clip, "")) or clip for clip in files.files)) if group_of else None


def _several(groups: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """With one group alone nothing is known of others: intervals are over its clips."""
    return groups if groups and len(set(groups)) > 1 else None


def _counts(given: Given) -> list[str]:
    votes_N = (given.ratings_NR >= 0).sum(axis=1)
    clips_of = Counter(votes_N.tolist())
    lines = [
        f"{votes_N.sum()} votes of {len(given.raters)} raters on {(votes_N > 0).sum()} of {len(given.clips)} clips, by "
        f"{given.source}; grades, best first: {','.join(given.grades)}",
        "votes per clip: "
        + ", ".join(f"{votes} ({clips} clip{'s' * (clips > 1)})" for votes, clips in sorted(clips_of.items())),
    ]
    if given.cannot_NR.any():
        named = [given.clips[n] for n in np.argsort(-given.cannot_NR.sum(axis=1), kind="stable")]
        named = named[: given.cannot_NR.any(axis=1).sum()]
        lines.append(f'"cannot grade": {given.cannot_NR.sum()} times, most often first {some_of(named)}')
    return lines


def _agreement(given: Given, votes_NK: np.ndarray) -> list[str]:
    alpha = ordinal_alpha(votes_NK, given.groups)
    drawn = "clips" if given.groups is None else f"{len(set(given.groups))} groups of clips"
    lines = [f"Krippendorff's alpha (ordinal): {alpha.mean:.3f}{_interval(alpha.low, alpha.high, 3)} over {drawn}"]
    if np.isnan(alpha.mean):
        lines = ["Krippendorff's alpha: not defined, no clip has two votes, or all votes are the same"]
    halves = agreement_of_raters(given.ratings_NR, len(given.grades))
    if halves is None:
        return [*lines, "split halves: no clip has votes of two raters"]
    return [
        *lines,
        f"one half of the raters against the other (mean of {halves.splits} random halves, {halves.clips} clips): "
        f"top grade the same on {100 * halves.measures['top']:.0f} % of the clips, "
        f"MSE {100 * halves.measures['mse']:.2f} x10^-2, EMD {halves.measures['emd']:.3f}",
    ]


def _interval(low: float, high: float, digits: int) -> str:
    return "" if np.isnan(low) else f" (95 % {low:.{digits}f} to {high:.{digits}f})"


def _table(given: Given) -> str:
    table = severity(given.ratings_NR)
    twice_NR = (given.ratings_NR >= 0) & (given.again_NR >= 0)
    apart = pd.DataFrame(np.where(twice_NR, abs(given.ratings_NR - given.again_NR), np.nan))
    return pd.DataFrame(
        {
            "rater": given.raters,
            "votes": (given.ratings_NR >= 0).sum(axis=0),
            "cannot": given.cannot_NR.sum(axis=0),
            "severity": _numbers(table["severity"], "+.2f"),
            "+-": _numbers(table["error"], ".2f"),
            "twice": twice_NR.sum(axis=0),
            "same": _numbers(100 * (apart == 0).sum() / apart.count().where(apart.count() > 0), ".0f", " %"),
            "apart": _numbers(apart.mean(), ".2f"),
        }
    ).to_string(index=False) + (
        "\nseverity: grades worse (+) or better (-) than the others' mean on the same clips, +- its standard error; "
        "twice: clips\ngraded in both showings, with the same grade, and apart by so many grades in the mean"
    )


def _numbers(values: pd.Series, form: str, unit: str = "") -> list[str]:
    return ["-" if np.isnan(value) else f"{value:{form}}{unit}" for value in values]


def _plan(given: Given, votes_NK: np.ndarray, width: float | None) -> list[str]:
    plan = plan_ceiling(votes_NK, given.groups, None if width is None else width / 100)
    if plan is None:
        return ["noise ceiling: not known; it takes two clips (of two groups) with two votes or more that differ"]
    mean, low, high = (100 * value for value in (plan.ceiling.mean, plan.ceiling.low, plan.ceiling.high))
    first = (
        f"noise ceiling (MSE x10^-2 that a perfect model has against these votes): {mean:.3f}"
        f"{_interval(low, high, 3)}, on {plan.clips} clips with {plan.raters:.1f} votes in the mean"
    )
    if not plan.more_clips:
        return [first, f"its interval is {high - low:.3f} wide already, no more than {100 * plan.width:.3f}"]
    groups = "" if given.groups is None else " of other groups"
    return [
        first,
        f"to narrow its interval from {high - low:.3f} to {100 * plan.width:.3f}: about {plan.more_clips} more "
        f"clips{groups} with as many votes each, or at most {plan.more_raters} more raters on the same clips",
    ]
