"""What makes errors too low here, for all to read: weights that have learned from clips they are tested on, and groups
or equal clips that are in training and test."""

from typing import Any

from hybrid.data.folds import split_notices
from hybrid.data.graded_by_motion import is_graded_by_motion
from hybrid.data.near_duplicates import split_twins
from hybrid.data.paths import plain_name
from hybrid.data.problems import some_of
from hybrid.evaluation.results import ExperimentResults, read_folds


def leak_notes(results: list[dict[str, Any]]) -> list[str]:
    """A sentence on arms whose start has seen test clips, and one on those where that is not known; mostly none."""
    seen = {result["arm"]: result for result in results if result.get("test_clips_seen")}
    # Results from before this was recorded say nothing, and nothing is said of them.
    unknown = {result["arm"] for result in results if result.get("test_clips_seen", 0) is None}
    notes = []
    if seen:
        worst = max(seen.values(), key=lambda result: result["test_clips_seen"] / result["test_clips"])
        notes.append(
            f"Not a fair test: {some_of(seen)} started from weights that had learned from clips tested on here (up to "
            f"{worst['test_clips_seen']} of {worst['test_clips']} in a fold). That error is too low and compares with "
            "no other."
        )
    if unknown:
        notes.append(
            f"Which clips the weights had learned from that {some_of(sorted(unknown))} started from is not known; if "
            "some are tested on here, that error is too low."
        )
    return notes


def split_notes(results: ExperimentResults) -> list[str]:
    """A sentence where clips of one group were tested in several folds of a repeat; mostly none."""
    folds: dict[tuple[int, str], set[int]] = {}
    for run in results.runs:
        for clip in run.clips:
            folds.setdefault((run.repeat, results.groups[clip]), set()).add(run.fold)
    split = {group for (_, group), of in folds.items() if len(of) > 1}
    return [f"Not a fair test: {notice}." for notice in split_notices(sorted(split))]


def twin_notes(results: ExperimentResults) -> list[str]:
    """A sentence where clips that show the same are in training and test; mostly none, as where the clips are gone."""
    if (dataset := results.dataset) is None:
        return []
    table = read_folds(results.folder, dataset.clips)
    used = [f"repeat{repeat}" for repeat in sorted({run.repeat for run in results.runs})]
    fold_of = table.set_index(table["clip"].map(plain_name))[used]
    twins = split_twins(dataset, fold_of.reindex(map(plain_name, dataset.clips), fill_value="").to_numpy(str).T)
    return [f"Not a fair test: {notice}." for notice in twins]


def motion_notes(results: ExperimentResults) -> list[str]:
    """A sentence where no panel has given the grades."""
    now = results.dataset is not None and is_graded_by_motion(results.dataset.root)
    if not (now or any(result.get("graded_by_motion") for result in results.results)):
        return []
    return [
        "No panel's votes: the grades of these clips follow from their motion alone (tools/grade_by_motion.py). What "
        "is called votes or panel below is that."
    ]


def ungrouped_notes(results: ExperimentResults) -> list[str]:
    """A sentence where every clip is its own group; whether any belong together is then not known."""
    if any(group != clip for clip, group in results.groups.items()):
        return []
    if results.dataset is None:
        return [
            f"Whether these clips have groups is not known, for {results.missing}. Where they have, intervals over "
            "clips are too narrow here."
        ]
    return [
        "These clips have no groups: some of one patient, donor or video may be in training and others in test, and "
        "then errors are too low. A column 'group' of labels.csv keeps them together."
    ]
