import numpy as np
import pytest
import torch
from models_under_test import lively, noise
from numpy.testing import assert_allclose

from hybrid import list_models
from hybrid.analysis.base import Attribution, InputClips
from hybrid.analysis.measures.frame_mass import FrameMass
from hybrid.analysis.measures.randomisation import Randomisation, layers_from_the_top, randomised, spearman, ssim
from hybrid.analysis.registry import ATTRIBUTIONS


def clips(batch: int = 2) -> InputClips:
    return InputClips(noise(batch), np.full((batch, 5), 0.2), tuple(map(str, range(batch))), 16.0)


class Edges(Attribution):
    """What a sanity check must catch: it never looks at the model."""

    name = title = source = "edges"

    def applies_to(self, model):
        return True

    def passes(self, model, num_frames):
        return 0

    def relevance(self, tested, clip_BCTHW):
        return clip_BCTHW.diff(dim=-1, append=clip_BCTHW[..., -1:]).abs().sum(dim=1)


@pytest.mark.parametrize("model", list_models())
def test_layers_run_from_the_classifier_down_and_hold_every_parameter_once(model):
    tested = lively(model).model
    layers = layers_from_the_top(tested)
    names = [name for layer in layers for name in layer]
    assert sorted(names) == sorted(name for name, _ in tested.named_parameters())
    assert f"{tested.classifier}.weight" in layers[0] and f"{tested.first_convs[0]}.weight" in layers[-1]
    assert len(layers) >= 4


def test_shuffling_keeps_the_numbers_and_leaves_the_subject_alone():
    tested = lively("slowfast")
    before = {name: p.clone() for name, p in tested.model.named_parameters()}
    chosen = layers_from_the_top(tested.model)[1]
    shuffled = dict(randomised(tested, chosen, seed=3).model.named_parameters())
    for name, parameter in tested.model.named_parameters():
        assert torch.equal(parameter, before[name])
        assert torch.equal(shuffled[name], parameter) == (name not in chosen) or parameter.numel() == 1
        assert torch.equal(shuffled[name].flatten().sort().values, parameter.flatten().sort().values)
    again, other = (dict(randomised(tested, chosen, seed).model.named_parameters()) for seed in (3, 4))
    assert all(torch.equal(shuffled[name], again[name]) for name in chosen)
    assert not all(torch.equal(shuffled[name], other[name]) for name in chosen)


@pytest.mark.parametrize("model", ["r3d", "vit"])
def test_forgetting_everything_lowers_similarity(model):
    measure, tested = Randomisation(ATTRIBUTIONS["gradient_input"]), lively(model)
    result = measure.measure(tested, clips())
    layers = len(layers_from_the_top(tested.model))
    for curve in result.curves.values():
        assert curve.y_NX.shape == (2, layers) and np.isfinite(curve.y_NX).all()
    assert (result.figures["rank correlation, all shuffled"] < 0.5).all()
    assert (result.figures["structural similarity, all shuffled"] < 0.9).all()
    cascading, independent = (result.curves[f"{kind}, rank correlation"].y_NX for kind in ("cascading", "independent"))
    assert_allclose(cascading[:, 0], independent[:, 0])
    assert not np.allclose(cascading[:, 1:], independent[:, 1:])


def test_the_cost_is_that_of_all_models_asked():
    tested, asked = lively("vit"), []

    class Counted(Edges):
        def passes(self, model, num_frames):
            return 1

        def relevance(self, tested, clip_BCTHW):
            asked.append(tested)
            return super().relevance(tested, clip_BCTHW)

    measure = Randomisation(Counted())
    measure.measure(tested, clips())
    assert measure.passes(tested.model, 8) == len(asked) and measure.passes_once(tested.model, 8) == 0


def test_a_map_that_does_not_look_at_the_model_is_caught():
    result = Randomisation(Edges()).measure(lively("r3d"), clips())
    assert_allclose([curve.y_NX for curve in result.curves.values()], 1, rtol=1e-5)


def test_rollout_knows_nothing_of_the_answer():
    """It reads no classifier, so forgetting that changes nothing; Transformer Explainability does."""
    rollout, explained = (
        Randomisation(ATTRIBUTIONS[name]).measure(lively("vit"), clips()).figures["rank correlation, top shuffled"]
        for name in ("attention_rollout", "transformer_explainability")
    )
    assert_allclose(rollout, 1)
    assert (explained < 0.999).all()


def test_curves_of_measures_are_checked_alike():
    measure = Randomisation(FrameMass(ATTRIBUTIONS["gradient_input"]), "share")
    result = measure.measure(lively("slowfast"), clips())
    assert measure.name == "randomisation_frame_mass_gradient_input_share"
    assert list(result.curves) == ["cascading, rank correlation", "independent, rank correlation"]
    assert (result.figures["rank correlation, all shuffled"] < 1).all()


def test_similarities_of_known_maps():
    a = np.random.default_rng(0).random((2, 3, 16, 16))
    assert_allclose(spearman(a, np.exp(a)), 1)
    assert_allclose(spearman(a, -a), -1)
    assert np.isnan(spearman(a, np.ones_like(a))).all()
    assert_allclose(ssim(a, 7 * a), 1, atol=1e-6)
    assert (ssim(a, np.random.default_rng(1).random(a.shape)) < 0.2).all()
