from contextlib import nullcontext

import pytest
import torch
from filelock import FileLock
from omegaconf import OmegaConf

from hybrid.errors import UserError
from hybrid.files import read_yaml, write_json
from hybrid.folders import experiment_folder, run_folder
from hybrid.kept_settings import arm_settings, check_settings, record_settings, run_settings, shared_settings


def test_a_claim_names_every_difference(tmp_path):
    path = tmp_path / "experiment.yaml"
    record_settings(path, {"protocol": {"epochs": 8, "size": "tiny"}, "seed": 0}, "experiment 'x'")
    write_json(tmp_path / "slowfast" / "repeat0-fold0" / "result.json", {})
    record_settings(path, {"protocol": {"epochs": 8, "size": "tiny"}, "seed": 0}, "experiment 'x'")
    with pytest.raises(UserError) as error:
        record_settings(path, {"protocol": {"epochs": 9, "size": "tiny"}, "seed": 1}, "experiment 'x'")
    assert "protocol.epochs: 8 there, 9 asked for" in str(error.value)
    assert "seed: 0 there, 1 asked for" in str(error.value)
    assert "size" not in str(error.value)


def test_a_claim_without_a_run_behind_it_gives_way(tmp_path):
    path = tmp_path / "model.yaml"
    record_settings(path, {"options": {"varient": "r101"}}, "model 'slowfast'")
    record_settings(path, {"options": {"variant": "r101"}}, "model 'slowfast'")
    assert read_yaml(path) == {"options": {"variant": "r101"}}


def test_a_run_in_its_first_epoch_is_behind_its_claim(tmp_path):
    path, run = tmp_path / "experiment.yaml", tmp_path / "vgg16" / "repeat0-fold0"
    run.mkdir(parents=True)
    record_settings(path, {"seed": 0}, "experiment 'x'")
    with FileLock(run / ".lock"), pytest.raises(UserError, match="seed: 0 there, 1 asked for"):
        record_settings(path, {"seed": 1}, "experiment 'x'")
    record_settings(path, {"seed": 1}, "experiment 'x'")


def test_runs_behind_a_link_are_behind_their_claim(tmp_path):
    path, elsewhere = tmp_path / "e" / "experiment.yaml", tmp_path / "large_disk"
    write_json(elsewhere / "repeat0-fold0" / "result.json", {})
    record_settings(path, {"seed": 0}, "experiment 'x'")
    (tmp_path / "e" / "vgg16").symlink_to(elsewhere)
    with pytest.raises(UserError, match="seed: 0 there, 1 asked for"):
        record_settings(path, {"seed": 1}, "experiment 'x'")


def test_settings_that_are_gone_are_not_made_anew(tmp_path):
    path = tmp_path / "experiment.yaml"
    write_json(tmp_path / "vgg16" / "repeat0-fold0" / "result.json", {})
    with pytest.raises(UserError, match="experiment.yaml: is gone, and with it what experiment 'x' was made with"):
        record_settings(path, {"seed": 0}, "experiment 'x'")


@pytest.mark.parametrize("name", ["w.ckpt", "w/model.safetensors"])
def test_other_weights_under_the_same_path_make_another_arm(config_of, tmp_path, name):
    weights = tmp_path / name
    weights.parent.mkdir(exist_ok=True)
    weights.write_bytes(b"one")
    config = config_of("model=vgg16", f"model.pretrained={tmp_path / name.split('/')[0]}")
    path = experiment_folder(config).model("vgg16")
    record_settings(path, arm_settings(config), "arm 'vgg16'")
    write_json(run_folder(config).result, {})
    record_settings(path, arm_settings(config), "arm 'vgg16'")
    weights.write_bytes(b"two")
    with pytest.raises(UserError, match="content of pretrained: [0-9a-f]{12} there, [0-9a-f]{12} asked for"):
        record_settings(path, arm_settings(config), "arm 'vgg16'")
    weights.unlink()  # a finished experiment is told of without them
    check_settings(path, arm_settings(config), "arm 'vgg16'")


@pytest.mark.parametrize("content", ["", "[]", "text"])
def test_emptied_settings_are_named(tmp_path, content):
    path = tmp_path / "experiment.yaml"
    path.write_text(content)
    write_json(tmp_path / "vgg16" / "repeat0-fold0" / "result.json", {})
    with pytest.raises(UserError, match="experiment.yaml: was damaged, it holds no settings"):
        record_settings(path, {"seed": 1}, "experiment 'x'")


def test_where_and_how_a_run_is_watched_does_not_make_it_another(config_of):
    config = config_of()
    moved = OmegaConf.merge(config, {"runs_dir": "elsewhere", "logger": {"mode": "offline"}, "accelerator": "cpu"})
    assert run_settings(moved) == run_settings(config)
    assert run_settings(OmegaConf.merge(config, {"protocol": {"epochs": 3}})) != run_settings(config)


def test_runs_of_one_experiment_share_protocol_data_and_seed_but_not_the_model(config_of):
    one, other = config_of("model=slowfast", "fold=0"), config_of("model=vgg16", "fold=1")
    assert shared_settings(one, "abc") == shared_settings(other, "abc")
    assert shared_settings(one, "abc") != shared_settings(one, "abd")


def test_runs_of_one_experiment_share_the_precision_that_auto_comes_to(config_of, monkeypatch):
    auto, told = config_of("accelerator=cpu"), config_of("accelerator=cpu", "protocol.precision=32-true")
    assert shared_settings(auto, "abc") == shared_settings(told, "abc")
    other = config_of("accelerator=cpu", "protocol.precision=bf16-mixed")
    path = experiment_folder(auto).settings
    record_settings(path, shared_settings(auto, "abc"), "experiment 'x'")
    write_json(run_folder(auto).result, {})
    with pytest.raises(UserError, match="protocol.precision: 32-true there, bf16-mixed asked for"):
        record_settings(path, shared_settings(other, "abc"), "experiment 'x'")

    # The same words where there is a GPU.
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    with pytest.raises(UserError, match="protocol.precision: 32-true there, bf16-mixed asked for"):
        record_settings(path, shared_settings(config_of(), "abc"), "experiment 'x'")


@pytest.mark.parametrize("computed, refused", [("32-true", False), ("bf16-mixed", True)])
def test_an_experiment_that_recorded_auto_goes_on_in_what_it_came_to(config_of, computed, refused):
    config, done = config_of("accelerator=cpu", "fold=1"), config_of("accelerator=cpu", "fold=0")
    path, settings = experiment_folder(config).settings, shared_settings(config, "abc")
    settings["protocol"]["precision"] = "auto"
    record_settings(path, settings, "experiment 'x'")
    write_json(run_folder(done).result, {"machine": {"precision": computed}})
    with pytest.raises(UserError, match="bf16-mixed there, 32-true asked for") if refused else nullcontext():
        record_settings(path, shared_settings(config, "abc"), "experiment 'x'")


def test_a_finished_run_is_of_its_experiment_on_a_machine_that_computes_otherwise(config_of, monkeypatch):
    there = config_of("accelerator=cpu")
    path, settings = experiment_folder(there).settings, shared_settings(there, "abc")
    record_settings(path, settings, "experiment 'x'")
    write_json(run_folder(there).result, {"machine": {"precision": "32-true"}})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    assert shared_settings(config_of(), "abc") == settings
    assert shared_settings(config_of("fold=1"), "abc") != settings


def test_settings_from_before_a_key_are_those_of_its_default(tmp_path):
    path = tmp_path / "e" / "experiment.yaml"
    path.parent.mkdir()
    path.write_text("protocol: {epochs: 4}\nrecipe: {loss: mse}\n")
    (path.parent / "last.ckpt").touch()
    asked = {"protocol": {"epochs": 4, "accumulate": 1}, "recipe": {"loss": "mse", "optimiser": "adamw"}}
    check_settings(path, asked, "it")
    for part, key, value in (("protocol", "accumulate", 2), ("recipe", "optimiser", "sgd")):
        with pytest.raises(UserError, match=rf"{part}.{key}: (1|adamw) there, {value} asked for"):
            check_settings(path, asked | {part: asked[part] | {key: value}}, "it")
