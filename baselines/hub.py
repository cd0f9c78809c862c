"""Fetching published weights through the library that hands them out."""

import socket
from pathlib import Path
from urllib.parse import quote, urlsplit
from urllib.request import getproxies

import torch
from torch import Tensor

from baselines.checkpoints import FOLDER_FILES, read_checkpoint
from baselines.registry import PretrainedWeights


def fetch(weights: PretrainedWeights) -> dict[str, Tensor]:
    """The tensors, by the names they were published under; downloaded once, then from the library's cache.

    A file put at `cached_file(weights)` by hand is taken instead. Raises ValueError with the address
    and that place where neither is to be had.
    """
    by_hand = cached_file(weights)
    if by_hand.exists():
        return read_checkpoint(by_hand)
    try:
        return download(weights)
    except Exception as error:  # each library has its own errors for an absent network
        raise ValueError(
            f"cannot fetch the official weights {weights.name} through {weights.library} "
            f"({type(error).__name__}): download {address(weights)} and put it at {by_hand}"
        ) from error


def address(weights: PretrainedWeights) -> str:
    """Where the file is to be had by hand."""
    if weights.library == "torchvision":
        return torchvision_weights(weights.name).url
    if weights.library == "pytorchvideo":
        return pytorchvideo_url(weights.name)
    file = FOLDER_FILES[0] if weights.library == "timm" else weights.file
    return f"https://huggingface.co/{hub_repository(weights)}/resolve/{quote(weights.revision, safe='')}/{file}"


def cached_file(weights: PretrainedWeights) -> Path:
    """Where the file is looked for first: torch's cache, in which torchvision and pytorchvideo keep theirs too."""
    if weights.library in ("torchvision", "pytorchvideo"):
        name = address(weights).rpartition("/")[2]
    else:
        name = hub_repository(weights).replace("/", "--") + Path(address(weights)).suffix
    return Path(torch.hub.get_dir()) / "checkpoints" / name


def download(weights: PretrainedWeights) -> dict[str, Tensor]:
    if weights.library == "torchvision":
        return torchvision_weights(weights.name).get_state_dict(progress=True, check_hash=True)
    if weights.library == "pytorchvideo":
        url = pytorchvideo_url(weights.name)
        return torch.hub.load_state_dict_from_url(url, map_location="cpu", weights_only=True)["model_state"]
    _expect_no_network_where_there_is_none()
    if weights.library == "timm":
        from timm.models import load_state_dict_from_hf

        return load_state_dict_from_hf(hub_repository(weights), weights_only=True)

    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    try:
        path = hf_hub_download(weights.name, FOLDER_FILES[0], revision=weights.revision)
    except EntryNotFoundError:
        path = hf_hub_download(weights.name, FOLDER_FILES[1], revision=weights.revision)
    return read_checkpoint(Path(path))


def _expect_no_network_where_there_is_none() -> None:
    """Tell Hugging Face's client, which would try each file six times, for minutes, and say so each time."""
    from huggingface_hub import constants

    if not getproxies():
        try:
            socket.getaddrinfo(urlsplit(constants.ENDPOINT).hostname, 443)
        except OSError:
            constants.HF_HUB_OFFLINE = True


def hub_repository(weights: PretrainedWeights) -> str:
    """The repository on Hugging Face's hub: timm says where each of its weights is."""
    if weights.library == "huggingface_hub":
        return weights.name
    import timm

    return timm.get_pretrained_cfg(weights.name).hf_hub_id


def torchvision_weights(name: str):
    """'R3D_18_Weights.KINETICS400_V1' -> that member."""
    from torchvision.models import get_weight

    return get_weight(name)


def pytorchvideo_url(name: str) -> str:
    from pytorchvideo.models.hub import r2plus1d, resnet, slowfast, x3d

    tables = [module.checkpoint_paths for module in (r2plus1d, resnet, slowfast, x3d)]
    return next(table[name] for table in tables if name in table)
