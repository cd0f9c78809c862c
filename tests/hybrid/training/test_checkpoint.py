import pytest
import torch
from support import FIRST_DESIGN

from hybrid import create_model
from hybrid.data.clip import ClipSpec
from hybrid.data.transforms import Normalisation
from hybrid.errors import UserError
from hybrid.training.checkpoint import TrainedModel, TrainedOn, load_trained, save_trained

NORMALISATION = Normalisation((0.45,) * 3, (0.225,) * 3, "clip")


@pytest.fixture
def trained():
    spec = ClipSpec(num_frames=8, frame_rate=8, side=64, channels=1)
    model = create_model("slowfast", "tiny", num_grades=3, num_frames=8, crop_size=64, in_channels=1).eval()
    return TrainedModel(model, "slowfast", "tiny", {}, ["good", "fair", "poor"], spec, NORMALISATION)


def test_a_model_comes_back_as_it_was(trained, tmp_path):
    path = tmp_path / "model.ckpt"
    save_trained(path, trained)
    back = load_trained(path)
    clip_BCTHW = torch.randn(2, 1, 8, 64, 64)
    assert torch.equal(back.model(clip_BCTHW), trained.model(clip_BCTHW))
    assert back.model.frame_rate == 8, "what turns its frames into seconds"
    assert (back.grades, back.spec, back.name) == (trained.grades, trained.spec, "slowfast")
    assert back.normalisation == NORMALISATION


def test_the_file_holds_tensors_and_plain_values_alone(trained, tmp_path):
    save_trained(tmp_path / "model.ckpt", trained)
    assert torch.load(tmp_path / "model.ckpt", weights_only=True)["grades"] == ["good", "fair", "poor"]


def write_text(path):
    path.write_text("no checkpoint")


def write_nothing(path):
    path.touch()


def write_other(path):
    torch.save({"state_dict": {}}, path)


@pytest.mark.parametrize(
    "write, message",
    [
        (lambda path: None, "no such checkpoint"),
        (write_text, "is no checkpoint, or not a whole one"),
        (write_nothing, "is empty: copy or download it again"),
        (write_other, "not a trained model of this program"),
    ],
)
def test_anything_else_is_named_and_refused(write, message, tmp_path):
    path = tmp_path / "model.ckpt"
    write(path)
    with pytest.raises(UserError, match=message) as error:
        load_trained(path)
    assert str(path) in str(error.value)


def test_a_truncated_checkpoint_is_refused(trained, tmp_path):
    path = tmp_path / "model.ckpt"
    save_trained(path, trained)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(UserError, match="damaged or cut off, .*: copy or download it again"):
        load_trained(path)


def test_another_models_weights_are_refused(trained, tmp_path):
    path = tmp_path / "model.ckpt"
    trained.name = "r3d"
    save_trained(path, trained)
    with pytest.raises(UserError, match="holds other weights than this version's 'r3d' has"):
        load_trained(path)


def test_a_hybrid_of_the_first_design_without_its_options_is_refused_with_the_commit_that_has_them(trained, tmp_path):
    path = tmp_path / "model.ckpt"
    shape = dict(num_grades=3, num_frames=8, crop_size=64, in_channels=1)
    trained.name, trained.model = "hybrid", create_model("hybrid", "tiny", **shape, **FIRST_DESIGN)
    save_trained(path, trained)
    with pytest.raises(UserError, match="up to commit fae0a14 the default was what stages=res4-5"):
        load_trained(path)
    trained.options = FIRST_DESIGN
    save_trained(path, trained)
    assert load_trained(path).model.temporal


def test_it_knows_what_it_was_trained_on(trained, tmp_path):
    path = tmp_path / "model.ckpt"
    trained.trained_on = TrainedOn(("0123456789abcdef", "fedcba9876543210"), complete=False, sides=(64, 150))
    save_trained(path, trained)
    assert load_trained(path).trained_on == trained.trained_on


def test_one_from_before_that_was_recorded_still_loads(trained, tmp_path):
    path = tmp_path / "model.ckpt"
    save_trained(path, trained)
    content = torch.load(path, weights_only=True)
    del content["trained_on"]
    torch.save(content, path)
    assert load_trained(path).trained_on is None


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_not_finite_are_refused(trained, number, tmp_path):
    path, parameter = tmp_path / "model.ckpt", next(trained.model.parameters())
    with torch.no_grad():
        parameter[(-1,) * parameter.ndim] = number
    save_trained(path, trained)
    with pytest.raises(UserError, match="model.ckpt: 1 of its .* tensors hold NaN or infinite weights"):
        load_trained(path)


@pytest.mark.parametrize(
    "key, value, told",
    [
        ("name", None, "name is not there"),
        ("grades", 3, "grades is 3"),
        ("spec", {"side": []}, "damaged, or is of another version"),
        ("spec", {"frame_rate": 0}, "frame_rate must be above 0"),
        ("options", {"no_such": 1}, "damaged, or is of another version"),
        ("trained_on", {"digests": ()}, "damaged, trained_on.complete is not there"),
        ("trained_on", {"digests": (1,), "complete": True}, "damaged, in what it says it was trained on"),
        ("trained_on", {"digests": (), "complete": True, "sides": 3}, "damaged, in what it says it was trained on"),
        ("trained_on", "x", "damaged, trained_on.digests is not there"),
        ("model", {"head.weight": 1.5}, "'head.weight' among its weights is no tensor"),
    ],
)
def test_odd_values_are_refused_with_the_files_name(trained, key, value, told, tmp_path):
    path = tmp_path / "model.ckpt"
    save_trained(path, trained)
    content = torch.load(path, weights_only=True)
    torch.save(content | {key: value}, path)
    with pytest.raises(UserError, match=f"model.ckpt: .*{told}"):
        load_trained(path)


def test_whatever_a_damaged_pickle_makes_torch_raise_is_told_as_damage(trained, tmp_path, monkeypatch):
    """One flipped bit of a tensor's record made it a TypeError."""
    save_trained(tmp_path / "model.ckpt", trained)
    monkeypatch.setattr(torch, "load", lambda *_, **__: torch.zeros(2).set_("a", "b"))
    with pytest.raises(UserError, match="model.ckpt is damaged or cut off"):
        load_trained(tmp_path / "model.ckpt")
