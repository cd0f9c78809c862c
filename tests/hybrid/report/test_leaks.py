"""What makes errors too low stands on the page, before any result."""

import shutil

import pandas as pd
from finished_runs import SPEC, write_runs

from hybrid.data.dataset import load_dataset
from hybrid.report.benchmark import write_report


def test_groups_that_folds_split_are_told_of(experiment):
    assert "are split between training and test" not in write_report(experiment)
    table = pd.read_csv(experiment.folds, dtype=str)
    table["group"] = "one donor"
    table.to_csv(experiment.folds, index=False)
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


def page_of(path, dataset):
    folder = write_runs(path, dataset)
    write_report(folder)
    return (folder.report / "index.html").read_text(encoding="utf-8")
