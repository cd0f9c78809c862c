from dataclasses import fields

import pytest
from support import FIRST_DESIGN

from hybrid.model.options import HybridOptions
from hybrid.profiling import models
from hybrid.profiling.models import Setting


def test_every_value_of_every_option_has_a_row():
    names = [name for name, _, _ in models.option_settings()]
    assert names[:3] == ["slowfast", "timesformer", "hybrid"] and len(set(names)) == len(names)
    for axis in fields(HybridOptions):
        for value in axis.metadata["values"]:
            assert (f"{axis.name}={value}" in names) == (value != axis.default)
    assert {"alpha=2", "slow_frames=stride", "slowfast_nln", "late_fusion", "ensemble"} <= set(names)


def test_costs_are_beside_slowfasts(monkeypatch):
    pooling = {"frame_mixer": "none", "head": "attentive"}
    some = [("slowfast", "slowfast", {}), ("pooling", "hybrid", pooling), ("hybrid", "hybrid", FIRST_DESIGN)]
    monkeypatch.setattr(models, "option_settings", lambda: some)
    seen = []
    table = models.cost_of_options(Setting("tiny", 8, 64), seen.append).set_index("setting")
    assert seen == [name for name, _, _ in some]
    assert table.loc["slowfast", ["parameters_ratio", "gmac_ratio"]].tolist() == [1, 1]
    # without branches what is left is attentive pooling, which costs almost nothing
    assert 1 < table.loc["pooling", "gmac_ratio"] < 1.01 < table.loc["hybrid", "gmac_ratio"]
    assert table.loc["hybrid", "parameters_M"] == pytest.approx(0.504, abs=1e-3)
    assert not table["uncounted"].any()
