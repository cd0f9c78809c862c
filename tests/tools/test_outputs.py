"""What a tool is told to write takes the place of its own earlier output, and of nothing else."""

import sys

import pytest
from tiny_graders import write_graders

from hybrid.errors import UserError
from tools import ablate, analyze, bench, predict, profile_models, profile_switches


@pytest.fixture
def typed(monkeypatch):
    def run(tool, *words):
        monkeypatch.setattr(sys, "argv", [tool.__name__, *map(str, words)])
        return tool.main()

    return run


@pytest.mark.parametrize(
    "tool, words",
    [(bench, ("--only", "steps")), (profile_switches, ("--size", "tiny"))],
)
def test_a_table_of_others_is_refused_before_anything_is_computed(tool, words, typed, small_dataset):
    before = (small_dataset / "labels.csv").read_bytes()
    with pytest.raises(UserError, match="labels.csv: is there and was not written by this program"):
        typed(tool, *words, "-o", small_dataset / "labels.csv")
    assert (small_dataset / "labels.csv").read_bytes() == before


@pytest.mark.parametrize("tool, words", [(analyze, ("none",)), (profile_models, ("--size", "tiny", "--no-timing"))])
def test_a_folder_of_others_is_refused_before_anything_is_computed(tool, words, typed, small_dataset):
    with pytest.raises(UserError, match="holds what this program has not written"):
        typed(tool, *words, "-o", small_dataset)


def test_grades_do_not_take_the_place_of_the_votes(typed, tmp_path, small_dataset):
    words = (write_graders(tmp_path / "graders"), small_dataset, "-o")
    with pytest.raises(UserError, match="labels.csv: is there and was not written by this program"):
        typed(predict, *words, small_dataset / "labels.csv")
    with pytest.raises(UserError, match="0.mkv: is read here"):
        typed(predict, *words, small_dataset / "clips" / "0.mkv")


def test_grades_take_the_place_of_earlier_ones_and_devices_keep_theirs(typed, tmp_path, small_dataset, capsys):
    clip, out = small_dataset / "clips" / "0.mkv", tmp_path / "grades.csv"
    words = (write_graders(tmp_path / "graders"), clip, "-o")
    assert typed(predict, *words, out) == 0
    first = out.read_text()
    assert typed(predict, *words, out) == 0
    assert out.read_text() == first and capsys.readouterr().out == f"{out}: 1 clip graded by 2 models\n" * 2
    assert typed(predict, *words, "/dev/null") == 0 and capsys.readouterr().out == ""


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_plan_may_be_asked_for_anywhere(place, typed, monkeypatch):
    words = ["ablation=window", "fold=0"]
    words.insert(place, "--plan")
    monkeypatch.setattr(
        "hybrid.experiment.ablate.run_ablations", lambda configs, words, report, only_plan: (words, only_plan)
    )
    assert typed(ablate, *words) == (["ablation=window", "fold=0"], True)
    with pytest.raises(UserError, match="--epochs: settings are written without dashes: protocol.epochs=3"):
        typed(ablate, *words, "--epochs", "3")
