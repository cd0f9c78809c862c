"""Reading the files weights come in, down to tensors under the names our models use."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from baselines import huggingface

ENVELOPES = ("model_state", "model_state_dict", "state_dict", "model")
FOLDER_FILES = ("model.safetensors", "pytorch_model.bin")


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """The tensors of a file, or of a folder as Hugging Face writes it, by the names they have there.

    Files that torch.save wrote are read with weights_only=True and may hold the tensors bare or as
    `model_state` (pytorchvideo, TimeSformer), `state_dict` (Lightning) or `model` (ours, Swin).
    Raises ValueError with the path for anything else.
    """
    if path.is_dir():
        path = next((path / name for name in FOLDER_FILES if (path / name).exists()), path)
    if not path.exists():
        raise ValueError(f"there is no checkpoint {path}")
    if path.is_dir():
        raise ValueError(f"the folder {path} holds neither of {', '.join(FOLDER_FILES)}")
    content = read_file(path)
    while isinstance(content, Mapping):
        inner = next((content[key] for key in ENVELOPES if isinstance(content.get(key), Mapping)), None)
        if inner is None:
            break
        content = inner
    tensors = {key: value for key, value in content.items() if isinstance(value, Tensor)} if content else {}
    if not tensors:
        raise ValueError(f"{path} holds no weights, neither bare nor as one of {', '.join(ENVELOPES)}")
    return tensors


def read_file(path: Path) -> Mapping:
    """What a .safetensors or a torch.save file holds."""
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except SafetensorError as error:
            raise ValueError(f"{path} is no readable safetensors file: {error}") from error
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()
        raise ValueError(
            f"{path} is no checkpoint that can be read safely (weights_only=True): {reason[0] if reason else error!r}"
        ) from error
    if not isinstance(content, Mapping):
        raise ValueError(f"{path} holds a {type(content).__name__}, not a state dict")
    return content


def refuse_non_finite(state: Mapping[str, Tensor], source: str) -> None:
    """A ValueError where any weight is NaN or infinite: whatever is computed from it means nothing."""
    bad = [key for key, value in state.items() if value.is_floating_point() and not value.isfinite().all()]
    if bad:
        raise ValueError(
            f"{source}: {len(bad)} of its {len(state)} tensors hold NaN or infinite weights ({bad[0]!r} first); the "
            "training that wrote it went wrong and must be done again"
        )


def under_our_names(state: dict[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """Tensors of a reference implementation, or of a wrapper around our model, by our model's names."""
    for prefix in ("module.", "model."):  # DataParallel; Lightning and the TimeSformer authors
        if any(key.startswith(prefix) for key in state):
            state = {key.removeprefix(prefix): value for key, value in state.items()}
    state = huggingface.renamed(state)
    net = getattr(model, "net", None)
    if net is None or any(key.startswith("net.") for key in state):
        return state
    return {f"net.{key}": value for key, value in as_timm_has_it(state, net).items()}


def as_timm_has_it(state: dict[str, Tensor], net: nn.Module) -> dict[str, Tensor]:
    """Files from before timm's own format, converted by timm: torchvision's VGG, Microsoft's Swin."""
    if "classifier.0.weight" in state:
        from timm.models.vgg import _filter_fn

        return _filter_fn(state)
    if "layers.0.downsample.reduction.weight" in state:
        from timm.models.swin_transformer import checkpoint_filter_fn

        return checkpoint_filter_fn(state, net)
    return state
