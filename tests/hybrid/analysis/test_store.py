"""Answers on disk: they come back as they were, and only to the question they answer."""

from dataclasses import replace

import numpy as np
import pytest

from hybrid.analysis.base import Curve, Matrix, MeasureResult
from hybrid.analysis.store import (
    CacheKey,
    Relevance,
    read_relevance,
    read_result,
    write_relevance,
    write_result,
)

KEY = CacheKey("receptive_field", "hybrid window=3", "repeat0-fold1", "0123", "4567")


@pytest.fixture
def result():
    return MeasureResult(
        figures={"distance (s)": np.array([0.1, np.nan]), "a/b: odd name": np.array([1.0, 2.0])},
        overall={"all": float("nan")},
        curves={"by lag": Curve(np.arange(3.0), np.ones((2, 3)), "lag (s)", "share")},
        matrices={"map": Matrix(np.eye(2), ("slow.res2", "slow.res3"), ("0", "1"))},
    )


def test_a_finding_comes_back_as_it_was(result, tmp_path):
    path = tmp_path / "hybrid window=3" / "a.npz"
    write_result(path, KEY, result)
    back = read_result(path, KEY)
    assert list(back.figures) == list(result.figures) and np.isnan(back.overall["all"])
    np.testing.assert_array_equal(back.figures["distance (s)"], result.figures["distance (s)"])
    curve, matrix = back.curves["by lag"], back.matrices["map"]
    np.testing.assert_array_equal(curve.y_NX, np.ones((2, 3)))
    assert (curve.x_label, curve.y_label) == ("lag (s)", "share")
    assert (matrix.rows, matrix.columns) == (("slow.res2", "slow.res3"), ("0", "1"))


@pytest.mark.parametrize("change", [{"checkpoint": "other"}, {"clips": "other"}, {"about": "cka"}, {"run": "x"}])
def test_the_answer_to_another_question_is_none(result, tmp_path, change):
    write_result(tmp_path / "a.npz", KEY, result)
    assert read_result(tmp_path / "a.npz", replace(KEY, **change)) is None


def test_a_broken_or_missing_file_is_none(result, tmp_path):
    path = tmp_path / "a.npz"
    assert read_result(path, KEY) is None
    write_result(path, KEY, result)
    path.write_bytes(path.read_bytes()[:-200])
    assert read_result(path, KEY) is None
    path.write_text("")
    assert read_result(path, KEY) is None


def test_relevance_comes_back_as_it_was(tmp_path):
    relevance = Relevance(np.random.default_rng(0).normal(size=(2, 4, 8, 8)).astype(np.float32), np.array([2.0, 3.0]))
    write_relevance(tmp_path / "r.npz", KEY, relevance)
    back = read_relevance(tmp_path / "r.npz", KEY)
    np.testing.assert_array_equal(back.relevance_NTHW, relevance.relevance_NTHW)
    np.testing.assert_array_equal(back.grade_N, relevance.grade_N)
