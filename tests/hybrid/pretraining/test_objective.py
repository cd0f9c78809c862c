import numpy as np
import pytest
import torch

from hybrid.data.transforms import IDENTITY, AugmentParams
from hybrid.model.frame_values import FRAME_VALUES, QUANTITIES, columns_of
from hybrid.pretraining.attributes import Attributes
from hybrid.pretraining.module import WITHIN, Objective, Scale, split

ATTRIBUTES = Attributes("dense", num_frames=8, frame_rate=8)
MEASURED, CHOSEN = len(ATTRIBUTES.measured), len(ATTRIBUTES.choices)


def made_up(number: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    codes_NC = rng.integers(3, size=(number, CHOSEN))
    measured_NM = rng.uniform(1, 2, (number, MEASURED))
    column = list(ATTRIBUTES.measured).index("event_first")
    measured_NM[:, column] = np.where(codes_NC[:, -1] == 0, np.nan, 3 + rng.normal(size=number))
    of_clip = rng.normal(size=(number, 1, len(FRAME_VALUES))) * np.linspace(1, 3, len(FRAME_VALUES))
    frames_NTD = of_clip + rng.normal(size=(number, 8, len(FRAME_VALUES)))
    return np.concatenate([measured_NM, codes_NC, frames_NTD.reshape(number, -1)], axis=1).astype(np.float32)


@pytest.fixture
def values_NV():
    return made_up(400)


@pytest.fixture
def objective(values_NV):
    return Objective(ATTRIBUTES, Scale.of(ATTRIBUTES, values_NV))


def answers(objective, values_NV, frames_NTD):
    """All that is of the clip, as well as it can be told, and these for its frames."""
    measured_NM, codes_NC, _ = split(ATTRIBUTES, torch.as_tensor(values_NV))
    measured_NM = ((measured_NM - objective.centre) / objective.spread).clamp(-3, 3).nan_to_num(7.0)
    chosen = [
        50.0 * torch.nn.functional.one_hot(codes_NC[:, c].long(), len(choice.classes))
        for c, choice in enumerate(ATTRIBUTES.choices)
    ]
    return torch.cat([measured_NM, *chosen, frames_NTD.flatten(1)], dim=1)


def wanted_frames(objective, values_NV):
    return objective.frames_wanted(split(ATTRIBUTES, torch.as_tensor(values_NV))[2])


def test_knowing_nothing_of_a_clip_is_1_and_all_is_0(objective, values_NV):
    shares = []
    for code_N, choice in zip(split(ATTRIBUTES, values_NV)[1].T, ATTRIBUTES.choices, strict=True):
        share = np.bincount(code_N.astype(int), minlength=len(choice.classes)) / len(values_NV)
        shares.append(torch.log(torch.as_tensor(share + 1e-9).float()))
    usual = torch.cat([torch.zeros(MEASURED), *shares, torch.zeros(8 * len(FRAME_VALUES))]).expand(400, -1)
    nothing = objective(usual, torch.as_tensor(values_NV))
    assert list(nothing)[:8] == ["casa", "form", "texture", "motion", "event", "relations", "frames", "all"]
    for group, error in nothing.items():
        assert float(error) == pytest.approx(1, abs=0.06), group
    known_all = answers(objective, values_NV, wanted_frames(objective, values_NV))
    for group, error in objective(known_all, torch.as_tensor(values_NV)).items():
        assert float(error) == pytest.approx(0, abs=1e-4), group


def test_a_clips_mean_is_no_answer_for_its_frames(objective, values_NV):
    mean_NTD = wanted_frames(objective, values_NV).mean(1, keepdim=True).expand(-1, 8, -1)
    errors = objective(answers(objective, values_NV, mean_NTD), torch.as_tensor(values_NV))
    for quantity in QUANTITIES:
        assert float(errors[f"within_{quantity}"]) == pytest.approx(1, abs=0.06)
    assert float(errors["frames"]) == pytest.approx(WITHIN, abs=0.05)


def test_the_frames_error_by_hand():
    """A bend that is wrong by 1 in every frame is wrong between clips alone, one that is wrong in one frame in both."""
    ones = (1.0,) * len(FRAME_VALUES)
    scale = Scale((0.0,) * MEASURED, (1.0,) * MEASURED, (1.0,) * CHOSEN, (0.0,) * len(ones), ones, (0.2,) * len(ones))
    objective, (bend,) = Objective(ATTRIBUTES, scale), columns_of("bend")
    wrong_BTD = torch.zeros(1, 8, len(ones))
    wrong_BTD[:, :, bend] = 1
    error, within = objective.errors_of_frames(wrong_BTD, torch.zeros_like(wrong_BTD))
    assert float(within["within_bend"]) == 0
    assert float(error) == pytest.approx((1 - WITHIN) * 1 / 0.8 / len(QUANTITIES))
    wrong_BTD[:, 1:, bend] = 0
    error, within = objective.errors_of_frames(wrong_BTD, torch.zeros_like(wrong_BTD))
    assert float(within["within_bend"]) == pytest.approx((1 / 8 - 1 / 64) / 0.2)
    between = 1 / 64 / 0.8
    inside = (1 / 8 - 1 / 64) / 0.2
    assert float(error) == pytest.approx(((1 - WITHIN) * between + WITHIN * inside) / len(QUANTITIES))


def test_texture_relations_and_frames_weigh_three_times_as_much(objective, values_NV):
    errors = objective(torch.randn(400, objective.num_outputs + 8 * len(FRAME_VALUES)), torch.as_tensor(values_NV))
    of = {group: float(error) for group, error in errors.items()}
    rest = sum(of[group] for group in ("casa", "form", "motion", "event"))
    heavy = of["texture"] + of["relations"] + of["frames"]
    assert of["all"] == pytest.approx((rest + 3 * heavy) / 13, rel=1e-5)
    kinds = [of[f"relations_{kind}"] for kind in ATTRIBUTES.relations]
    assert of["relations"] == pytest.approx(np.mean(kinds), rel=1e-5)


def test_what_does_not_apply_has_no_error_and_no_gradient(objective, values_NV):
    column = list(ATTRIBUTES.measured).index("event_first")
    absent = torch.as_tensor(np.isnan(values_NV[:, column]))
    assert absent.any() and not absent.all()
    outputs_BO = torch.zeros(400, objective.num_outputs + 8 * len(FRAME_VALUES), requires_grad=True)
    objective(outputs_BO, torch.as_tensor(values_NV))["all"].backward()
    has_gradient = outputs_BO.grad[:, column] != 0
    assert not (has_gradient & absent).any() and has_gradient.any()
    without = torch.as_tensor(values_NV)[absent]
    errors = objective(outputs_BO.detach()[: len(without)], without)
    assert all(error.isfinite() for error in errors.values())


def test_a_view_changes_frames_alone(objective, values_NV):
    values_BV = torch.as_tensor(values_NV[:2])
    seen = objective.as_seen(values_BV, [IDENTITY, AugmentParams(True, 0, (3, 1), 1.1, 0.1)], side=64)
    torch.testing.assert_close(seen[0], values_BV[0], equal_nan=True)
    of_clip = MEASURED + CHOSEN
    torch.testing.assert_close(seen[1, :of_clip], values_BV[1, :of_clip], equal_nan=True)
    was, now = (dict(zip(FRAME_VALUES, split(ATTRIBUTES, x)[2][1].T, strict=True)) for x in (values_BV, seen))
    torch.testing.assert_close(now["velocity_x"], -was["velocity_x"])
    torch.testing.assert_close(now["velocity_y"], was["velocity_y"])
    torch.testing.assert_close(now["head_x"], -was["head_x"] + 1 / 32)  # a shift is (down, right)
    torch.testing.assert_close(now["head_y"], was["head_y"] + 3 / 32)
    torch.testing.assert_close(now["bend"], -was["bend"])


def test_columns_that_never_vary_or_are_never_there_do_no_harm():
    values_NV = made_up(3)
    values_NV[:] = values_NV[0]
    values_NV[:, list(ATTRIBUTES.measured).index("event_first")] = np.nan
    values_NV[:, MEASURED + CHOSEN :] = 0.5
    objective = Objective(ATTRIBUTES, Scale.of(ATTRIBUTES, values_NV))
    outputs_BO = torch.zeros(3, objective.num_outputs + 8 * len(FRAME_VALUES))
    assert all(error.isfinite() for error in objective(outputs_BO, torch.as_tensor(values_NV)).values())
