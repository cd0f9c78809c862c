"""Text is taken as it is typed, in every schema; a name that does not exist is met by one that does."""

from pathlib import Path

import pytest
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from support import ROOT, quick_overrides, write_dataset

from hybrid.config import PretrainConfig, TrainConfig, register_schemas
from hybrid.errors import UserError
from hybrid.experiment.benchmark import run_benchmark
from hybrid.experiment.hydra_jobs import asked_runs, command_line, composed
from hybrid.experiment.overrides import settings_of, typed
from hybrid.simulator.settings import SimulateConfig

CONFIGS = ROOT / "configs"
AS_TYPED = [
    "/data/Müller Labor (2024)",
    "2024_05",
    "1e3",
    "精子",
    "née",
    "it's",
    'say "it"',
    "a=b",
    "a,b",
    "my clips (old)",
    "[new]",
    "{new}",
    "epoch=9-step=80.ckpt",
    "C:\\clips\\",
    "'",
    "true",
    "#1;2&3",
]


@pytest.mark.parametrize("schema", [TrainConfig, PretrainConfig, SimulateConfig])
@pytest.mark.parametrize("text", AS_TYPED)
def test_text_is_taken_as_it_is_typed_by_every_setting_that_is_text(schema, text):
    keys = [key for key, kind in settings_of(schema).items() if kind is str and key not in ("arm", "model.name")]
    assert len(keys) >= 2
    overrides = typed([f"{key}={text}" for key in keys], schema, CONFIGS)
    assert overrides == typed(overrides, schema, CONFIGS), "what is quoted stays so"
    parsed = OverridesParser.create().parse_overrides(overrides)
    assert [override.value() for override in parsed] == [text] * len(keys)
    again = [f"{override.get_key_element()}={override.get_value_element_as_str()}" for override in parsed]
    assert [override.value() for override in OverridesParser.create().parse_overrides(again)] == [text] * len(keys)


@pytest.mark.parametrize("word", ["data.root=", "runs_dir=", "logger.entity=", "data.root=''", 'experiment=""'])
def test_text_that_is_empty_is_refused(word):
    with pytest.raises(UserError, match=f"{word.partition('=')[0]} is empty: was a variable of the shell not set?"):
        typed([word], TrainConfig, CONFIGS)


def test_a_decimal_comma_is_met_by_the_number_with_a_point():
    with pytest.raises(UserError, match="protocol.frame_rate=16,5: write protocol.frame_rate=16.5, with a point"):
        typed(["protocol.frame_rate=16,5"], TrainConfig, CONFIGS)
    swept = ["-m", "protocol.frame_rate=16,8"]
    assert typed(swept, TrainConfig, CONFIGS) == swept


def test_a_benchmark_runs_on_a_data_set_of_any_name(tmp_path, monkeypatch):
    """Through the launcher, which hands the settings on as words once more."""
    register_schemas()
    monkeypatch.setenv("HOME", str(tmp_path))
    name = "Müller's [new], a=b (2024) 精子"
    write_dataset(tmp_path / name)
    settings = [*quick_overrides(Path("~") / name, tmp_path), "hydra/launcher=basic", "experiment=1e3"]
    told = []
    status = run_benchmark(
        CONFIGS, "benchmark", [*settings, "model=vgg16", "fold=0"], lambda folder: told.append(folder)
    )
    assert status == 0 and told[0].path == tmp_path / "runs" / "1e3"


def test_a_home_and_references_are_found(monkeypatch):
    register_schemas()
    monkeypatch.setenv("HOME", "/home/someone")
    settings = ["data=folder", "data.root=~/clips", "experiment=${protocol.name}-x", "logger.entity=null"]
    config = composed(CONFIGS, "train", typed(settings, TrainConfig, CONFIGS))
    assert (config.data.root, config.experiment, config.logger.entity) == ("/home/someone/clips", "quick-x", None)


def test_models_and_folds_are_still_swept_and_a_label_may_look_like_a_number():
    register_schemas()
    settings = typed(["model=vgg16,slowfast", "fold=0,1", "experiment=x"], TrainConfig, CONFIGS)
    assert len(asked_runs(CONFIGS, "benchmark", settings)) == 4
    settings = command_line(CONFIGS, "train", TrainConfig, ["-m", "model=vgg16,vit", "model.recipe.loss=mse,kl"])
    assert OverridesParser.create().parse_overrides(settings[1:])[1].is_sweep_override()
    assert composed(CONFIGS, "train", command_line(CONFIGS, "train", TrainConfig, ["arm=1e3"])).arm == "1e3"


def test_an_option_of_a_model_needs_no_plus():
    register_schemas()
    for setting in ("model.options.window=5", "+model.options.window=5"):
        config = composed(CONFIGS, "train", typed([setting], TrainConfig, CONFIGS))
        assert config.model.options == {"window": 5}


@pytest.mark.parametrize(
    "setting, message",
    [
        ("lr=1e-4", "did you mean model.recipe.learning_rate?"),
        ("epochs=3", "did you mean protocol.epochs?"),
        ("pretrained=official", "did you mean model.pretrained or protocol.pretrained?"),
        ("protocl=smoke", "did you mean protocol?"),
        ("folds=3", "did you mean protocol.folds?"),
        ("+xyzzy=1", "there is no setting 'xyzzy'; --help lists them"),
        ("model=hybird", "did you mean hybrid?"),
        ("protocol=big", "there is no protocol 'big'; there are authors, paper, probe, quick, smoke, tiny"),
        ("model", "a setting is given as key=value"),
        ("model=VGG16", "did you mean vgg16?"),
        ("model=vgg16,", "model=vgg16,: ends in a comma; several values are written without spaces"),
        ("fold=0,", "ends in a comma"),
        ("data=/my/path", "a data set of your own is data=folder data.root=/my/path"),
        ("weights=official", "there are continued, fresh, pretraining"),
        ("weights=official", "model.pretrained=official takes any other"),
        ("model.name=hybrid", "a model is chosen with its recipe, by model=hybrid"),
        ("recipe=probe", "recipe=... chooses nothing in this program"),
        ("network=authors", "there is no setting 'network'"),
        ("--epochs=3", "--epochs=3: settings are written without dashes: protocol.epochs=3"),
        ("--batch-size=3", "without dashes: protocol.batch_size=3"),
        ("--model=hybrid", "without dashes: model=hybrid"),
        ("--pretrained=x", "without dashes: model.pretrained=x or protocol.pretrained=x"),
        ("--xyzzy", "without dashes: key=value; --help lists them"),
        ("--multirnu", "did you mean --multirun?"),
        ("arm=windw-5", "did you mean window-5?"),
        ("protocol.epochs=many", "protocol.epochs must be a whole number, not many"),
        ("protocol.frame_rate=x", "protocol.frame_rate must be a number, not x"),
        ("allow_leak=perhaps", "allow_leak must be true or false, not perhaps"),
        ("protocol.epochs=null", "protocol.epochs must have a value"),
        ("protocol.epochs=[1", "protocol.epochs=[1: cannot be read"),
        ("data=folder", "data.root must be given: data.root=..."),
        ("experiment=${nowhere}", "experiment: ${nowhere} names no setting"),
        ("model=vgg16,vit", "model=vgg16,vit: one value at a time here"),
        ("~seed", "~seed: no setting can be taken away; give it another value: seed=..."),
        ("~model", "~model: no setting can be taken away; give it another value: model=..."),
        ("+model=vgg16", "model is chosen without a +: model=vgg16"),
        ("seed=", "seed is empty: was a variable of the shell not set?"),
        ("model=", "model is empty: was a variable of the shell not set?"),
        ("seed=１", "seed=１: cannot be read"),
        ("fold=[0]", "fold cannot be [0]"),
        ("model.recipe=3", "model.recipe holds settings of its own, and cannot be 3"),
        ("model.options={depth:3}", "model.options.depth: is given by itself: model.options.depth=..."),
        ("hydra/launcher=4", "a choice of Hydra's (hydra/...=, or with @) must be a name"),
        (f"arm={300 * 'x'}", "arm names a folder, and 255 bytes are the most there"),
    ],
)
def test_a_mistake_is_told_in_one_line(setting, message):
    register_schemas()
    with pytest.raises(UserError) as told:
        command_line(CONFIGS, "train", TrainConfig, [setting])
    assert message in str(told.value) and "\n" not in str(told.value) and "full_key" not in str(told.value)


@pytest.mark.parametrize("schema", [TrainConfig, PretrainConfig, SimulateConfig])
def test_a_program_is_started_without_a_word_of_settings(schema):
    assert typed([], schema, CONFIGS) == []


def test_a_flags_value_may_be_a_word_of_its_own():
    register_schemas()
    assert command_line(CONFIGS, "train", TrainConfig, ["--cfg", "job", "-m", "seed=1"])[:2] == ["--cfg=job", "-m"]
    with pytest.raises(UserError, match="--epochs: settings are written without dashes: protocol.epochs=3"):
        command_line(CONFIGS, "train", TrainConfig, ["--epochs", "3"])


@pytest.mark.parametrize("tool, schema", [("simulate", SimulateConfig), ("pretrain", PretrainConfig)])
def test_no_choice_is_advised_that_a_program_has_not(tool, schema):
    register_schemas()
    ConfigStore.instance().store("simulate_schema", SimulateConfig)
    with pytest.raises(UserError, match=r"weights=... chooses nothing|data=... chooses nothing") as told:
        command_line(CONFIGS, tool, schema, ["weights=fresh" if tool == "simulate" else "data=folder"])
    assert "+" not in str(told.value)


def test_a_label_that_changes_nothing_is_told_and_one_that_does_is_not(capsys):
    register_schemas()
    command_line(CONFIGS, "train", TrainConfig, ["arm=windw-5", "model.options.window=7"])
    command_line(CONFIGS, "train", TrainConfig, ["arm=window-5"])
    assert capsys.readouterr().err == ""
    command_line(CONFIGS, "train", TrainConfig, ["arm=mine"])
    assert "note: arm=mine: no ablation has an arm of this name" in capsys.readouterr().err


def test_a_setting_inside_of_what_is_null_is_named():
    register_schemas()
    words = ["data=folder", "data.root=clips", "data.simulate.preset=lag8"]
    with pytest.raises(UserError, match="data.simulate.preset=lag8: what this is to be a part of is null"):
        composed(CONFIGS, "train", typed(words, TrainConfig, CONFIGS))
