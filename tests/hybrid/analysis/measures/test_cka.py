from itertools import permutations

import numpy as np
import pytest
import torch
from models_under_test import lively
from toy_models import noise_clips, under_test, with_features

from hybrid.analysis.base import InputClips
from hybrid.analysis.measures import cka as module
from hybrid.analysis.measures.cka import LayerSimilarity, cka, compare, gram, hsic


def features(n=12, width=30, seed=0):
    return np.random.default_rng(seed).normal(size=(n, width))


def test_hsic_is_the_mean_over_all_quadruples():
    """The U-statistic that Song et al. start from: K_ij (L_ij + L_qr - 2 L_iq) over i, j, q, r all different."""
    K_nn, L_nn = (x @ x.T for x in (features(6, 4, 0), features(6, 3, 1)))
    quadruples = list(permutations(range(6), 4))
    expected = np.mean([K_nn[i, j] * (L_nn[i, j] + L_nn[q, r] - 2 * L_nn[i, q]) for i, j, q, r in quadruples])
    np.testing.assert_allclose(hsic(K_nn[None], L_nn[None]), expected, rtol=1e-10)


def test_many_examples_bring_it_to_the_classic_formula():
    """|Y'X|^2 / (|X'X| |Y'Y|) of centred features (Kornblith et al. 2019), whose bias goes with 1 / n."""
    X = features(3000, 5, 0)
    Y = X @ features(5, 5, 1) + 0.5 * features(3000, 5, 2)
    Xc, Yc = X - X.mean(axis=0), Y - Y.mean(axis=0)
    classic = np.linalg.norm(Yc.T @ Xc) ** 2 / np.linalg.norm(Xc.T @ Xc) / np.linalg.norm(Yc.T @ Yc)
    assert cka([(gram(X)[None], gram(Y)[None])])[0, 0] == pytest.approx(classic, abs=5e-3)


def test_rotation_scale_and_shift_do_not_count_and_chance_gives_0():
    X = features()
    rotation, _ = np.linalg.qr(features(30, 30, 5))
    other = [3 * X @ rotation + features(1, 30, 6), *(features(seed=seed) for seed in range(10, 210))]
    value_L = cka([(gram(X)[None], np.stack([gram(Y) for Y in other]))])[0]
    assert value_L[0] == pytest.approx(1)
    assert abs(value_L[1:].mean()) < 0.03, "with more features than examples the biased estimate gives about 0.7"


def test_blocks_are_averaged_before_they_are_divided():
    K, L = ([gram(features(8, 5, seed))[None] for seed in seeds] for seeds in ((0, 1), (2, 3)))
    sums = [sum(hsic(a, b)[0, 0] for a, b in zip(one, other, strict=True)) for one, other in ((K, L), (K, K), (L, L))]
    expected = sums[0] / np.sqrt(sums[1] * sums[2])
    np.testing.assert_allclose(cka(zip(K, L, strict=True)), expected)


def test_blocks_are_of_one_size(monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 8)
    layers = module.Layers({"one": features(18, 4)[:, None]}, {"one": np.zeros(1)}, 16)
    assert [len(K_Lnn[0]) for K_Lnn in layers.over_clips()] == [6, 6, 6]


def test_a_model_is_like_itself():
    clips = noise_clips(6, grades=5, side=64)
    found = LayerSimilarity().measure(lively("r3d"), clips)
    for name in ("clips", "time"):
        value_RC = found.matrices[name].value_RC
        np.testing.assert_allclose(value_RC.diagonal(), 1)
        np.testing.assert_allclose(value_RC, value_RC.T)
        off = value_RC[~np.eye(5, dtype=bool)]
        assert found.overall[f"all pairs, {name}"] == pytest.approx(off.mean())
    with_itself = compare((lively("r3d"), clips), (lively("r3d"), clips), batch_size=4)
    np.testing.assert_allclose(with_itself.matrices["clips"].value_RC.diagonal(), 1, rtol=1e-6)


def test_two_seeds_of_a_model_are_more_alike_than_chance():
    """Chance: the second one is shown the clips in another order."""
    clips = noise_clips(16, frames=8, grades=5, side=64)
    order = torch.randperm(16, generator=torch.Generator().manual_seed(0))
    others = InputClips(clips.clip_NCTHW[order], clips.target_NK, clips.names, clips.frame_rate)
    alike, by_chance = (
        compare((lively("slowfast"), clips), (lively("slowfast", seed=1), second)).matrices["clips"]
        for second in (clips, others)
    )
    assert alike.rows == alike.columns == by_chance.rows
    assert alike.value_RC.diagonal().min() > 0.5 > np.abs(by_chance.value_RC.diagonal()).max()


def test_moments_are_compared_at_the_same_time():
    """Half as many steps, each at the first of two frames, hold what a layer with all of them holds in between."""

    def look(clip_BCTHW):
        ramp_1T = torch.linspace(0, 1, clip_BCTHW.shape[2])[None, :]
        x_BT = ramp_1T * clip_BCTHW.mean(dim=(1, 2, 3, 4))[:, None]
        every = x_BT[:, None, :, None, None]
        return {"every": (every, list(range(16))), "half": (every[:, :, :15:2], list(range(0, 15, 2)))}

    found = LayerSimilarity().measure(under_test(with_features(look)), noise_clips(3))
    assert found.matrices["time"].value_RC[0, 1] == pytest.approx(1, abs=5e-3)  # the last frame is held


def test_what_does_not_exist_is_nan():
    image = LayerSimilarity().measure(lively("vgg16"), noise_clips(4, frames=8, grades=5, side=64))
    assert np.isnan(image.matrices["time"].value_RC).all() and np.isfinite(image.matrices["clips"].value_RC).all()
    few = LayerSimilarity().measure(lively("r3d"), noise_clips(3, grades=5, side=64))
    assert np.isnan(few.matrices["clips"].value_RC).all() and np.isfinite(few.matrices["time"].value_RC).all()


def test_other_clips_are_refused():
    with pytest.raises(ValueError, match="same clips"):
        compare((lively("r3d"), noise_clips(4)), (lively("r3d"), noise_clips(5)))
