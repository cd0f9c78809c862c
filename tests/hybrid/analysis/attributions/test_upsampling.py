import pytest
import torch
from models_under_test import lively, noise
from torch.testing import assert_close

from baselines.slowfast import slow_frame_indices
from hybrid.analysis.attributions.grad_cam import frame_shares, on_clip


@pytest.mark.parametrize("model, steps, times", [("vit", 1, [0.0]), ("r3d", 2, [0.0, 0.5]), ("vivit", 4, None)])
def test_sums_are_kept(model, steps, times):
    map_BSHW = torch.rand(2, steps, 4, 4)
    times_S = torch.tensor(times) if times else (torch.arange(4) * 4 + 1.5) / 16
    on_BTHW = on_clip(map_BSHW, times_S, lively(model).model, noise(frames=16))
    assert_close(on_BTHW.sum(dim=(1, 2, 3)), map_BSHW.sum(dim=(1, 2, 3)))
    assert on_BTHW.shape == (2, 16, 64, 64)


def test_a_cell_is_spread_around_its_place():
    map_BSHW = torch.zeros(1, 16, 4, 4)
    map_BSHW[0, 5, 1, 2] = 1  # rows 16-31, columns 32-47
    on_THW = on_clip(map_BSHW, torch.arange(16) / 16, lively("timesformer").model, noise(1, 16))[0]
    assert on_THW[5].sum() == pytest.approx(1, abs=1e-5) and (on_THW.sum(dim=(1, 2)) > 0).sum() == 1
    rows, columns = torch.arange(64) + 0.5, torch.arange(64) + 0.5
    assert (on_THW[5].sum(dim=1) * rows).sum() == pytest.approx(24, abs=1e-3)
    assert (on_THW[5].sum(dim=0) * columns).sum() == pytest.approx(40, abs=1e-3)


def shares(model: str, times: list[float]) -> list[list[float]]:
    return frame_shares(torch.tensor(times), lively(model).model, 16).T.tolist()


def test_a_step_stands_for_the_frames_nearest_to_it():
    slow = [frame / 16 for frame in slow_frame_indices(16, 4).tolist()]
    first, second, third, fourth = shares("slowfast", slow)  # frames 0, 5, 10, 15
    assert first == pytest.approx([1 / 3] * 3 + [0] * 13)
    assert second == pytest.approx([0] * 3 + [1 / 5] * 5 + [0] * 8)
    assert third == pytest.approx([0] * 8 + [1 / 5] * 5 + [0] * 3)
    assert fourth == pytest.approx([0] * 13 + [1 / 3] * 3)


def test_a_tubelet_is_its_two_frames():
    steps = shares("vivit", [(2 * k + 0.5) / 16 for k in range(8)])
    for k, share in enumerate(steps):
        assert share == pytest.approx([0.5 if t // 2 == k else 0 for t in range(16)])


def test_a_frame_between_two_steps_is_half_of_each():
    early, late = shares("r3d", [0, 0.5])
    assert early == pytest.approx([1 / 4.5] * 4 + [0.5 / 4.5] + [0] * 11)
    assert late == pytest.approx([0] * 4 + [0.5 / 11.5] + [1 / 11.5] * 11)


def test_what_an_image_model_sees_is_the_first_frame():
    assert shares("vgg16", [0.0]) == [[1.0] + [0.0] * 15]
    assert shares("r3d", [0.0]) == [pytest.approx([1 / 16] * 16)], "one step left of a clip is all of it"
