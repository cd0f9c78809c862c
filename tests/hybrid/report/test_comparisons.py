"""Contrasts as the report tells of them."""

import pandas as pd
import pytest
from finished_runs import write_runs

from hybrid.report.benchmark import write_report
from hybrid.report.comparisons import unmatched_compute


@pytest.mark.parametrize("ensemble, said", [(1.04, False), (0.93, False), (1.3, True), (0.5, True)])
def test_an_ensemble_is_compute_matched_or_said_not_to_be(ensemble, said):
    sentences = unmatched_compute(pd.DataFrame({"arm": ["hybrid", "ensemble"], "gmac": [0.05, 0.05 * ensemble]}))
    assert bool(sentences) is said
    assert unmatched_compute(pd.DataFrame({"arm": ["hybrid"], "gmac": [0.05]})) == []


def test_open_questions_are_named_wherever_the_report_is_read(tmp_path, clips_of_mine):
    folder = write_runs(tmp_path / "runs" / "x", clips_of_mine)
    assert "not answered" not in write_report(folder) + (folder.report / "index.html").read_text(), "nobody asked"
    folder.plan({"timesformer/repeat0-fold0", "ensemble/repeat0-fold0"})
    printed = write_report(folder)
    texts = [printed, *((folder.report / name).read_text() for name in ("index.html", "contrasts.md", "contrasts.tex"))]
    for text in texts:
        assert "hybrid against timesformer: not answered, no run of timesformer is done." in text
        assert "hybrid against ensemble: not answered" in text and text.count("not answered") == 2
