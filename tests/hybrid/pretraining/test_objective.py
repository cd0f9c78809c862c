import numpy as np
import pandas as pd
import pytest
import torch

from hybrid.data.transforms import IDENTITY, AugmentParams
from hybrid.pretraining.attributes import CHOICES, NUMBERS, Attributes
from hybrid.pretraining.module import Objective, Scale

ATTRIBUTES = Attributes("physics+events", num_frames=8, frame_rate=8)


def made_up(number: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    columns = {step: rng.normal(size=number) * 3 for step in ATTRIBUTES.steps}
    columns |= {n.column: rng.uniform(1, 2, number) for n in NUMBERS}
    columns |= {c.column: rng.choice(c.classes[:3], number) for c in CHOICES}
    columns["event_first"] = np.where(np.array(columns["event"]) == "none", -1, 3.0 + rng.normal(size=number))
    return ATTRIBUTES.values(pd.DataFrame(columns))


@pytest.fixture
def values_NV():
    return made_up(400)


@pytest.fixture
def objective(values_NV):
    return Objective(ATTRIBUTES, Scale.of(ATTRIBUTES, values_NV))


def usual(objective, values_NV, number):
    """The outputs that answer the same for every clip, and as well as that can be."""
    logits = []
    for column, choice in enumerate(ATTRIBUTES.choices, start=objective.measured):
        share = np.bincount(values_NV[:, column].astype(int), minlength=len(choice.classes)) / len(values_NV)
        logits.append(torch.log(torch.as_tensor(share + 1e-9).float()))
    return torch.cat([torch.zeros(objective.measured), *logits]).expand(number, -1)


def known_all(objective, values_NV):
    values_BV = torch.as_tensor(values_NV)
    measured = (values_BV[:, : objective.measured] - objective.centre) / objective.spread
    codes = values_BV[:, objective.measured :].long()
    choices = [
        50.0 * torch.nn.functional.one_hot(codes[:, c], len(choice.classes))
        for c, choice in enumerate(ATTRIBUTES.choices)
    ]
    return torch.cat([measured.clamp(-3, 3).nan_to_num(7.0), *choices], dim=1)


def test_knowing_nothing_of_a_clip_is_1_and_all_is_0(objective, values_NV):
    nothing = objective(usual(objective, values_NV, 400), torch.as_tensor(values_NV))
    assert set(nothing) == {"path", "casa", "form", "motion", "event", "all"}
    for group, error in nothing.items():
        assert float(error) == pytest.approx(1, abs=0.05), group
    for error in objective(known_all(objective, values_NV), torch.as_tensor(values_NV)).values():
        assert float(error) == pytest.approx(0, abs=1e-4)


def test_groups_count_alike(objective, values_NV):
    errors = objective(torch.randn(400, objective.num_outputs), torch.as_tensor(values_NV))
    groups = [float(error) for group, error in errors.items() if group != "all"]
    assert float(errors["all"]) == pytest.approx(np.mean(groups), rel=1e-5)


def test_what_does_not_apply_has_no_error_and_no_gradient(objective, values_NV):
    column = objective.measured - 2  # event_first
    absent = torch.as_tensor(np.isnan(values_NV[:, column]))
    assert absent.any() and not absent.all()
    outputs_BD = torch.zeros(400, objective.num_outputs, requires_grad=True)
    objective(outputs_BD, torch.as_tensor(values_NV))["all"].backward()
    has_gradient = outputs_BD.grad[:, column] != 0
    assert not (has_gradient & absent).any() and has_gradient.any()
    without = torch.as_tensor(values_NV)[absent]
    errors = objective(torch.zeros(len(without), objective.num_outputs), without)
    assert all(error.isfinite() for error in errors.values())


def test_a_view_turns_the_path_alone(objective, values_NV):
    values_BV = torch.as_tensor(values_NV[:2])
    seen = objective.as_seen(values_BV, [IDENTITY, AugmentParams(True, 0, (3, 1), 1.1, 0.1)])
    torch.testing.assert_close(seen[0], values_BV[0], equal_nan=True)
    torch.testing.assert_close(seen[1, objective.steps :], values_BV[1, objective.steps :], equal_nan=True)
    torch.testing.assert_close(seen[1, : objective.steps : 2], -values_BV[1, : objective.steps : 2])
    torch.testing.assert_close(seen[1, 1 : objective.steps : 2], values_BV[1, 1 : objective.steps : 2])


def test_columns_that_never_vary_or_are_never_there_do_no_harm():
    values_NV = made_up(3)
    values_NV[:] = values_NV[0]
    values_NV[:, len(ATTRIBUTES.steps) + len(ATTRIBUTES.numbers) - 1] = np.nan
    objective = Objective(ATTRIBUTES, Scale.of(ATTRIBUTES, values_NV))
    errors = objective(torch.zeros(3, objective.num_outputs), torch.as_tensor(values_NV))
    assert all(error.isfinite() for error in errors.values())
