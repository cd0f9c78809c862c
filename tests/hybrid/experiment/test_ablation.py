"""The files of configs/ablation/, and what a wrong one is told."""

from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from support import ROOT

from hybrid.config import RecipeConfig, register_schemas
from hybrid.errors import UserError
from hybrid.evaluation.ablation import JOINT, Arm, arms_of
from hybrid.experiment.ablation import choose, read_ablations, spelled_out
from hybrid.experiment.sweep import composed
from hybrid.files import write_text
from hybrid.model.options import HybridOptions
from hybrid.training.build import check_model

CONFIGS = ROOT / "configs"
OURS = read_ablations(CONFIGS)
OF_PAPER = ("published", "frozen_published")
"""which vary weights that are published, of the paper's size"""
SIMPLE = [ablation for ablation in OURS.values() if not ablation.factors]


@pytest.fixture
def read(tmp_path):
    """`read(window={...}, ...)`: the ablations of these files."""

    def write(**files):
        (tmp_path / "ablation").mkdir(exist_ok=True)
        for name, content in files.items():
            (tmp_path / "ablation" / f"{name}.yaml").write_text(yaml.safe_dump(content))
        return read_ablations(tmp_path)

    return write


WINDOW = {"help": "How far.", "key": "model.options.window", "default": "global", "values": [3, 5]}
ORDER = {"help": "When.", "default": "seconds", "values": {"no-order": ["+a.b=none"], "order": "+a.b=index"}}


def test_a_list_of_values_makes_an_arm_of_each(read):
    window = read(window=WINDOW)["window"]
    assert window.default == Arm("", "global")
    assert window.arms == (
        Arm("window-3", "3", ("++model.options.window=3",)),
        Arm("window-5", "5", ("++model.options.window=5",)),
    )


def test_values_are_written_as_hydra_reads_them(read):
    laterals = read(laterals=WINDOW | {"default": True, "values": [False, 0.5]})["laterals"]
    assert laterals.default.shown == "true"
    assert [arm.label for arm in laterals.arms] == ["laterals-false", "laterals-0.5"]


def test_a_factorial_combines_the_arms_of_others_under_their_labels(read):
    both = read(window=WINDOW, order=ORDER, both={"help": "Both.", "factors": ["window", "order"]})["both"]
    assert both.default.shown == "window global, order seconds" and both.factors == ("window", "order")
    settings = {arm.label: arm.settings for arm in both.arms}
    assert list(settings) == [
        "no-order", "order",
        "window-3", "window-3+no-order", "window-3+order",
        "window-5", "window-5+no-order", "window-5+order",
    ]  # fmt: skip
    assert settings["window-5+order"] == ("++model.options.window=5", "+a.b=index")


def test_an_ablation_may_add_to_an_arm_of_another(read):
    of = read(order=ORDER, window=WINDOW | {"against": "order", "default": "global"})["window"]
    assert of.default == Arm("order", "global", ("+a.b=index",))
    assert of.arms[0].settings == ("+a.b=index", "++model.options.window=3")


def test_arms_of_others_may_stand_side_by_side_under_their_labels(read):
    some = {"help": "Some.", "default": "neither", "arms": ["window-5", "order"]}
    ablations = read(window=WINDOW, order=ORDER, some=some)
    assert ablations["some"].default == Arm("", "neither")
    assert ablations["some"].arms == (
        Arm("window-5", "window-5", ("++model.options.window=5",)),
        Arm("order", "order", ("+a.b=index",)),
    )
    assert len(arms_of(ablations.values())) == 5


def test_an_arm_that_several_ask_for_is_there_once(read):
    ablations = read(window=WINDOW, order=ORDER, both={"help": "Both.", "factors": ["window", "order"]})
    assert [arm.label for arm in arms_of(ablations.values())] == [
        "", "no-order", "order", "window-3", "window-5",
        "window-3+no-order", "window-3+order", "window-5+no-order", "window-5+order",
    ]  # fmt: skip


def test_all_are_all_but_the_factorials(read):
    ablations = read(window=WINDOW, order=ORDER, both={"help": "Both.", "factors": ["window", "order"]})
    assert [a.name for a in choose(ablations, ["all"])] == ["order", "window"]
    assert [a.name for a in choose(ablations, ["both", "all", "window"])] == ["both", "order", "window"]
    with pytest.raises(UserError, match="no ablation is named 'windw'; there are: all, order, window, both"):
        choose(ablations, ["windw"])


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"window": WINDOW | {"vals": [3]}}, "window.yaml: .*vals"),
        ({"window": {"key": "a", "values": [3]}}, "window.yaml: .*help"),
        ({"window": {"help": "How far.", "values": [3]}}, "needs key and a list of values, or values by label"),
        ({"window": WINDOW | {"factors": ["window"]}}, "needs key and a list of values, or values by label"),
        ({"window": WINDOW | {"arms": ["window-3"]}}, "needs key and a list of values, or values by label, or arms"),
        ({"some": {"help": "Some.", "arms": ["window-3"]}}, "'some': 'window-3' is no arm of an ablation"),
        (
            {"window": WINDOW | {"against": "order"}, "order": ORDER, "some": {"help": "Some.", "arms": ["window-3"]}},
            "'some': 'window-3' is no arm of an ablation whose default is the model's own",
        ),
        ({"both": {"help": "Both.", "factors": ["window"]}}, "factor 'window' is no ablation"),
        ({"window": WINDOW | {"against": "nothing"}}, "against 'nothing', which is no arm"),
        ({"a": ORDER, "b": ORDER | {"values": {"order": "+a.b=other"}}}, "other settings for 'order'"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(read, files, message):
    with pytest.raises(UserError, match=message):
        read(**files)


def test_a_label_brings_its_settings_wherever_it_is_given(read, tmp_path):
    read(window=WINDOW, order=ORDER)
    assert spelled_out(tmp_path, ["arm=window-5", "fold=1"]) == ["arm=window-5", "fold=1", "++model.options.window=5"]
    assert spelled_out(tmp_path, ["arm=mine", "fold=1"]) == ["arm=mine", "fold=1"]
    assert spelled_out(tmp_path / "nowhere", ["fold=1"]) == ["fold=1"]


@pytest.mark.parametrize("ablation", OURS.values(), ids=OURS)
def test_ours_explain_themselves_in_a_sentence(ablation):
    assert ablation.help.endswith(".") and ablation.help[0].isupper() and "\n" not in ablation.help
    assert ablation.default.shown not in ("", "None") and len(ablation.arms) >= 1


def test_no_two_arms_of_ours_are_the_same_settings():
    settings = [frozenset(arm.settings) for arm in arms_of(SIMPLE)]
    assert len(set(settings)) == len(settings)


@pytest.mark.parametrize("switch", fields(HybridOptions), ids=lambda switch: switch.name)
def test_every_switch_of_the_hybrid_is_ablated_with_all_its_values(switch):
    key = f"++model.options.{switch.name}="
    varied = {word.removeprefix(key) for arm in arms_of(SIMPLE) for word in arm.settings if word.startswith(key)}
    others = {str(value).lower() for value in switch.metadata["values"]} - {str(switch.default).lower()}
    assert varied == others if others else varied


DEFAULTS = {f"model.options.{switch.name}": switch.default for switch in fields(HybridOptions)}
DEFAULTS |= {f"model.recipe.{part.name}": part.default for part in fields(RecipeConfig)}


@pytest.mark.parametrize("ablation", SIMPLE, ids=lambda ablation: ablation.name)
def test_the_default_is_said_to_be_what_it_is(ablation):
    keys = {word.lstrip("+").partition("=")[0] for arm in ablation.arms for word in arm.settings}
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
        config = composed(CONFIGS, "ablate", [*shared, *arm.settings, f"arm={arm.label}"])
        if config.model.pretrained not in ("none", "official"):
            write_text(Path(config.model.pretrained), "weights that somebody has trained")
        check_model(config)
