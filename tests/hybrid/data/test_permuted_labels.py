"""A copy of a data set whose labels are those of other clips."""

import csv

import numpy as np
import pytest
from support import write_dataset

from hybrid.data.labels import read_labels
from hybrid.data.permuted_labels import permute_labels
from hybrid.data.ratings import read_ratings
from hybrid.errors import UserError


def rated_dataset(root):
    """As support's, with the raw ratings that its labels sum up."""
    write_dataset(root)
    labels = read_labels(root)
    with open(root / "ratings.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["clip", "rater", "grade"])
        for clip, votes in zip(labels.clips, labels.votes_NK.astype(int), strict=True):
            given = [grade for grade, count in zip(labels.grades, votes, strict=True) for _ in range(count)]
            rows.writerows([clip, f"r{n}", grade] for n, grade in enumerate(given))
    return root


def test_permuted_labels_are_the_same_votes_of_other_clips(tmp_path):
    root = rated_dataset(tmp_path / "set")
    (root / "simulation.json").write_text('{"seed": 1}')
    copy = permute_labels(root, tmp_path / "copy", seed=1)
    true, permuted = read_labels(root), read_labels(copy)
    assert permuted.clips == true.clips and permuted.groups == true.groups and permuted.grades == true.grades
    assert not np.array_equal(permuted.votes_NK, true.votes_NK)
    assert sorted(map(tuple, permuted.votes_NK)) == sorted(map(tuple, true.votes_NK))
    read_ratings(copy, permuted)  # raises where ratings and labels tell different stories
    assert (copy / "clips").is_symlink() and (copy / "simulation.json").read_text() != '{"seed": 1}'
    other = read_labels(permute_labels(root, tmp_path / "other", seed=2))
    assert not np.array_equal(other.votes_NK, permuted.votes_NK)


def test_a_permuted_copy_is_made_once_and_overwrites_nothing(tmp_path):
    root = write_dataset(tmp_path / "set")
    copy = permute_labels(root, tmp_path / "copy")
    made = (copy / "labels.csv").stat().st_mtime_ns
    assert permute_labels(root, copy) == copy and (copy / "labels.csv").stat().st_mtime_ns == made
    for folder, seed in ((copy, 1), (root, 0)):
        with pytest.raises(UserError, match="exists and is not"):
            permute_labels(root, folder, seed)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("target", ["empty", "nowhere"])
def test_a_link_leads_to_the_folder_that_is_made(target, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / target)
    permute_labels(write_dataset(tmp_path / "set", 5), tmp_path / "link")
    assert read_labels(tmp_path / target).clips and (tmp_path / "link").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted({"empty", "link", "set", target})
