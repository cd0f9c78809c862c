"""What is shipped is what was pretrained, to half precision, and says what it is."""

import hashlib
import json
from pathlib import Path

import pytest
import torch

from baselines import weights as weights_module
from baselines.weights import SIMULATED
from hybrid import create_model, list_models
from hybrid.errors import UserError
from hybrid.files import write_json
from hybrid.pretraining.run import PretrainFolder
from hybrid.pretraining.shipping import ship

RESULT = {
    "model": "slowfast",
    "clips": 8,
    "pool": 4,
    "grows": 0,
    "start": None,
    "targets": "dense",
    "commit": "0" * 40,
    "parameters": 1,
    "simulated": {"preset": "clinic", "seed": 1000000},
    "errors": {"test": {"all": 0.5}},
}


def finished(folder: Path, model: torch.nn.Module, size: str = "tiny", **result) -> Path:
    made = PretrainFolder(folder / "slowfast")
    made.path.mkdir(parents=True)
    made.config.write_text(f"model: {{name: slowfast, size: {size}}}\n")
    state = {key: value for key, value in model.state_dict().items() if not key.startswith(f"{model.classifier}.")}
    torch.save({"model": state}, made.model)
    write_json(made.result, RESULT | result)
    return folder


@pytest.fixture
def package(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(weights_module, "SIMULATED", tmp_path / "simulated")
    return tmp_path / "simulated"


def test_what_is_shipped_loads_as_it_was(tmp_path, package):
    torch.manual_seed(3)
    model = create_model("slowfast", "tiny")
    index = ship(finished(tmp_path / "made", model), package)
    loaded = create_model("slowfast", "tiny", pretrained="simulated")
    for key, value in loaded.state_dict().items():
        if not key.startswith(loaded.classifier):
            torch.testing.assert_close(value, model.state_dict()[key], rtol=1e-3, atol=1e-6)
    entry = json.loads((package / "index.json").read_text())["slowfast"]
    assert entry == index["slowfast"]
    assert entry["sha256"] == hashlib.sha256((package / "slowfast.safetensors").read_bytes()).hexdigest()
    command = "python tools/pretrain.py model=slowfast clips=8 data.pool=4 data.grows=0"
    assert (entry["commands"], entry["clips_seen"]) == ([command], 8)
    copy = create_model("hybrid", "tiny", pretrained="simulated/slowfast")
    clip_BCTHW = torch.randn(2, 3, 16, 64, 64)
    with torch.no_grad():
        features = [m.eval().forward_head(m.forward_features(clip_BCTHW), pre_logits=True) for m in (loaded, copy)]
    assert torch.equal(*features)


def test_what_cannot_be_shipped_is_refused_and_nothing_is_written(tmp_path, package):
    with pytest.raises(UserError, match="holds no finished pretraining"):
        ship(tmp_path, package)
    model = create_model("slowfast", "tiny")
    with pytest.raises(UserError, match="weights of size paper are not shipped"):
        ship(finished(tmp_path / "large", model, "paper"), package)
    with torch.no_grad():
        next(model.parameters())[0] = 1e6
    with pytest.raises(UserError, match="in half precision: 1 of its"):
        ship(finished(tmp_path / "far", model), package)
    assert not package.exists()


def test_what_is_not_there_is_named(package):
    with pytest.raises(ValueError, match="nothing pretrained on simulated clips is shipped for r3d"):
        create_model("r3d", "tiny", pretrained="simulated")
    with pytest.raises(ValueError, match="is of size tiny, not 'paper'"):
        create_model("r3d", "paper", pretrained="simulated")


@pytest.mark.parametrize("name", list_models())
def test_each_file_of_the_package_is_the_one_that_its_index_tells_of(name):
    index = json.loads((SIMULATED / "index.json").read_text())
    if name == "rostfine":
        assert name not in index, "it starts from TimeSformer's"
        return
    content = (SIMULATED / f"{name}.safetensors").read_bytes()
    assert hashlib.sha256(content).hexdigest() == index[name]["sha256"]
    model = create_model(name, "tiny", pretrained="simulated")
    assert not model.load_report.new and not model.load_report.reshaped
    assert sum(entry["bytes"] for entry in index.values()) <= 15e6
