"""What options may ask for by name."""

import pytest

from hybrid.analysis.registry import ATTRIBUTIONS, GROUPS, PARTS, chosen_groups, chosen_methods
from hybrid.errors import UserError


def test_every_measure_is_in_one_group_under_its_own_name():
    names = [name for group in GROUPS for name in group.measures]
    assert len(names) == len(set(names))
    assert all(name == measure.name for group in GROUPS for name, measure in group.measures.items())
    assert set(PARTS.measures) == {f"localisation_{name}" for name in ATTRIBUTIONS}
    assert not {group.name for group in GROUPS} & set(names)


def test_groups_and_single_measures_are_chosen_by_name():
    time, parts = chosen_groups(GROUPS, ["cka", "parts", "receptive_field"])
    assert list(time.measures) == ["receptive_field", "cka"] and time.name == "time"
    assert parts.needs_masks and len(parts.measures) == len(ATTRIBUTIONS)
    assert chosen_groups(GROUPS, []) == GROUPS
    assert list(chosen_methods(ATTRIBUTIONS, ["grad_cam"])) == ["grad_cam"]
    assert chosen_methods(ATTRIBUTIONS, []) == ATTRIBUTIONS and chosen_methods(ATTRIBUTIONS, ["none"]) == {}


def test_a_name_that_is_not_there_is_explained():
    with pytest.raises(UserError, match="no measure is named 'receptive'; there are: time, .*receptive_field"):
        chosen_groups(GROUPS, ["receptive"])
    with pytest.raises(UserError, match="no method is named 'gradcam'; there are: grad_cam"):
        chosen_methods(ATTRIBUTIONS, ["gradcam"])
