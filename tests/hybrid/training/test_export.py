"""Every model leaves this software: as ONNX and torch.export, for any batch, with the same answers."""

import json

import numpy as np
import onnxruntime
import pytest
import torch

from hybrid import create_model, get_entry, list_models
from hybrid.data.clip import ClipSpec
from hybrid.data.transforms import WAYS, Normalisation
from hybrid.device import choose_machine
from hybrid.errors import UserError
from hybrid.training import export as export_module
from hybrid.training.checkpoint import TrainedModel
from hybrid.training.ensemble import Ensemble
from hybrid.training.export import METADATA, PURPOSE, TOLERANCE, export

GRADES = ["A", "B", "C", "D", "E"]


def member(name: str, way: str, seed: int = 0) -> TrainedModel:
    """A model none of whose branches is zero, as training leaves them; of layers that are alike one, for speed."""
    torch.manual_seed(seed)
    model, entry = create_model(name, "tiny").eval(), get_entry(name)
    if entry.family == "transformer":
        model.blocks = model.blocks[-1:]
    if name == "swin":  # the first stage keeps its two kinds
        for stage in model.net.layers[1:]:
            stage.blocks = stage.blocks[:1]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    normalisation = Normalisation(entry.mean, entry.std, way)
    return TrainedModel(model, name, "tiny", {}, GRADES, ClipSpec(), normalisation, {"commit": "abc"})


def ensemble(tmp_path, *members: TrainedModel) -> Ensemble:
    paths = tuple(tmp_path / f"{n}.ckpt" for n in range(len(members)))
    for path in paths:
        path.touch()
    return Ensemble(paths, members, choose_machine("cpu", "32-true"))


@pytest.mark.parametrize("name", list_models())
def test_every_model_exports_with_any_batch(name, tmp_path):
    way = WAYS[list_models().index(name) % 2]
    path = tmp_path / "grader.onnx"
    assert export(ensemble(tmp_path, member(name, way)), path) <= TOLERANCE
    session = onnxruntime.InferenceSession(path)
    (frames,) = session.get_inputs()
    assert (frames.name, frames.type) == ("frames", "tensor(uint8)")
    assert frames.shape == ["batch", 16, 64, 64, 3]
    frames_BTHWC = np.random.default_rng(0).integers(0, 256, (3, 16, 64, 64, 3), dtype=np.uint8)
    (dist_BK,) = session.run(["distribution"], {"frames": frames_BTHWC})
    assert dist_BK.shape == (3, 5) and dist_BK.dtype == np.float32
    about = session.get_modelmeta().custom_metadata_map
    assert json.loads(about["grades"]) == GRADES and about["side"] == "64" and about["model"] == name
    np.testing.assert_allclose(dist_BK.sum(1), 1, atol=1e-5)
    assert np.ptp(dist_BK, axis=0).max() > 0, "it answers alike to all clips"


def test_folds_answer_together_and_the_file_says_what_it_wants(tmp_path):
    folds = ensemble(tmp_path, *(member("vgg16", way, seed) for seed, way in enumerate(WAYS)))
    path = tmp_path / "grader.pt2"
    assert export(folds, path) <= TOLERANCE
    about = {METADATA: ""}
    module = torch.export.load(path, extra_files=about).module()
    frames_BTHWC = np.random.default_rng(0).integers(0, 256, (4, 16, 64, 64, 3), dtype=np.uint8)
    expected_BK = folds.distributions(frames_BTHWC, "abcd").mean(0)
    np.testing.assert_allclose(module(torch.from_numpy(frames_BTHWC)).detach(), expected_BK, atol=TOLERANCE)
    about = json.loads(about[METADATA])
    assert about["grades"] == GRADES and about["trained"] == [{"commit": "abc"}] * 2
    assert (about["frames"], about["frame_rate"], about["side"], about["channels"]) == (16, 16.0, 64, "RGB")
    assert (about["model"], about["size"]) == ("vgg16", "tiny") and "no medical device" in about["purpose"]


def test_a_frozen_network_is_in_the_file_with_its_probe(tmp_path):
    path, probe = tmp_path / "grader.onnx", member("mvit", "published")
    assert export(ensemble(tmp_path, probe), path) <= TOLERANCE
    weights = sum(tensor.nbytes for tensor in [*probe.model.net.parameters(), *probe.model.parameters()])
    assert path.stat().st_size > weights, "a probe alone says nothing of frames"


def test_a_model_that_onnx_has_no_words_for_is_refused(tmp_path, monkeypatch):
    class Unknown(torch.nn.Module):
        def forward(self, clip_BCTHW):
            return torch.nn.functional.adaptive_avg_pool3d(clip_BCTHW, (1, 1, 3)).mean((1, 2, 3))

    trained = member("vgg16", "published")
    trained.model.forward = Unknown().forward
    with pytest.raises(UserError, match=r"grader.onnx: vgg16 cannot be written as ONNX \(.*adaptive_avg.*\.pt2"):
        export(ensemble(tmp_path, trained), tmp_path / "grader.onnx")
    assert not list(tmp_path.glob("grader*"))


def test_a_file_that_answers_otherwise_is_not_written(tmp_path, monkeypatch):
    path = tmp_path / "grader.pt2"
    path.write_text(before := f"the one before: {PURPOSE}")
    wrong = ensemble(tmp_path, member("vgg16", "published"))
    monkeypatch.setattr(export_module, "IDENTITY", export_module.IDENTITY.__class__(False, 0, (0, 0), 1.1, 0))
    with pytest.raises(UserError, match="not written, for its answers would be .* from this program's"):
        export(wrong, path)
    assert path.read_text() == before and not list(tmp_path.glob("*.tmp"))


@pytest.mark.parametrize(
    "name, message",
    [("grader.pth", "must end in .onnx or .pt2"), ("grader.onnx", r"needs onnxscript: pip install -e '.\[export\]'")],
)
def test_what_cannot_be_written_is_explained(name, message, tmp_path, monkeypatch):
    monkeypatch.setattr(export_module, "find_spec", lambda package: None if package == "onnxscript" else package)
    with pytest.raises(UserError, match=message):
        export(ensemble(tmp_path, member("vgg16", "published")), tmp_path / name)
