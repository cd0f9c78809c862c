from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from baselines.registry import PublishedFigures
from hybrid import create_model, get_entry
from hybrid.device import choose_machine
from hybrid.display.tables import as_markdown, as_terminal, formatted
from hybrid.profiling import models, profile_model
from hybrid.profiling.cost import Profile
from hybrid.profiling.models import HEADINGS, Setting, against_published, module_table, profile_models
from hybrid.profiling.timing import peak_memory, size_gb

TINY = {"size": "tiny", "crop_size": 64, "batch_size": 2}


def test_a_row_says_what_the_profile_does_and_is_timed():
    machine = choose_machine("cpu", "32-true")
    said = []
    table, profiles = profile_models(["slowfast", "vit"], Setting(**TINY, machine=machine), said.append)
    assert said == ["slowfast: counting", "slowfast: timing", "vit: counting", "vit: timing"]
    for row in table.to_dict("records"):
        profile = profile_model(create_model(row["model"], "tiny"), (3, 16, 64, 64))
        assert profile == profiles[row["model"]]
        figures = (row["parameters_M"] * 1e6, row["gmac"], row["activations_M"] * 1e6)
        assert figures == pytest.approx((profile.parameters, profile.gmac, profile.activations))
        assert row["latency_ms"] > 0 and row["inference_clips_s"] > row["train_clips_s"] > 0
        assert row["inference_gb"] is None and row["train_gb"] is None, "a CPU counts no tensors"
    assert table["uncounted"].tolist() == ["", ""]


def test_modules_sum_to_what_they_are_inside():
    model = create_model("timesformer", "tiny")
    profile = profile_model(model, (3, 16, 64, 64))
    assert set(profile.modules) == {name for name, _ in model.named_modules() if name}
    top = module_table(profile, depth=1)
    assert top["module"].tolist() == ["patch_embed", "blocks", "norm", "head"]
    assert top["gmac"].sum() == pytest.approx(profile.gmac, rel=0.01)  # all but the attention to itself of no module
    blocks = [
        cost.gmac for name, cost in profile.modules.items() if name.startswith("blocks.") and name.count(".") == 1
    ]
    assert sum(blocks) == pytest.approx(profile.modules["blocks"].gmac)
    assert profile.modules["head"].parameters == sum(p.numel() for p in model.head.parameters())


def test_a_module_of_known_cost():
    profile = profile_model(nn.Sequential(nn.Linear(4, 2), nn.Linear(2, 3, bias=False)), (1, 1, 1, 4))
    assert [(m.parameters, m.gmac * 1e9, m.activations) for m in profile.modules.values()] == [(10, 8, 2), (6, 6, 3)]


def test_what_is_off_is_off_in_per_cent_of_the_published(monkeypatch):
    monkeypatch.setattr(models, "create_model", lambda *_, **__: nn.Identity())
    monkeypatch.setattr(models, "profile_model", lambda *_: Profile(11_000_000, 9.0, 1, {}))

    def compared(*figures, **clip):
        return against_published(replace(get_entry("slowfast"), published=PublishedFigures(*figures, **clip)))

    row = compared(10, 10, "someone", frames=8, crop=256)
    assert row["parameters_off_percent"] == pytest.approx(10) and row["gmac_off_percent"] == pytest.approx(-10)
    assert row["native_input"] == "8 frames of 256 px, 400 classes"
    assert compared(10, None, "someone")["gmac_off_percent"] is None
    assert against_published(get_entry("hybrid")) == {}


def test_a_published_variant_is_counted_at_its_own_input():
    row = against_published(get_entry("r3d"))  # 112 px, which our clips may not have
    assert abs(row["parameters_off_percent"]) < 0.1 and abs(row["gmac_off_percent"]) < 1


def test_a_cpu_claims_no_peak():
    with peak_memory(torch.device("cpu")) as peak:
        torch.zeros(1000)
    assert peak.gb is None
    assert size_gb(nn.BatchNorm1d(4)) * 1e9 == 4 * (4 + 4 + 4 + 4) + 8


def test_tables_show_a_dash_for_what_is_unknown_and_no_empty_column():
    table = pd.DataFrame({"model": ["a", "b"], "gmac": [12.3456, np.nan], "train_gb": [None, None], "odd": [1, 2]})
    shown = formatted(table, HEADINGS)
    assert as_markdown(shown) == "| model | GMAC |\n| :-- | --: |\n| a | 12.35 |\n| b | - |"
    assert as_terminal(shown).splitlines() == ["model   GMAC", "-----  -----", "a      12.35", "b          -"]
    assert set(HEADINGS) >= {"uncounted"}


def test_an_uncounted_operator_is_in_the_row(monkeypatch):
    monkeypatch.setattr(models, "profile_model", lambda *_: Profile(1, 1.0, 1, {"aten::cdist": 2}))
    table, _ = profile_models(["vgg16"], Setting(**TINY))
    assert table["uncounted"].tolist() == ["aten::cdist x2"]
