"""The table of ablations, and its arms as Hydra composes them."""

from dataclasses import fields
from pathlib import Path

import pytest
from support import FIRST_DESIGN, ROOT

from hybrid.config import RecipeConfig, register_schemas
from hybrid.errors import UserError
from hybrid.evaluation.ablation import JOINT, Arm, arms_of
from hybrid.experiment.ablate import choose
from hybrid.experiment.ablation import axis, factorial, gathered, table, variants
from hybrid.experiment.arms import ABLATIONS as OURS
from hybrid.experiment.hydra_jobs import composed
from hybrid.files import write_text
from hybrid.model.options import HybridOptions
from hybrid.training.build import check_model

CONFIGS = ROOT / "configs"
OF_PAPER = ("published", "frozen_published")
"""which vary weights that are published, of the paper's size"""
SIMPLE = [ablation for ablation in OURS.values() if not ablation.factors]


WINDOW = axis("window", "How far.", "model.options.window", "global", [3, 5])
ORDER = variants("order", "When.", "seconds", {"no-order": "a.b=none", "order": "a.b=index"})


def test_a_list_of_values_makes_an_arm_of_each():
    assert WINDOW.default == Arm("", "global")
    assert WINDOW.arms == (
        Arm("window-3", "3", ("model.options.window=3",)),
        Arm("window-5", "5", ("model.options.window=5",)),
    )


def test_values_are_written_as_hydra_reads_them():
    laterals = axis("laterals", "Whether.", "model.options.laterals", "true", [False, 0.5])
    assert [arm.label for arm in laterals.arms] == ["laterals-false", "laterals-0.5"]


def test_a_factorial_combines_the_arms_of_others_under_their_labels():
    both = factorial("both", "Both.", WINDOW, ORDER)
    assert both.default.shown == "window global, order seconds" and both.factors == ("window", "order")
    settings = {arm.label: arm.settings for arm in both.arms}
    assert list(settings) == [
        "no-order", "order",
        "window-3", "window-3+no-order", "window-3+order",
        "window-5", "window-5+no-order", "window-5+order",
    ]  # fmt: skip
    assert settings["window-5+order"] == ("model.options.window=5", "a.b=index")


def test_an_ablation_may_add_to_an_arm_of_another():
    of = table(ORDER, axis("window", "How far.", "model.options.window", "global", [3, 5], against="order"))["window"]
    assert of.default == Arm("order", "global", ("a.b=index",))
    assert of.arms[0].settings == ("a.b=index", "model.options.window=3")


def test_arms_of_others_may_stand_side_by_side_under_their_labels():
    of_one_axis = table(WINDOW, ORDER)
    some = gathered("some", "Some.", "neither", ["window-5", "order"], of_one_axis)
    assert some.default == Arm("", "neither")
    assert some.arms == (
        Arm("window-5", "window-5", ("model.options.window=5",)),
        Arm("order", "order", ("a.b=index",)),
    )
    assert len(arms_of([*of_one_axis.values(), some])) == 5


def test_an_arm_that_several_ask_for_is_there_once():
    assert [arm.label for arm in arms_of([ORDER, WINDOW, factorial("both", "Both.", WINDOW, ORDER)])] == [
        "", "no-order", "order", "window-3", "window-5",
        "window-3+no-order", "window-3+order", "window-5+no-order", "window-5+order",
    ]  # fmt: skip


def test_all_are_all_but_the_factorials():
    ablations = table(ORDER, WINDOW, factorial("both", "Both.", WINDOW, ORDER))
    assert [a.name for a in choose(ablations, ["all"])] == ["order", "window"]
    assert [a.name for a in choose(ablations, ["both", "all", "window"])] == ["both", "order", "window"]
    with pytest.raises(UserError, match="no ablation is named 'windw'; there are: all, order, window, both"):
        choose(ablations, ["windw"])


def test_a_label_brings_its_settings_wherever_it_is_given():
    register_schemas()
    for name in ("train", "benchmark", "ablate", "pretrain"):
        config = composed(CONFIGS, name, ["model=slowfast", "arm=frame_mixer-conv5"])
        assert (config.arm, config.model.name) == ("frame_mixer-conv5", "slowfast")
        assert config.model.options == {"frame_mixer": "conv5"}
        assert composed(CONFIGS, name, ["arm=mine"]).arm == "mine"
        assert composed(CONFIGS, name, []).arm == "hybrid"
    assert composed(CONFIGS, "train", ["arm=window-5", "model.options.window=9"]).model.options.window == 9
    assert composed(CONFIGS, "train", ["arm=window-5"]).model.options == FIRST_DESIGN | {"window": 5}
    assert composed(CONFIGS, "train", ["arm=ensemble"]).model.name == "ensemble"
    assert composed(CONFIGS, "ablate", ["arm=pretrained"]).model.pretrained == "simulated/slowfast"


def test_a_label_has_the_same_settings_in_every_ablation():
    settings = {}
    for ablation in OURS.values():
        for arm in ablation.arms:
            assert settings.setdefault(arm.label, arm.settings) == arm.settings, arm.label


@pytest.mark.parametrize("ablation", OURS.values(), ids=OURS)
def test_ours_explain_themselves_in_a_sentence(ablation):
    assert ablation.help.endswith(".") and ablation.help[0].isupper() and "\n" not in ablation.help
    assert ablation.default.shown not in ("", "None") and len(ablation.arms) >= 1


def test_no_two_arms_of_ours_are_the_same_settings():
    settings = [frozenset(arm.settings) for arm in arms_of(SIMPLE)]
    assert len(set(settings)) == len(settings)


@pytest.mark.parametrize("switch", fields(HybridOptions), ids=lambda switch: switch.name)
def test_every_switch_of_the_hybrid_is_ablated_with_all_its_values(switch):
    key = f"model.options.{switch.name}="
    varied = {word.removeprefix(key) for arm in arms_of(SIMPLE) for word in arm.settings if word.startswith(key)}
    others = {str(value).lower() for value in switch.metadata["values"]} - {str(switch.default).lower()}
    assert varied == others if others else varied


DEFAULTS = {f"model.options.{switch.name}": switch.default for switch in fields(HybridOptions)}
DEFAULTS |= {f"model.recipe.{part.name}": part.default for part in fields(RecipeConfig)}


@pytest.mark.parametrize("ablation", SIMPLE, ids=lambda ablation: ablation.name)
def test_the_default_is_said_to_be_what_it_is(ablation):
    keys = {word.partition("=")[0] for arm in ablation.arms for word in arm.settings}
    if len(keys) == 1 and keys <= DEFAULTS.keys():  # else it is told in words
        assert ablation.default.shown == str(DEFAULTS[keys.pop()]).lower()


@pytest.mark.parametrize(
    ("ablation", "size"),
    [(name, "tiny") for name in OURS if name not in OF_PAPER] + [(name, "paper") for name in ("width", *OF_PAPER)],
)
def test_every_arm_of_ours_can_be_built(ablation, size, tmp_path):
    register_schemas()
    shared = [f"protocol={size}", "accelerator=cpu", f"runs_dir={tmp_path}"]
    for arm in OURS[ablation].arms:
        if OURS[ablation].factors and JOINT not in arm.label:
            continue  # an arm of another ablation
        config = composed(CONFIGS, "ablate", [*shared, f"arm={arm.label}"])
        if config.model.pretrained not in ("none", "official", "simulated", "simulated/slowfast"):
            write_text(Path(config.model.pretrained), "weights that somebody has trained")
        check_model(config)
