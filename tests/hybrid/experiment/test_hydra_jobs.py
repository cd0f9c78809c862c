from shutil import copytree

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from support import ROOT, quick_overrides

from hybrid import list_models
from hybrid.config import processors, register_schemas
from hybrid.errors import UserError
from hybrid.experiment.hydra_jobs import asked_runs, composed, jobs_at_a_time


@pytest.fixture
def asked(tmp_path, small_dataset):
    register_schemas()
    fixed = quick_overrides(small_dataset, tmp_path)
    return lambda *overrides: asked_runs(ROOT / "configs", "benchmark", [*fixed, *overrides])


def keys(configs):
    return [(config.model.name, config.repeat, config.fold) for config in configs]


def test_by_default_every_fold_and_repeat_of_every_model_is_asked_for(asked):
    runs = keys(asked("protocol.repeats=2"))
    models = list(dict.fromkeys(model for model, _, _ in runs))
    assert "hybrid" in models and len(models) > 3
    assert runs == [(model, repeat, fold) for model in models for repeat in (0, 1) for fold in (0, 1)]


def test_the_command_line_narrows_the_sweep(asked):
    assert keys(asked("model=hybrid,vgg16", "fold=1")) == [("hybrid", 0, 1), ("vgg16", 0, 1)]
    assert keys(asked("model=hybrid", "fold=range(0,2)")) == [("hybrid", 0, 0), ("hybrid", 0, 1)]


def test_what_a_model_brings_comes_with_it(asked):
    slowfast, vit = asked("model=slowfast,vit", "fold=0")
    assert slowfast.model.recipe != vit.model.recipe


def test_sweeping_anything_else_is_refused(asked):
    with pytest.raises(UserError, match="swept over model, repeat, fold alone"):
        asked("protocol.epochs=1,2")


def test_a_choice_is_given_once(asked):
    with pytest.raises(UserError, match="model is given twice"):
        asked("model=vgg16", "model=hybrid")


@pytest.mark.parametrize("word", ["model=vgg16,hybrid,vgg16", "fold=0,1,0"])
def test_a_value_is_given_once(asked, word):
    with pytest.raises(UserError, match="is given twice"):
        asked(word)


def test_two_models_cannot_be_one_arm(asked):
    with pytest.raises(UserError, match="vgg16, hybrid cannot share it"):
        asked("model=vgg16,hybrid", "arm=both")
    assert asked("model=vgg16", "arm=alone", "fold=0")[0].arm == "alone"


@pytest.mark.parametrize("typo", ["protocl=smoke", "protocol.epocs=3", "model=hybrd", "protocol.epochs=many"])
def test_typos_are_refused_by_name(asked, typo):
    with pytest.raises(UserError, match=typo.split("=")[0].split(".")[-1]):
        asked(typo)


@pytest.mark.parametrize("asked, at_a_time", [(3, 3), (-1, processors()), (-999, 1)])
def test_jobs_at_a_time_are_those_of_joblib(asked, at_a_time):
    launcher = OmegaConf.create({"hydra": {"launcher": {"n_jobs": asked}}})
    assert jobs_at_a_time(launcher) == at_a_time
    assert jobs_at_a_time(OmegaConf.create({"hydra": {"launcher": {}}})) == 1
    with pytest.raises(UserError, match="n_jobs must be 1 or more, or -1"):
        jobs_at_a_time(OmegaConf.create({"hydra": {"launcher": {"n_jobs": 0}}}))


@pytest.mark.parametrize("group", ["model", "recipe", "protocol", "data", "logger"])
def test_the_file_of_a_choice_is_held_to_the_schema(tmp_path, group):
    register_schemas()
    copytree(ROOT / "configs", configs := tmp_path / "configs")
    for path in (configs / group).glob("*.yaml"):
        path.write_text(path.read_text() + "typo: 1\n")
    with pytest.raises(UserError, match="Key 'typo' not in"):
        composed(configs, "train", [])


@pytest.mark.parametrize("model", [*list_models(controls=True), *list_models("frozen")])
def test_a_configuration_is_hydras_own_though_its_groups_are_not_read(model):
    register_schemas()
    words = [f"model={model}", "protocol=authors"]
    with initialize_config_dir(str(ROOT / "configs"), version_base="1.3"):
        expected = compose("benchmark", words)
    assert OmegaConf.to_yaml(composed(ROOT / "configs", "benchmark", words)) == OmegaConf.to_yaml(expected)


def test_what_is_set_in_hydras_part_is_read_and_refused_as_ever():
    register_schemas()
    words = ["hydra/launcher=side_by_side", "hydra.launcher.n_jobs=2"]
    assert composed(ROOT / "configs", "benchmark", words) == composed(ROOT / "configs", "benchmark", [])
    for word in ("hydra/launcher=none_such", "hydra.none_such=1"):
        with pytest.raises(UserError, match="none_such"):
            composed(ROOT / "configs", "benchmark", [word])


def test_no_jobs_at_a_time_are_refused_with_the_launcher_that_takes_a_number(asked):
    assert asked("hydra/launcher=basic", "model=vgg16") and asked("hydra/launcher=side_by_side", "model=vgg16")
    with pytest.raises(UserError, match="n_jobs must be 1 or more, or -1"):
        asked("hydra/launcher=side_by_side", "hydra.launcher.n_jobs=0", "model=vgg16")
