import pytest

from hybrid.errors import UserError
from hybrid.files import write_json
from hybrid.folders import experiment_folder, named_experiment, run_folder


@pytest.mark.parametrize("place", ["vgg16/repeat0-fold1", "vgg16/repeat0-fold0 (copy)", "vgg16-old/repeat0-fold0"])
def test_a_run_in_anothers_folder_is_refused(config_of, place):
    run = run_folder(config_of("model=vgg16"))
    write_json(run.result, {"arm": "vgg16", "repeat": 0, "fold": 0})
    assert [result["arm"] for result in run.experiment.results()] == ["vgg16"]
    (run.experiment.path / place).parent.mkdir(exist_ok=True)
    run.path.rename(run.experiment.path / place)
    with pytest.raises(UserError, match="its result.json is of the run vgg16/repeat0-fold0; move a copy out of"):
        run.experiment.results()


@pytest.mark.parametrize("name", ["a/b", "..", ".hidden", ""])
def test_an_experiments_name_is_one_folders(config_of, name):
    config = config_of()
    config.experiment = name
    with pytest.raises(UserError, match="plain folder name"):
        experiment_folder(config)


@pytest.mark.parametrize("key", ["experiment", "arm"])
def test_a_name_that_no_folder_can_have_is_refused(config_of, key):
    config = config_of()
    config[key] = 255 * "a"
    run_folder(config)
    config[key] = 256 * "a"
    with pytest.raises(UserError, match=f"{key} names a folder, and 255 bytes are the most"):
        run_folder(config)


def test_an_arm_goes_by_its_models_name_until_it_has_a_label(config_of):
    assert run_folder(config_of("model=hybrid")).label == "hybrid/repeat0-fold0"
    assert run_folder(config_of("model=hybrid", "arm=window-3", "fold=1")).label == "window-3/repeat0-fold1"


@pytest.mark.parametrize("label", ["a/b", "..", ".hidden", "", "report", "-x", "window=3", "two words", "naïve"])
def test_an_arms_label_is_one_folders_name(config_of, label):
    config = config_of()
    config.arm = label
    with pytest.raises(UserError, match="arm must be a label"):
        run_folder(config)


def test_a_result_of_before_there_were_arms_is_of_its_folders(config_of):
    run = run_folder(config_of("model=vgg16"))
    write_json(run.result, {"model": "vgg16"})
    assert run.read_result() == {"arm": "vgg16", "model": "vgg16"}


def test_a_measure_without_a_value_is_null_in_the_file_and_nan_here(config_of):
    run = run_folder(config_of("model=vgg16"))
    write_json(run.result, {"arm": "vgg16", "metrics": {"mse": 0.1, "spearman": float("nan")}})
    assert "NaN" not in run.result.read_text()
    metrics = run.read_result()["metrics"]
    assert metrics["mse"] == 0.1 and metrics["spearman"] != metrics["spearman"]


def test_an_experiment_is_found_from_the_folders_around_it(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name / "vgg16").mkdir(parents=True)
        (tmp_path / name / "experiment.yaml").touch()
    assert named_experiment(tmp_path / "one").path == tmp_path / "one"
    with pytest.raises(UserError, match="holds experiments, and one of them must be named: one, other"):
        named_experiment(tmp_path)
    with pytest.raises(UserError, match=f"is a part of the experiment {tmp_path / 'one'}; name that"):
        named_experiment(tmp_path / "one" / "vgg16")
    with pytest.raises(UserError, match="there is no such folder"):
        named_experiment(tmp_path / "none")
