"""The analysis of hybrids that are not the default, and of the controls."""

import numpy as np
import pytest
from cheap_measures import CHEAP, CLIPS
from models_under_test import lively
from support import FIRST_DESIGN

from hybrid.analysis.registry import ATTRIBUTIONS

MODELS = [
    ("hybrid", dict(frame_mixer="conv31")),
    ("hybrid", FIRST_DESIGN | dict(mixer="conv3")),
    ("hybrid", FIRST_DESIGN | dict(stages="late")),
    ("hybrid", FIRST_DESIGN | dict(keys="frame_to_frame", scope="fast_to_slow")),
    ("hybrid", FIRST_DESIGN | dict(keys="joint", positions="relative")),
    ("hybrid", dict(frame_mixer="none")),
    ("slowfast_nln", dict(instantiation="softmax")),
    ("slowfast_nln", {}),
    ("late_fusion", {}),
    ("ensemble", {}),
]


@pytest.mark.parametrize(("name", "options"), MODELS, ids=str)
def test_what_applies_has_an_answer(name, options):
    tested = lively(name, **options)
    for measure in ("attention_distance", "attention_entropy", "temporal_rollout", "receptive_field"):
        if CHEAP[measure].applies_to(tested.model):
            result = CHEAP[measure].measure(tested, CLIPS, 8)
            assert all(np.isfinite(figure_N).all() for figure_N in result.figures.values()), measure
    explains = ATTRIBUTIONS["transformer_explainability"]
    if explains.applies_to(tested.model):
        relevance = explains.relevance(tested, CLIPS.clip_NCTHW)
        assert relevance.shape == (2, 8, 64, 64) and relevance.isfinite().all()


def test_native_measures_apply_where_a_branch_attends():
    for options, applies in (
        (FIRST_DESIGN | dict(mixer="conv3"), False),
        ({}, False),
        (FIRST_DESIGN, True),
    ):
        model = lively("hybrid", **options).model
        assert CHEAP["temporal_rollout"].applies_to(model) == applies
        assert ATTRIBUTIONS["transformer_explainability"].applies_to(model) == applies
