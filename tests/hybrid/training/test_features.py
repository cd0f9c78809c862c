"""A frozen network's features are computed once and are what it says; a probe on them is a run like any."""

import shutil
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
from torch.testing import assert_close

from baselines import hub
from baselines.frozen import FrozenModel
from hybrid import create_model
from hybrid.data.loader import as_input
from hybrid.data.transforms import AugmentParams
from hybrid.device import choose_machine
from hybrid.errors import UserError
from hybrid.experiment.prepare import prepare
from hybrid.training.build import build_model, check_model, input_normalisation
from hybrid.training.checkpoint import load_trained
from hybrid.training.features import what_learns
from hybrid.training.predict import predict_clips
from hybrid.training.run import InMemoryClips, train_run

MACHINE = choose_machine("cpu", "32-true")


@pytest.fixture
def own_config(config_of, small_dataset, tmp_path):
    """As `config_of`, of a copy of the clips without what is computed of them."""
    root = shutil.copytree(small_dataset, tmp_path / "mine", ignore=shutil.ignore_patterns(".cache"))

    def make(*overrides):
        return config_of(f"data.root={root}", *overrides)

    return make


@pytest.fixture
def forwards(monkeypatch):
    """Grows by one for every clip, in all its views, that a network is asked about."""
    calls, ask = [], FrozenModel.forward_features
    monkeypatch.setattr(FrozenModel, "forward_features", lambda *args: calls.append(0) or ask(*args))
    return calls


def kept(config):
    """What is trained and what it is given, of a fresh model."""
    dataset, _ = prepare(config)
    clips = InMemoryClips(dataset.frames_NTHWC, input_normalisation(config))
    model = build_model(config, len(dataset.grades))
    return model, dataset, *what_learns(config, model, dataset, clips, MACHINE)


def test_kept_features_are_the_networks_of_clips_that_were_mirrored_and_turned(own_config):
    config = own_config("model=videomae")
    model, dataset, learner, features = kept(config)
    assert learner is model.probe
    normalisation = input_normalisation(config)
    assert normalisation.way == "published", "the protocol's is each clip's own"
    number, device = torch.tensor([3]), torch.device("cpu")
    frames_1THWC = torch.from_numpy(dataset.frames_NTHWC[[3]])
    shown = [features.batch(number, device)]
    for mirrored, turns in product([False, True], range(4)):
        view = AugmentParams(mirrored, turns, (2, -1), 1.1, 0.05)
        square = AugmentParams(mirrored, turns, (0, 0), 1.0, 0.0)  # shift and brightness are not kept
        with torch.no_grad():
            expected = model.forward_features(as_input(frames_1THWC, normalisation, [square]))
        seen = features.batch(number, device, [view])
        assert_close(seen, expected, rtol=2e-3, atol=2e-3)  # float16
        again = any(torch.equal(seen, other) for other in shown)
        assert again == (not mirrored and turns == 0), "two ways look the same"
        shown.append(seen)


@pytest.mark.parametrize("name", ["vjepa2", "videoprism", "videomae", "mvit"])
def test_a_probe_is_trained_and_answers_from_its_file_as_it_did_in_its_run(name, own_config, small_dataset, tmp_path):
    config = own_config(f"model={name}")
    check_model(config)
    dataset, folds_RN = prepare(config)
    result = train_run(config, dataset, folds_RN[0])
    assert result["metrics"]["mse"] > 0 and result["parameters"] < 30_000
    checkpoint = next(tmp_path.rglob("model.ckpt"))
    assert all(key.startswith("probe.") for key in torch.load(checkpoint, weights_only=True)["model"])

    told = pd.read_csv(checkpoint.parent / "predictions.csv")
    paths = [small_dataset / "clips" / clip for clip in told["clip"]]
    again = predict_clips([checkpoint], paths, MACHINE).table
    for grade in dataset.grades:
        np.testing.assert_allclose(again[grade], told[f"predicted_{grade}"], atol=2e-4)  # features are kept in float16


def test_features_are_computed_once_for_all_folds_and_experiments(own_config, forwards):
    """With what a clip costs, which takes the network once more."""
    for place, computed in [("fold=0", 12 + 1), ("fold=1", 0), ("experiment=another", 0)]:
        forwards.clear()
        config = own_config("model=videomae", place)
        dataset, folds_RN = prepare(config)
        assert train_run(config, dataset, folds_RN[0])["gmac"] > 0.01
        assert len(forwards) == computed


def test_what_changes_is_computed_anew_and_nothing_else(own_config, forwards):
    def computed(*overrides):
        forwards.clear()
        kept(own_config("model=videomae", *overrides))
        return len(forwards)

    assert computed() == 12
    assert computed() == 0
    _, dataset, _, features = kept(own_config("model=videomae"))
    features.files[5].unlink()  # as if it had been interrupted
    features.files[5].with_name("x.npy.abc.tmp").write_bytes(b"half")
    assert computed() == 1
    assert computed("protocol.augment.flips_and_turns=false") == 12
    assert computed("+model.options.grid=2") == 12
    assert computed("protocol.epochs=7", "seed=3", "model.recipe.learning_rate=0.1") == 0

    first, second = dataset.root / "clips" / "0.mkv", dataset.root / "clips" / "1.mkv"
    swapped = first.read_bytes()
    first.write_bytes(second.read_bytes() + b"\0")  # another file, that shows another clip
    second.write_bytes(swapped)
    prepare.__globals__["_loaded"].cache_clear()
    assert computed() == 1


def test_two_that_begin_together_share_the_clips(own_config, forwards, monkeypatch):
    """What one finds missing at first and another has written since is not computed again."""
    config = own_config("model=videomae")
    _, _, _, features = kept(config)
    gone = {path: path.read_bytes() for path in features.files[:4]}
    for path in gone:
        path.unlink()
    ask = FrozenModel.forward_features

    def meanwhile(model, clip_BCTHW):
        for path, content in gone.items():
            path.write_bytes(content)
        return ask(model, clip_BCTHW)

    monkeypatch.setattr(FrozenModel, "forward_features", meanwhile)
    forwards.clear()
    kept(config)
    assert len(forwards) == 1


def test_features_that_cannot_be_kept_are_refused(own_config, monkeypatch):
    monkeypatch.setattr(FrozenModel, "forward_features", lambda *_: torch.full((8, 8, 16, 48), 1e5))
    with pytest.raises(UserError, match="videomae: its features of clip number .* not finite"):
        kept(own_config("model=videomae"))


def test_a_probe_is_not_used_on_other_weights_than_it_was_trained_on(own_config, tmp_path):
    weights = tmp_path / "network.pt"
    torch.save(create_model("mvit", "tiny").net.state_dict(), weights)
    config = own_config("model=mvit", f"model.pretrained={weights}")
    dataset, folds_RN = prepare(config)
    train_run(config, dataset, folds_RN[0])
    checkpoint = next(tmp_path.rglob("model.ckpt"))
    assert load_trained(checkpoint).frozen_from == str(weights)

    state = torch.load(weights)
    torch.save({key: value + 1 for key, value in state.items()}, weights)
    with pytest.raises(UserError, match="a probe on file of SHA-256 .* now gives file of SHA-256"):
        load_trained(checkpoint)
    weights.unlink()
    with pytest.raises(UserError, match=f"model.ckpt: there is no checkpoint {weights}"):
        load_trained(checkpoint)


def test_weights_that_cannot_be_had_are_named_with_their_place(own_config, monkeypatch, tmp_path):
    def unreachable(weights):
        raise OSError("no network")

    monkeypatch.setattr(hub, "download", unreachable)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    config = own_config("model=vjepa2", "model.size=paper", "model.pretrained=official")
    check_model(config)
    with pytest.raises(UserError) as error:
        kept(config)
    place = tmp_path / "checkpoints" / "facebook--vjepa2-vitl-fpc64-256.safetensors"
    assert "facebook/vjepa2-vitl-fpc64-256/resolve/main/model.safetensors" in str(error.value)
    assert str(place) in str(error.value)
