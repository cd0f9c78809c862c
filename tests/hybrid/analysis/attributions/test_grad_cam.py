import pytest
import torch
from captum.attr import LayerGradCam
from models_under_test import lively, noise
from torch.testing import assert_close

from hybrid.analysis.attributions.grad_cam import GradCAM, cam, last_stages, look_inside, top_grade


@pytest.mark.parametrize(
    "model, layers",
    [
        ("vgg16", {"all": "net.features.29"}),
        ("resnet50", {"all": "net.layer4"}),
        ("r3d", {"all": "net.layer4"}),
        ("x3d", {"all": "net.blocks.4"}),
        (
            "slowfast",
            {"slow": "net.blocks.4.multipathway_blocks.0", "fast": "net.blocks.4.multipathway_blocks.1"},
        ),
    ],
)
def test_it_is_captums(model, layers):
    tested, clip = lively(model), noise(frames=16)
    logits, inside = look_inside(tested, clip)
    stages = last_stages(tested.model, inside)
    gradients = torch.autograd.grad(top_grade(logits).sum(), [stage.x_BCTHW for stage in stages.values()])
    assert list(stages) == list(layers)
    for (pathway, stage), gradient in zip(stages.items(), gradients, strict=True):
        layer = tested.model.get_submodule(layers[pathway])
        reference = LayerGradCam(lambda x: top_grade(tested.model(x)), layer).attribute(
            clip.clone().requires_grad_(), relu_attributions=True
        )
        mine = cam(stage.x_BCTHW, gradient)
        assert mine.abs().max() > 0
        assert_close(mine.reshape(reference.shape), reference.detach(), rtol=1e-4, atol=1e-7)


def test_pathways_apart_sum_to_the_whole_and_sit_at_their_own_frames():
    tested, clip = lively("slowfast"), noise(frames=16)
    apart = GradCAM().by_pathway(tested, clip)
    assert list(apart) == ["slow", "fast"]
    assert_close(apart["slow"] + apart["fast"], GradCAM().relevance(tested, clip))
    slow_BT = apart["slow"].sum(dim=(2, 3))
    assert all(slow_BT[:, group].std(dim=1).max() < 1e-6 for group in (slice(0, 3), slice(3, 8), slice(8, 13)))
    assert list(GradCAM().by_pathway(lively("vit"), clip)) == ["all"]


def test_by_hand():
    """Two channels over a map of 1 x 1 x 2: weights 3 and -1 are the means of their gradients."""
    x = torch.tensor([[[[[1.0, 2.0]]], [[[5.0, 4.0]]]]])
    gradient = torch.tensor([[[[[2.0, 4.0]]], [[[-2.0, 0.0]]]]])
    assert cam(x, gradient).tolist() == [[[[0.0, 2.0]]]]  # 3*1 - 5 < 0, 3*2 - 4


def test_the_last_map_of_a_class_token_model_is_the_one_its_class_token_still_reads():
    for model in ("vit", "convit", "timesformer", "vivit"):
        tested = lively(model)
        logits, inside = look_inside(tested, noise())
        stages = list(inside.features.values())
        used = last_stages(tested.model, inside)["all"]
        assert used is stages[-2]
        wanted = [used.x_BCTHW, stages[-1].x_BCTHW]
        counts, not_read = torch.autograd.grad(top_grade(logits).sum(), wanted, allow_unused=True)
        assert counts.abs().max() > 0 and (not_read is None or not_read.abs().max() == 0)


def test_a_common_change_of_all_logits_is_no_part_of_the_answer():
    logits = torch.tensor([[1.0, 3.0, 2.0]], requires_grad=True)
    (gradient,) = torch.autograd.grad(top_grade(logits).sum(), logits)
    assert gradient.sum().abs() < 1e-6 and gradient.argmax() == 1
