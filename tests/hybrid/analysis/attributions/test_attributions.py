"""What holds for every method on every model it is for."""

import pytest
import torch
from models_under_test import lively, noise
from support import FIRST_DESIGN
from torch.testing import assert_close

from baselines.timm_net import FrameModel
from hybrid import list_models
from hybrid.analysis.attributions import gradients
from hybrid.analysis.attributions.occlusion import Occlusion
from hybrid.analysis.registry import ATTRIBUTIONS

CHEAP = ATTRIBUTIONS | {
    "integrated_gradients": gradients.from_temporal_mean(steps=3),
    "integrated_gradients_blur": gradients.from_blur(steps=3),
    "occlusion": Occlusion(boxes=(2, 2, 2)),
}
every_model = pytest.mark.parametrize("model", list_models())


@every_model
def test_relevance_is_of_the_clips_size_and_of_the_frames_that_are_seen(model):
    tested, clip = lively(model), noise()
    for attribution in CHEAP.values():
        if not attribution.applies_to(tested.model):
            continue
        before = clip.clone()
        relevance_BTHW = attribution.relevance(tested, clip)
        assert torch.equal(clip, before), attribution.name
        assert relevance_BTHW.shape == (2, 8, 64, 64) and not relevance_BTHW.requires_grad, attribution.name
        assert relevance_BTHW.isfinite().all() and (attribution.signed or (relevance_BTHW >= 0).all()), attribution.name
        mass_BT = relevance_BTHW.abs().sum(dim=(2, 3))
        if isinstance(tested.model, FrameModel):
            assert (mass_BT[:, 0] > 0).all() and (mass_BT[:, 1:] == 0).all(), attribution.name
        else:
            assert (mass_BT > 0).all(), attribution.name
        assert_close(attribution.relevance(tested, clip), relevance_BTHW, rtol=0, atol=0)
    assert all(parameter.grad is None for parameter in tested.model.parameters())


@every_model
def test_a_clips_relevance_is_its_own(model):
    tested, clip = lively(model), noise()
    for name in ("grad_cam", "gradient_input", "attention_rollout_measured", "transformer_explainability"):
        if ATTRIBUTIONS[name].applies_to(tested.model):
            with torch.no_grad():  # whatever the caller's mode
                both, alone = (ATTRIBUTIONS[name].relevance(tested, x) for x in (clip, clip[1:]))
            assert_close(alone[0], both[1], rtol=1e-3, atol=1e-4 * both[1].abs().max().item())


@pytest.mark.parametrize("name", ATTRIBUTIONS)
def test_passes_are_what_a_clip_costs(name):
    """Forwards are counted; what goes backwards goes back once for every time forward."""
    attribution = CHEAP[name]
    for model in ("vit", "vivit"):
        tested, clips = lively(model), []
        features = type(tested.model).forward_features

        def counted(clip_BCTHW, into=None, tested=tested, features=features, clips=clips):
            clips.append(len(clip_BCTHW))
            return features(tested.model, clip_BCTHW, into)

        tested.model.forward_features = counted
        try:
            attribution.relevance(tested, noise())
        finally:
            del tested.model.forward_features
        backward = name not in ("occlusion", "attention_rollout", "attention_rollout_measured")
        assert attribution.passes(tested.model, 8) == sum(clips) / 2 * (3 if backward else 1)


def test_who_is_explained_by_what():
    models = {model: lively(model).model for model in list_models()}
    apply = {name: [m for m in models if a.applies_to(models[m])] for name, a in ATTRIBUTIONS.items()}
    assert all(
        apply[name] == list_models()
        for name in ("grad_cam", "integrated_gradients", "integrated_gradients_blur", "occlusion", "gradient_input")
    )
    assert apply["attention_rollout"] == ["vit", "convit", "timesformer", "vivit"]
    assert apply["transformer_explainability"] == ["vit", "convit", "timesformer", "vivit"]
    assert ATTRIBUTIONS["transformer_explainability"].applies_to(lively("hybrid", **FIRST_DESIGN).model)


def test_names_are_fit_for_files_and_sources_are_given():
    for name, attribution in ATTRIBUTIONS.items():
        assert name == attribution.name and name.isidentifier()
        assert attribution.title and any(year in attribution.source for year in map(str, range(2014, 2023)))
