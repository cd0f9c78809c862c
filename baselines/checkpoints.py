"""Reading the files weights come in, down to tensors under the names our models use."""

import hashlib
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

ENVELOPES = ("model_state", "model_state_dict", "state_dict", "model")
WRAPPERS = ("module.", "model.")
"""DataParallel's prefix; Lightning's and the TimeSformer authors'"""
COMPILED = "_orig_mod."
"""what torch.compile puts before the names of the module that it is given, anywhere in a name"""
FOLDER_FILES = ("model.safetensors", "pytorch_model.bin")

# Hugging Face's names of TimeSformer's and ViViT's parameters, and ours
HF_TIMESFORMER = [
    (r"embeddings\.patch_embeddings\.projection", "patch_embed.proj"),
    (r"embeddings\.cls_token", "cls_token"),
    (r"embeddings\.position_embeddings", "pos_embed"),
    (r"embeddings\.time_embeddings", "time_embed"),
    (r"encoder\.layer\.", "blocks."),
    (r"\.temporal_layernorm\.", ".temporal_norm1."),
    (r"\.temporal_attention\.attention\.qkv", ".temporal_attn.qkv"),
    (r"\.temporal_attention\.output\.dense", ".temporal_attn.proj"),
    (r"\.temporal_dense\.", ".temporal_fc."),
    (r"\.attention\.attention\.qkv", ".attn.qkv"),
]
HF_VIVIT = [
    (r"embeddings\.patch_embeddings\.projection", "patch_embed.proj"),
    (r"embeddings\.cls_token", "cls_token"),
    (r"embeddings\.position_embeddings", "pos_embed"),
    (r"encoder\.layer\.|^layers\.", "blocks."),
    # the names in files, and those of transformers 5 in memory
    (r"\.attention\.attention\.(q)uery|\.attention\.attention\.(k)ey|\.attention\.attention\.(v)alue", r".attn.\1\2\3"),
    (r"\.attention\.([qkv])_proj", r".attn.\1"),
    (r"\.attention\.o_proj", ".attn.proj"),
]
HF_BOTH = [
    (r"\.attention\.output\.dense", ".attn.proj"),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"\.intermediate\.dense", ".mlp.fc1"),
    (r"\.output\.dense", ".mlp.fc2"),
    (r"^layernorm\.", "norm."),
    (r"^classifier\.", "head."),
]


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """The tensors of a file, or of a folder as Hugging Face writes it, by the names they have there.

    Files that torch.save wrote are read with weights_only=True and may hold the tensors bare or as
    `model_state` (pytorchvideo, TimeSformer), `state_dict` (Lightning) or `model` (ours, Swin).
    Raises ValueError with the path for anything else.
    """
    path = checkpoint_file(path)
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


def checkpoint_file(path: Path) -> Path:
    """The path itself, or the file that a folder holds; a ValueError where there is none."""
    if path.is_dir():
        path = next((path / name for name in FOLDER_FILES if (path / name).exists()), path)
    if not path.exists():
        raise ValueError(f"there is no checkpoint {path}")
    if path.is_dir():
        raise ValueError(f"the folder {path} holds neither of {', '.join(FOLDER_FILES)}")
    return path


def file_digest(path: Path) -> str:
    """SHA-256 of a checkpoint's bytes, the first 16 digits."""
    with open(checkpoint_file(path), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def read_file(path: Path) -> Mapping:
    """What a .safetensors or a torch.save file holds."""
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except SafetensorError as error:
            raise ValueError(f"{path} is no readable safetensors file: {error}") from error
    content = load_plain(path)
    if not isinstance(content, Mapping):
        raise ValueError(f"{path} holds a {type(content).__name__}, not a state dict")
    return content


def load_plain(path: Path, device: torch.device | str = "cpu") -> Any:
    """What torch.save wrote, of tensors and plain values alone; a ValueError says in a line what else there is."""
    if other := _other_archive(path):
        raise ValueError(
            f"{path} is {other}, and no state dict; have the model's tensors alone written, "
            "torch.save(model.state_dict(), ...)"
        )
    told: list[warnings.WarningMessage] = []
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            return torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # a damaged pickle can make the unpickler raise anything
        if other := re.search(r"[Uu]nsupported (?:global: GLOBAL|GLOBAL|class) ([\w.]+)", str(error)):
            raise ValueError(
                f"{path} is refused: beside tensors it holds objects of {other[1]}, and to load such is to run code; "
                "have its tensors alone written, torch.save(model.state_dict(), ...), where it is trusted"
            ) from error
        if any("pickle protocol" in str(warning.message) for warning in told):
            raise ValueError(
                f"{path} was pickled by a newer protocol than torch reads without running code; have it written anew "
                "without pickle_protocol=..., torch.save(model.state_dict(), ...)"
            ) from error
        raise ValueError(f"{path} {_unreadable(path)}") from error


def _other_archive(path: Path) -> str:
    """What a whole zip file is, if not one of torch.save's; or ''."""
    try:
        with zipfile.ZipFile(path) as archive:
            held = {name.partition("/")[2] for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile):
        return ""
    if "constants.pkl" in held:
        return "a TorchScript file, a program"
    if "archive_format" in held:
        return "an exported model, a program"
    return "" if "data.pkl" in held else "a zip file of another kind"


def _unreadable(path: Path) -> str:
    """Why torch cannot read a file, by what it is rather than by what torch stumbled over."""
    try:
        with open(path, "rb") as file:
            start = file.read(4)
    except OSError as error:
        return f"cannot be read: {(error.strerror or str(error)).lower()}"
    if not start:
        return "is empty: copy or download it again, or train anew"
    if start.startswith(b"PK"):
        return "is damaged or cut off, as by a copy that failed: copy or download it again, or train anew"
    return (
        "is no checkpoint, or not a whole one: it does not begin as torch.save begins a file; what holds tensors "
        "otherwise, have torch.save(..., path) write"
    )


def refuse_other_kinds(state: Mapping[str, Tensor], own: Mapping[str, Tensor], source: str) -> None:
    """A ValueError where what is to become a weight is no dense tensor of floating point."""
    for key in (key for key in own if key in state):
        value = state[key]
        kind = {
            "without content (meta)": value.is_meta,
            "quantised": value.is_quantized,
            "sparse": value.layout != torch.strided,
            f"of {str(value.dtype).removeprefix('torch.')}": own[key].is_floating_point()
            and not value.is_floating_point(),
        }
        if any(kind.values()):
            told = next(what for what, true in kind.items() if true)
            raise ValueError(
                f"{source}: {key!r} is {told}; weights are dense tensors of floating point, as model.float() has them"
            )


def refuse_non_finite(state: Mapping[str, Tensor], source: str) -> None:
    """A ValueError where any weight is NaN or infinite: whatever is computed from it means nothing."""
    if other := [key for key, value in state.items() if not isinstance(value, Tensor)]:
        raise ValueError(f"{source}: {other[0]!r} among its weights is no tensor; it was damaged")
    bad = [key for key, value in state.items() if value.is_floating_point() and not value.isfinite().all()]
    if bad:
        raise ValueError(
            f"{source}: {len(bad)} of its {len(state)} tensors hold NaN or infinite weights ({bad[0]!r} first); the "
            "training that wrote it went wrong and must be done again"
        )


def under_our_names(state: dict[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """Tensors of a reference implementation, or of a wrapper around our model, by our model's names."""
    state = {key.replace(COMPILED, ""): value for key, value in state.items()}
    while prefix := next((each for each in WRAPPERS if any(key.startswith(each) for key in state)), None):
        state = {key.removeprefix(prefix): value for key, value in state.items()}
    state = from_hugging_face(state)
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


def from_hugging_face(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors under our names, if they are transformers' of either model; else `state` itself."""
    if any(key.endswith("embeddings.time_embeddings") for key in state):
        return substitute(state, "timesformer.", HF_TIMESFORMER + HF_BOTH)
    if any(key.endswith("embeddings.patch_embeddings.projection.weight") for key in state):
        return merge_qkv(substitute(state, "vivit.", HF_VIVIT + HF_BOTH))
    return state


def substitute(state: dict[str, Tensor], prefix: str, table: list[tuple[str, str]]) -> dict[str, Tensor]:
    new = {}
    for key, value in state.items():
        key = key.removeprefix(prefix)
        for pattern, replacement in table:
            key = re.sub(pattern, replacement, key)
        new[key] = value
    return new


def merge_qkv(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Separate query, key and value projections as one, in that order."""
    new = {}
    for key, value in state.items():
        match = re.fullmatch(r"(.*\.attn\.)([qkv])(\.\w+)", key)
        if match is None:
            new[key] = value
        elif match[2] == "q":
            parts = [state.get(f"{match[1]}{part}{match[3]}") for part in "qkv"]
            if all(part is not None for part in parts):
                new[f"{match[1]}qkv{match[3]}"] = torch.cat(parts)
    return new
