"""The gates' own instruments: that they find what is there and nothing else."""

import numpy as np
import pandas as pd
import pytest

from hybrid.simulator.checks.casa_ranges import PUBLISHED, plot_beats, published_table
from hybrid.simulator.checks.gate_lag import _forest, _train
from hybrid.simulator.checks.gates import Gate, r_squared
from hybrid.simulator.data_card import casa_table, realised_shares, scale

GROUPS = np.arange(400) % 40


def test_r_squared_of_signal_and_of_noise():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3))
    half = x[:, 0] + rng.normal(size=400)
    assert r_squared(x, half, GROUPS) == pytest.approx(0.5, abs=0.1)
    assert r_squared(x, np.abs(x[:, 1]), GROUPS) > 0.7
    assert r_squared(x, rng.normal(size=400), GROUPS) < 0.03


def test_trees_find_a_relation_that_neither_part_shows():
    rng = np.random.default_rng(0)
    sides = rng.choice([-1.0, 1.0], size=(400, 2))
    label, other = sides.prod(1), rng.normal(size=(400, 3))
    assert _forest(np.concatenate([other, sides], 1), label) > 0.9
    assert _forest(np.concatenate([other, sides[:, :1]], 1), label) < 0.02


def test_the_trained_net_finds_a_relation_in_time():
    rng = np.random.default_rng(0)
    sides = rng.choice([-1.0, 1.0], size=(600, 2))
    seen = rng.normal(size=(600, 4, 1)) * 0.1
    seen[:, 0, 0] += sides[:, 0]
    seen[:, 3, 0] += sides[:, 1]
    assert _train(seen, sides.prod(1), 0, epochs=20) > 0.9
    seen[:, 3] = 0
    assert _train(seen, sides.prod(1), 0, epochs=20) < 0.62


def test_a_gate_fails_outside_its_limits():
    assert Gate("a", "x", 0.3, (-np.inf, 0.29)).verdict == "FAILED"
    assert Gate("a", "x", 0.3, (0.1, 0.3)).verdict == "passed"
    assert Gate("a", "x", float("nan"), (0.1, 0.3)).verdict == "FAILED"
    assert Gate("a", "x", 0.3, None).verdict == ""


def test_scale_by_hand():
    labels = pd.DataFrame([[40, 0, 0, 0, 0], [0, 40, 0, 0, 0]], columns=list("ABCDE"))
    truth = pd.DataFrame([[1, 0, 0, 0, 0], [0.5, 0.5, 0, 0, 0]], columns=[f"expected_{grade}" for grade in "ABCDE"])
    found = scale(labels, truth)
    assert found["mean predictor"] == pytest.approx((0.25 + 0.25) / 5)
    assert found["oracle"] == pytest.approx((0.25 + 0.25) / 10)


def test_shares_add_up():
    rng = np.random.default_rng(0)
    parts = rng.normal(size=(300, 4))
    truth = pd.DataFrame(parts, columns=[f"quality_{name}" for name in ("form", "motion", "event", "interaction")])
    truth["quality"] = parts @ np.sqrt([0.30, 0.35, 0.25, 0.10])
    shares = realised_shares(truth, "standard")
    assert sum(shares.values()) == pytest.approx(1.0)
    assert shares["motion"] == pytest.approx(0.35, abs=0.08)


def test_casa_tables_and_beat_plot(tmp_path):
    figures = dict(vcl=90.0, vsl=40.0, vap=50.0, lin=0.44, str=0.8, wob=0.55, alh=3.0, bcf=14.0)
    row = figures | {f"{name}_{of}": value for name, value in figures.items() for of in ("seen", "steady")}
    truth = pd.DataFrame([row | dict(motion="rapid", beat_hz=14.0, beat_hz_seen=-2.0)] * 3)
    table = casa_table(truth)
    assert list(table["class"]) == ["rapid"] and table["VCL"][0] == "90 (90-90)"
    beside = published_table(truth).set_index(["figure", "published"])
    assert beside.loc[("VCL", "60-130"), "median within"] == "yes"
    assert beside.loc[("LIN", "0.45-0.75"), "median within"] == "no"
    assert (
        beside.loc[("VAP", ">= 25"), "checked"].startswith("quoted") and not beside.loc[("VAP", ">= 25"), "why outside"]
    )
    plot_beats(truth, 16.0, tmp_path / "beats.svg")
    assert (tmp_path / "beats.svg").stat().st_size > 5000
    assert all(entry.low < entry.high for entry in PUBLISHED)
