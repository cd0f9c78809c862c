"""The analysis of hybrids that are not the default, and of the controls."""

import numpy as np
import pytest
from analysis_subjects import lively
from cheap_measures import CHEAP, CLIPS

from hybrid.analysis.attributions import ATTRIBUTIONS
from hybrid.analysis.relevance import RELEVANCE_MEASURES

MEASURES = CHEAP | RELEVANCE_MEASURES
SUBJECTS = [
    ("hybrid", dict(mixer="conv3")),
    ("hybrid", dict(stages="late")),
    ("hybrid", dict(keys="frame_to_frame", scope="fast_to_slow")),
    ("hybrid", dict(keys="joint", positions="relative")),
    ("hybrid", dict(stages="none")),
    ("slowfast_nln", dict(instantiation="softmax")),
    ("slowfast_nln", {}),
    ("late_fusion", {}),
    ("ensemble", {}),
]


@pytest.mark.parametrize(("name", "options"), SUBJECTS, ids=str)
def test_what_applies_has_an_answer(name, options):
    subject = lively(name, **options)
    for measure in ("attention_distance", "attention_entropy", "temporal_rollout", "receptive_field"):
        if MEASURES[measure].applies_to(subject.model):
            finding = MEASURES[measure].measure(subject, CLIPS, 8)
            assert all(np.isfinite(figure_N).all() for figure_N in finding.figures.values()), measure
    explains = ATTRIBUTIONS["transformer_explainability"]
    if explains.applies_to(subject.model):
        relevance = explains.relevance(subject, CLIPS.clip_NCTHW)
        assert relevance.shape == (2, 8, 64, 64) and relevance.isfinite().all()


def test_native_measures_apply_where_a_branch_attends():
    for options, applies in (
        (dict(mixer="conv3"), False),
        (dict(stages="none"), False),
        ({}, True),
    ):
        model = lively("hybrid", **options).model
        assert MEASURES["temporal_rollout"].applies_to(model) == applies
        assert ATTRIBUTIONS["transformer_explainability"].applies_to(model) == applies
