"""Each switch changes what its help says, and leaves the rest alone."""

from dataclasses import fields

import pytest
import torch
from support import FIRST_DESIGN

from hybrid import create_model
from hybrid.model.options import HybridOptions

CHANGES = {
    "frame_mixer": "frames.",
    "glimpse": "frames.glimpse.",
    "stages": "temporal.",
    "mixer": "temporal.",
    "scope": "temporal.",
    "window": "nothing",
    "keys": "nothing",
    "positions": ".positions.",
    "init": ".leave.",
    "mlp": ".think.",
    "laterals": "multipathway_fusion",
    "head": "attentive.",
    "classifier": "net.blocks.6.proj.",
}
"""by axis, what stands in the names of the parameters that it may change"""


def others():
    """Every value of every axis that is not its default."""
    return [
        pytest.param(axis.name, value, id=f"{axis.name}={value}")
        for axis in fields(HybridOptions)
        for value in axis.metadata["values"]
        if value != (FIRST_DESIGN | {"frame_mixer": "attention"}).get(axis.name, axis.default)
    ]


def test_every_switch_has_a_sentence_of_help_and_a_default_that_is_allowed():
    for axis in fields(HybridOptions):
        assert len(axis.metadata["help"].split()) >= 5
        assert not axis.metadata["values"] or axis.default in axis.metadata["values"]
    assert set(CHANGES) == {axis.name for axis in fields(HybridOptions) if axis.metadata["values"]}


def seeded(size="tiny", **options):
    """Of the first design with the part over frames, too."""
    torch.manual_seed(7)
    both = FIRST_DESIGN | {"frame_mixer": "attention"}
    return create_model("hybrid", size, **both | options).state_dict()


@pytest.mark.parametrize(("axis", "value"), others())
def test_under_one_seed_a_switch_changes_no_parameters_but_its_own(axis, value):
    default, changed = seeded(), seeded(**{axis: value})
    mine = CHANGES[axis]
    assert {key for key in default if mine not in key} == {key for key in changed if mine not in key}
    for key in default.keys() & changed.keys():
        if mine not in key or axis == "stages":  # a stage's branch is the same whatever other stages have one
            assert torch.equal(default[key], changed[key]), key


@pytest.mark.parametrize(
    "options", [dict(width=32), dict(heads=2), dict(drop_path=0.5), dict(drop_pathway=0.5)], ids=str
)
def test_numbers_leave_the_rest_alone_too(options):
    default, changed = seeded(), seeded(**options)
    assert default.keys() == changed.keys()
    assert all(torch.equal(default[key], changed[key]) for key in default if "temporal." not in key)


@pytest.mark.parametrize("size", ["tiny", "paper"])
@pytest.mark.parametrize("mixer", ["conv3", "conv9", "shift"])
def test_every_mixer_has_as_many_parameters_as_attention_within_a_tenth(size, mixer):
    with torch.device("meta"):
        attention, other = (
            create_model("hybrid", size, stages="res4-5", mixer=name).temporal for name in ("attention", mixer)
        )
    for stage in ("res4", "res5"):
        numbers = [sum(p.numel() for p in branches[stage].parameters()) for branches in (attention, other)]
        assert 0.9 < numbers[1] / numbers[0] < 1.1
