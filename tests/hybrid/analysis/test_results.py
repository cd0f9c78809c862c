"""Answers on disk: they come back as they were, and only to the question they answer."""

from dataclasses import replace

import numpy as np
import pytest

from hybrid.analysis.measure import Curve, Finding, Matrix
from hybrid.analysis.results import (
    Question,
    Relevance,
    read_finding,
    read_relevance,
    write_finding,
    write_relevance,
)

QUESTION = Question("receptive_field", "hybrid window=3", "repeat0-fold1", "0123", "4567")


@pytest.fixture
def finding():
    return Finding(
        figures={"distance (s)": np.array([0.1, np.nan]), "a/b: odd name": np.array([1.0, 2.0])},
        overall={"all": float("nan")},
        curves={"by lag": Curve(np.arange(3.0), np.ones((2, 3)), "lag (s)", "share")},
        matrices={"map": Matrix(np.eye(2), ("slow.res2", "slow.res3"), ("0", "1"))},
    )


def test_a_finding_comes_back_as_it_was(finding, tmp_path):
    path = tmp_path / "hybrid window=3" / "a.npz"
    write_finding(path, QUESTION, finding)
    back = read_finding(path, QUESTION)
    assert list(back.figures) == list(finding.figures) and np.isnan(back.overall["all"])
    np.testing.assert_array_equal(back.figures["distance (s)"], finding.figures["distance (s)"])
    curve, matrix = back.curves["by lag"], back.matrices["map"]
    np.testing.assert_array_equal(curve.y_NX, np.ones((2, 3)))
    assert (curve.x_label, curve.y_label) == ("lag (s)", "share")
    assert (matrix.rows, matrix.columns) == (("slow.res2", "slow.res3"), ("0", "1"))


@pytest.mark.parametrize("change", [{"checkpoint": "other"}, {"clips": "other"}, {"about": "cka"}, {"run": "x"}])
def test_the_answer_to_another_question_is_none(finding, tmp_path, change):
    write_finding(tmp_path / "a.npz", QUESTION, finding)
    assert read_finding(tmp_path / "a.npz", replace(QUESTION, **change)) is None


def test_a_broken_or_missing_file_is_none(finding, tmp_path):
    path = tmp_path / "a.npz"
    assert read_finding(path, QUESTION) is None
    write_finding(path, QUESTION, finding)
    path.write_bytes(path.read_bytes()[:-200])
    assert read_finding(path, QUESTION) is None
    path.write_text("")
    assert read_finding(path, QUESTION) is None


def test_relevance_comes_back_as_it_was(tmp_path):
    relevance = Relevance(np.random.default_rng(0).normal(size=(2, 4, 8, 8)).astype(np.float32), np.array([2.0, 3.0]))
    write_relevance(tmp_path / "r.npz", QUESTION, relevance)
    back = read_relevance(tmp_path / "r.npz", QUESTION)
    np.testing.assert_array_equal(back.relevance_NTHW, relevance.relevance_NTHW)
    np.testing.assert_array_equal(back.grade_N, relevance.grade_N)
