"""What makes errors too low stands on the page, before any result."""

import html
import shutil

import pandas as pd
import pytest
from finished_runs import SPEC, write_runs

from hybrid.data.dataset import load_dataset
from hybrid.data.graded_by_motion import mark_graded_by_motion
from hybrid.errors import UserError
from hybrid.evaluation.results import load_experiment
from hybrid.files import read_yaml, write_yaml
from hybrid.report.benchmark import write_report


def test_groups_that_folds_split_are_told_of(experiment):
    assert "are split between training and test" not in write_report(experiment)
    table = pd.read_csv(experiment.folds, dtype=str)
    table["group"] = "one donor"
    table.to_csv(experiment.folds, index=False)
    assert "Not a fair test" not in write_report(experiment), "while the clips are there, theirs are the groups"
    settings = read_yaml(experiment.settings)
    write_yaml(experiment.settings, settings | {"data": {"fingerprint": "another"}})
    experiment.folds.touch()
    assert "Not a fair test: 1 groups" in write_report(experiment)
    assert "Not a fair test: 1 groups" in (experiment.report / "index.html").read_text(encoding="utf-8")


def test_clips_that_are_one_file_in_training_and_test_are_told_of(clips_of_mine, tmp_path):
    root = shutil.copytree(clips_of_mine.root, tmp_path / "clips_of_mine")
    header, *rows = (root / "labels.csv").read_text().splitlines()
    first_of_group = {row.split(",")[-1]: row for row in rows}.values()
    for row in first_of_group:
        name, *votes, _ = row.split(",")
        shutil.copy(root / "clips" / name, root / "clips" / f"again-{name}")
        rows.append(",".join([f"again-{name}", *votes, "someone else"]))
    assert "Not a fair test" not in page_of(tmp_path / "runs" / "plain", clips_of_mine)
    (root / "labels.csv").write_text("\n".join([header, *rows]))
    page = page_of(tmp_path / "runs" / "twice", load_dataset(root, SPEC))
    assert "sets of clips are the same file under other names and are split between training and test" in page


def test_copies_that_only_another_repeat_would_split_are_not_told_of(clips_of_mine, tmp_path):
    root = shutil.copytree(clips_of_mine.root, tmp_path / "clips_of_mine")
    header, *rows = (root / "labels.csv").read_text().splitlines()
    name = rows[0].split(",")[0]
    shutil.copy(root / "clips" / name, root / "clips" / "again.mkv")
    (root / "labels.csv").write_text("\n".join([header, *rows, rows[0].replace(name, "again.mkv", 1)]))
    folder = write_runs(tmp_path / "runs" / "twice", load_dataset(root, SPEC))
    table = pd.read_csv(folder.folds, dtype=str)
    table["repeat1"] = [
        str(1 - int(fold)) if clip == name else fold for clip, fold in table[["clip", "repeat0"]].values
    ]
    table.to_csv(folder.folds, index=False)
    write_report(folder)
    page = (folder.report / "index.html").read_text(encoding="utf-8")
    assert "count as often" in page and "Not a fair test" not in page


def test_grades_that_no_panel_gave_are_told_of(clips_of_mine, tmp_path):
    root = shutil.copytree(clips_of_mine.root, tmp_path / "clips_of_mine")
    mark_graded_by_motion(root)
    assert "No panel's votes" in html.unescape(page_of(tmp_path / "runs" / "moving", load_dataset(root, SPEC)))


def test_folds_of_ones_own_are_read_as_training_reads_them(clips_of_mine, tmp_path):
    folder = write_runs(tmp_path / "runs" / "own", clips_of_mine)
    usual = load_experiment(folder).groups
    rows = [row.split(",") for row in folder.folds.read_text().splitlines()]
    own = [";".join([clip, "Repeat0" if clip == "clip" else f"0{fold}"]) for clip, _, fold in rows]
    folder.folds.write_text("\ufeff" + "\r\n".join(own), encoding="utf-8")
    assert load_experiment(folder).groups == usual, "the data set's groups, where folds.csv has none"
    folder.folds.write_text("\n".join([*own, own[-1]]))
    with pytest.raises(UserError, match=f"folds.csv row {len(own) + 1}: clip .* is in row {len(own)} already"):
        load_experiment(folder)
    folder.folds.unlink()
    with pytest.raises(UserError, match="folds.csv: is gone, and with it .*; put it back"):
        load_experiment(folder)


def page_of(path, dataset):
    folder = write_runs(path, dataset)
    write_report(folder)
    return (folder.report / "index.html").read_text(encoding="utf-8")
