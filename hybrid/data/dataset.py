"""A data set, checked whole and ready to train on."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hybrid.data.cache import BadClips, DecodedClips, bad_at_once, cache_folder, decode_clips
from hybrid.data.clip import ClipFacts, ClipSpec
from hybrid.data.graded_by_motion import is_graded_by_motion
from hybrid.data.labels import Labels, scan_labels
from hybrid.data.oddities import FLAT, OBLONG
from hybrid.data.problems import Problems, some_of
from hybrid.data.ratings import Ratings, scan_ratings
from hybrid.data.simulated import is_simulated

if TYPE_CHECKING:
    from hybrid.data.transforms import Moments

FEWEST_USUAL = 3
"""votes a clip, below which panels are whoever was there"""
ODD_PANEL = 2.0
"""how many times more or fewer votes than the median of all clips are told of"""
FORMER_CACHE = ".cache"
"""of a data set's folder, where decoded clips were kept before they went to `cache_folder`"""


@dataclass(frozen=True, eq=False)
class ClipDataset:
    """N clips in the order of labels.csv.

    frames_NTHWC: uint8, read only, mapped from disk; C is 1 (luma) or 3 (RGB).
    targets_NK: float32, rows sum to 1. grades: names of the K grades, best first.
    raters_N: how many voted on each clip, float64; NaN where nothing says (`Labels.counted`, and no ratings).
    clips: posix paths relative to `root / "clips"`. groups: one a clip, or None. ratings: raw votes, or None.
    facts: what each source was. digests: SHA-256 of each file's bytes.
    notices: what is odd but no error, to be printed once.
    fingerprint: 12 hex digits of everything above that a result depends on.
    """

    root: Path
    spec: ClipSpec
    frames_NTHWC: np.ndarray
    targets_NK: np.ndarray
    raters_N: np.ndarray
    grades: tuple[str, ...]
    clips: tuple[str, ...]
    groups: tuple[str, ...] | None
    ratings: Ratings | None
    facts: tuple[ClipFacts, ...]
    digests: tuple[str, ...]
    notices: tuple[str, ...]
    fingerprint: str

    def __len__(self) -> int:
        return len(self.clips)

    @property
    def told(self) -> str:
        """What was read as grades, groups and votes, in words: a column too many, or percentages, show there."""
        known = " to ".join(f"{raters:g}" for raters in np.unique([self.raters_N.min(), self.raters_N.max()]))
        if np.isnan(self.raters_N).any():
            known = "not known, so there is no noise ceiling; numbers of votes would tell"
        groups = len(set(self.groups)) if self.groups else "none, so each clip is its own"
        return f"grades, best first: {', '.join(self.grades)}; groups: {groups}; raters a clip: {known}"

    @property
    def raters(self) -> str:
        """Equal of two data sets if as many voted on each clip."""
        if np.isnan(self.raters_N).all():
            return "not known"
        digest = hashlib.sha256(self.raters_N.tobytes()).hexdigest()[:8]
        return f"{np.nanmin(self.raters_N):g} to {np.nanmax(self.raters_N):g} ({digest})"

    @cached_property
    def moments(self) -> Moments:
        """What every run on these clips that normalises each by its own contrast has to know of them."""
        from hybrid.data.transforms import Moments  # with torch, which reading a data set does not need

        return Moments(self.frames_NTHWC)

    @property
    def simulated(self) -> bool:
        """Whether the simulator wrote it: a result on it is no evidence about real sperm."""
        return is_simulated(self.root)


def load_dataset(root: Path | str, spec: ClipSpec, *, workers: int | None = None) -> ClipDataset:
    """Read and check labels, ratings and every clip; a DatasetError lists all that is wrong, at once.

    Where a table is wrong, clips are opened and not decoded, which may take minutes: damage inside them is told later.
    workers: clips decoded at a time, by default as many as there are processors.
    """
    root = Path(root)
    problems = Problems(f"data set {root}")
    labels = scan_labels(root, problems)
    if labels is None:
        problems.raise_if_any()
    ratings = scan_ratings(root, labels, problems)
    paths, reasons = [labels.path(n) for n in range(len(labels.clips))], {}
    if problems.problems:
        reasons = bad_at_once(paths)
    elif not paths:
        problems.add(f"{labels.file}: lists no clips")
    else:
        try:
            decoded = decode_clips(paths, spec, cache_folder(root), workers)
        except BadClips as error:
            reasons = error.reasons
    for n, reason in reasons.items():
        problems.add(f"{labels.file} row {labels.lines[n]}: clip {labels.clips[n]!r} {reason}")
    problems.raise_if_any()
    of_tables = (*labels.notices, *(ratings.notices if ratings else ()))
    raters_N = _raters(labels, ratings)
    of_grades = (*_odd_panels(labels, raters_N), *_of_motion(root))
    return ClipDataset(
        root=root,
        spec=spec,
        frames_NTHWC=decoded.frames_NTHWC,
        targets_NK=labels.targets_NK,
        raters_N=raters_N,
        grades=labels.grades,
        clips=labels.clips,
        groups=labels.groups,
        ratings=ratings,
        facts=decoded.facts,
        digests=decoded.digests,
        notices=tuple(dict.fromkeys((*of_tables, *of_grades, *_notices(labels, decoded, spec), *_former_cache(root)))),
        fingerprint=_fingerprint(labels, ratings, decoded, spec),
    )


def _raters(labels: Labels, ratings: Ratings | None) -> np.ndarray:
    if ratings is not None:
        return (ratings.ratings_NR >= 0).sum(axis=1).astype(float)
    return labels.votes_NK.sum(axis=1) if labels.counted else np.full(len(labels.clips), np.nan)


def _odd_panels(labels: Labels, raters_N: np.ndarray) -> list[str]:
    """A notice where clips have less than half, or more than twice, as many votes as is usual: likely a slip."""
    usual = np.median(raters_N)
    odd = np.flatnonzero((raters_N < usual / ODD_PANEL) | (raters_N > usual * ODD_PANEL))
    if not len(odd) or usual < FEWEST_USUAL:
        return []
    told = some_of(f"{labels.clips[n]} {raters_N[n]:g}" for n in odd)
    return [f"{len(odd)} of {len(raters_N)} clips have far more or fewer votes than the usual {usual:g}: {told}"]


def _of_motion(root: Path) -> list[str]:
    if not is_graded_by_motion(root):
        return []
    return [f"the grades of {root} follow from motion alone (tools/grade_by_motion.py): no panel has given them"]


def _fingerprint(labels: Labels, ratings: Ratings | None, decoded: DecodedClips, spec: ClipSpec) -> str:
    votes = [] if ratings is None else [ratings.raters, ratings.ratings_NR.tolist()]
    content = [
        asdict(spec),
        decoded.digests,
        labels.clips,
        labels.grades,
        labels.groups,
        labels.targets_NK.tolist(),
        votes,
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]


def _former_cache(root: Path) -> list[str]:
    arrays = list((root / FORMER_CACHE).glob("frames-*.npy"))
    size = sum(path.stat().st_size for path in arrays) / 1e6
    return [f"{root / FORMER_CACHE} is not used any more and may be deleted ({size:.3g} MB)"] if arrays else []


def _notices(labels: Labels, decoded: DecodedClips, spec: ClipSpec) -> list[str]:
    notices, facts, of = [], decoded.facts, f"of {len(labels.clips)} clips"
    if short := [n for n, fact in enumerate(facts) if fact.padded]:
        worst = max(short, key=lambda n: facts[n].padded)
        notices.append(
            f"{len(short)} {of} are shorter than {spec.seconds:g} s: their last frame is held (the shortest is "
            f"{labels.clips[worst]!r}, {facts[worst].seconds:.2f} s: {facts[worst].padded} of {spec.num_frames} frames)"
        )
    if slow := [n for n, fact in enumerate(facts) if fact.distinct + fact.padded < spec.num_frames]:
        notices.append(
            f"{len(slow)} {of} show some frame twice because they have fewer than {spec.frame_rate:g} frames a second: "
            f"{some_of(labels.clips[n] for n in slow)}"
        )
    if oblong := [
        n for n, fact in enumerate(facts) if max(fact.width, fact.height) > OBLONG * min(fact.width, fact.height)
    ]:
        worst = facts[oblong[0]]
        notices.append(
            f"{len(oblong)} {of} are not square: only the centre is seen "
            f"({labels.clips[oblong[0]]!r} is {worst.width}x{worst.height})"
        )
    for flat, words in FLAT.items():
        if clips := [clip for clip, fact in zip(labels.clips, facts, strict=True) if fact.flat == flat]:
            notices.append(f"{len(clips)} {of} are {words}: {some_of(clips)}")
    with_note = defaultdict(list)
    for clip, fact in zip(labels.clips, facts, strict=True):
        for note in fact.notes:
            with_note[note].append(clip)
    notices += [f"{note}: {len(clips)} {of}: {some_of(clips)}" for note, clips in with_note.items()]
    same = defaultdict(list)
    for clip, digest in zip(labels.clips, decoded.digests, strict=True):
        same[digest].append(clip)
    if copies := [clips for clips in same.values() if len(clips) > 1]:
        notices.append(
            f"{len(copies)} clips are there more than once under other names, and count as often: "
            f"{some_of(map(' and '.join, copies))}"
        )
    return notices
