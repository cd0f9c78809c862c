"""A data set whose labels say nothing about its clips: a model can learn it by heart, and nothing that holds elsewhere.

Training on it is the data randomization test of J. Adebayo et al.: Sanity Checks for Saliency Maps, NeurIPS 2018.
"""

import csv
from pathlib import Path

import numpy as np

from hybrid.data.labels import Labels, read_labels
from hybrid.data.paths import LABELS, RATINGS
from hybrid.data.ratings import read_ratings
from hybrid.data.simulated import MASKS, PATHS, SIMULATION, TRUTH
from hybrid.errors import UserError
from hybrid.files import read_json, whole_folder, write_json

RECORD = "permutation.json"
LINKED = ("clips", MASKS, TRUTH, PATHS)


def permute_labels(root: Path, copy: Path, seed: int = 0) -> Path:
    """Make the folder `copy`: the clips of the data set `root`, each with the votes of another one drawn by `seed`.

    Clips and masks are linked, not copied; groups stay with their clips, so the folds are the same; raw ratings go with
    the votes. A folder that holds exactly this already is left as it is, any other one is a UserError.
    """
    record = {"labels": "permuted", "of": str(root.resolve()), "seed": seed}
    if is_permuted(copy, record):
        return copy
    labels = read_labels(root)
    ratings = read_ratings(root, labels)
    from_N = np.random.default_rng(seed).permutation(len(labels.clips))
    with whole_folder(copy) as folder:
        for name in LINKED:
            if (root / name).exists():
                (folder / name).symlink_to((root / name).resolve())
        write_rows(folder / LABELS, permuted_rows(labels, from_N))
        if ratings is not None:
            rows = [
                [labels.clips[n], ratings.raters[r], labels.grades[ratings.ratings_NR[m, r]]]
                for n, m in enumerate(from_N)
                for r in np.flatnonzero(ratings.ratings_NR[m] >= 0)
            ]
            write_rows(folder / RATINGS, [["clip", "rater", "grade"], *rows])
        if (root / SIMULATION).exists():  # still no evidence about real sperm, and no longer what it was simulated as
            write_json(folder / SIMULATION, read_json(root / SIMULATION) | {"labels": "permuted"})
        write_json(folder / RECORD, record)
    return copy


def is_permuted(copy: Path, record: dict) -> bool:
    """True if `copy` is this very data set, False if nothing is there; anything else there is a UserError."""
    if not copy.exists() or (copy.is_dir() and not any(copy.iterdir())):
        return False
    if (copy / RECORD).is_file() and read_json(copy / RECORD) == record:
        return True
    raise UserError(f"{copy} exists and is not this data set with labels permuted by this seed; choose another folder")


def permuted_rows(labels: Labels, from_N: np.ndarray) -> list[list]:
    """labels.csv with its header."""
    group = [] if labels.groups is None else ["group"]
    rows = [["clip", *labels.grades, *group]]
    for n, m in enumerate(from_N):
        votes = [f"{vote:g}" for vote in labels.votes_NK[m]]
        rows.append([labels.clips[n], *votes, *([] if labels.groups is None else [labels.groups[n]])])
    return rows


def write_rows(path: Path, rows: list[list]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
