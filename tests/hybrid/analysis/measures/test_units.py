import numpy as np
import pytest
import torch
from toy_models import brightness, under_test, with_features

from hybrid.analysis.measures.units import StaticDynamicUnits, correlation, information, shares, shuffled

NUM_PAIRS = 256


def oscillation(level, cycles, amplitude, phase):
    """(3, 16, 4, 4): every pixel of frame t is level + amplitude cos(2 pi cycles t / 16 + phase)."""
    wave_T = torch.cos(2 * torch.pi * cycles * torch.arange(16.0) / 16 + phase)
    return (level + amplitude * wave_T)[None, :, None, None].expand(3, 16, 4, 4)


def pairs_that_share(*names):
    rng = np.random.default_rng(0)
    draw = dict(
        level=lambda: rng.normal(),
        cycles=lambda: int(rng.integers(1, 8)),
        amplitude=lambda: rng.uniform(0.5, 1.5) if "amplitude" in names else 1.0,
        phase=lambda: rng.uniform(0, 2 * np.pi),
    )
    pairs = []
    for _ in range(NUM_PAIRS):
        common = {name: draw[name]() for name in names}
        pairs.append([oscillation(**({name: value() for name, value in draw.items()} | common)) for _ in range(2)])
    return tuple(zip(*pairs, strict=True))


def kinds_of(*units, motion=("cycles", "phase")):
    """Of a net with these units, each a function of the brightness of the frames (B, T) -> (B,)."""

    def look(clip_BCTHW):
        value_BD = torch.stack([unit(brightness(clip_BCTHW)) for unit in units], dim=1)
        return {"last": (value_BD[:, :, None, None, None], [0])}

    form, moves = pairs_that_share("level"), pairs_that_share(*motion)
    mixed = tuple(map(shuffled, moves, (0, 1)))
    measure = StaticDynamicUnits(num_pairs=NUM_PAIRS)
    found = measure.of_pairs(under_test(with_features(look)), form, moves, mixed, batch_size=16)
    np.testing.assert_allclose(found.matrices["units"].value_RC[0], [found.overall[f"{k} units"] for k in KINDS])
    return {kind: found.overall[f"{kind} units"] for kind in KINDS} | {"nats": found.overall}


KINDS = ("static", "dynamic", "both", "neither")


def mean(x_BT):
    return x_BT.mean(dim=1)


def change(x_BT):
    return (x_BT[:, 1:] - x_BT[:, :-1]).square().mean(dim=1)


def spread(x_BT):
    return x_BT.std(dim=1)


def test_a_static_net_has_no_dynamic_units():
    kinds = kinds_of(mean, lambda x_BT: x_BT.max(dim=1).values + x_BT.min(dim=1).values, lambda x_BT: x_BT[:, 0])
    assert kinds["dynamic"] == kinds["both"] == 0 and kinds["static"] >= 2 / 3
    assert kinds["nats"]["dynamic information (nats)"] == pytest.approx(0, abs=1e-6)


def test_a_net_of_bags_of_frames_is_not_dynamic_though_postures_tell_of_motion():
    """How far the brightness swings is seen without any order: motion, yes; dynamic, no."""
    kinds = kinds_of(spread, motion=("cycles", "phase", "amplitude"))
    assert kinds["nats"]["motion information (nats)"] > 0.5
    assert kinds["neither"] == 1 and kinds["nats"]["dynamic information (nats)"] == pytest.approx(0, abs=1e-6)


def test_a_purely_dynamic_net_has_no_static_units():
    kinds = kinds_of(change, lambda x_BT: (x_BT[:, 2:] - x_BT[:, :-2]).square().mean(dim=1))
    assert kinds["dynamic"] == 1 and kinds["static"] == kinds["both"] == 0
    assert kinds["nats"]["static information (nats)"] < 0.05 < 0.2 < kinds["nats"]["dynamic information (nats)"]


def test_a_unit_can_be_both_or_neither():
    assert kinds_of(lambda x_BT: mean(x_BT) + 1.5 * change(x_BT))["both"] == 1
    assert kinds_of(lambda x_BT: torch.zeros(len(x_BT)))["neither"] == 1


def test_units_that_tell_nothing_are_rarely_taken_for_more():
    rng = np.random.default_rng(0)
    rho_3D = correlation(*rng.normal(size=(2, 64, 30_000))).reshape(3, -1)
    found = dict(zip(KINDS, shares(rho_3D, num_pairs=64, level=0.01), strict=True))
    assert 0.006 < found["static"] < 0.014
    assert found["dynamic"] < 0.01 and found["both"] < 0.001


def test_correlation_and_information_against_numpy():
    one, other = np.random.default_rng(0).normal(size=(2, 20, 3))
    expected_D = [np.corrcoef(one[:, d], other[:, d])[0, 1] for d in range(3)]
    np.testing.assert_allclose(correlation(one, other), expected_D)
    # two normal variables: entropy of each less the joint one, 1/2 log of det of the covariances
    rho = 0.8
    np.testing.assert_allclose(
        information(np.array([rho, -rho])), [-np.log(np.linalg.det([[1, rho], [rho, 1]])) / 2, 0]
    )


def test_shuffling_keeps_the_first_frame_and_every_other():
    clips = [torch.arange(16.0).expand(4, 4, 16).permute(0, 2, 1)[..., None]] * 10
    order_N = [tuple(clip_CTHW[0, :, 0, 0].int().tolist()) for clip_CTHW in shuffled(clips, seed=0)]
    assert len(set(order_N)) == 10
    assert all(order_T[0] == 0 and sorted(order_T) == list(range(16)) for order_T in order_N)
