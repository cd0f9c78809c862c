import pytest

from baselines import hub
from hybrid.errors import UserError
from hybrid.training.build import check_devices, check_models, fetch_weights, input_normalisation

TORCHVISION = ((0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989))
PYTORCHVIDEO = ((0.45,) * 3, (0.225,) * 3)


@pytest.mark.parametrize(
    "words, mean_std",
    [
        ((), TORCHVISION),
        (("+model.options.variant=r2plus1d_18",), TORCHVISION),
        (("+model.options.variant=r2plus1d_r50",), PYTORCHVIDEO),
    ],
    ids=str,
)
def test_clips_are_normalised_as_the_variants_own_weights_were_trained(words, mean_std, config_of):
    """R(2+1)D's two variants are of two libraries, which normalise differently."""
    normalisation = input_normalisation(
        config_of("model=r2plus1d", "model.size=paper", "protocol.normalise=published", *words)
    )
    assert (normalisation.mean, normalisation.std, normalisation.way) == (*mean_std, "published")


def test_missing_weights_are_told_once_for_all_models_that_want_them(config_of, tmp_path, monkeypatch):
    asked = []

    def download(weights):
        asked.append(weights.name)
        raise OSError("no network")

    monkeypatch.setattr(hub, "download", download)
    monkeypatch.setattr(hub.torch.hub, "get_dir", lambda: str(tmp_path))
    models = ("slowfast", "r3d", "hybrid")
    official = ("model.size=paper", "model.pretrained=official")
    checked = check_models([config_of(f"model={name}", *official) for name in models])
    assert not asked, "what is wrong with the data is told before anything is fetched"
    with pytest.raises(UserError) as error:
        fetch_weights(checked)
    message = str(error.value)
    assert asked == ["slowfast_r50", "R3D_18_Weights.KINETICS400_V1"], "each file once"
    assert "slowfast, hybrid: cannot fetch" in message and "\nr3d: cannot fetch" in message
    assert message.count("model.pretrained=PATH") == 1


def test_all_that_is_wrong_with_several_models_is_told_at_once(config_of):
    with pytest.raises(UserError) as error:
        check_models([config_of(f"model={name}", "weights=pretraining") for name in ("vgg16", "vit")])
    assert "vgg16/pretrained.ckpt" in str(error.value) and "vit/pretrained.ckpt" in str(error.value)


def test_more_devices_than_there_are_are_refused_and_processes_of_a_cpu_are_not(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    for kind in ("cuda", "mps"):
        with pytest.raises(UserError, match="devices=99: torch finds 1 on this machine"):
            check_devices(99, kind)
    check_devices(99, "cpu")
