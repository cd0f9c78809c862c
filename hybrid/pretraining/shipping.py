"""Pretrained weights as they are shipped with the package: half precision, without the classifier, and what they are.

baselines/simulated/<model>.safetensors
baselines/simulated/index.json        of each model: SHA-256, commit, command, budget, errors on held-out clips
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch

from baselines.checkpoints import read_checkpoint, refuse_non_finite
from baselines.weights import SIMULATED, shipped_index
from hybrid.errors import UserError
from hybrid.files import read_json, read_yaml, whole_file, write_json
from hybrid.pretraining.run import PretrainFolder

INDEX = "index.json"
MOST = 15e6
"""bytes of all files together"""
LICENCE = "Apache-2.0"


def ship(pretraining: Path, into: Path = SIMULATED) -> dict[str, dict[str, Any]]:
    """Write the weights of every finished pretraining in a folder (runs/<experiment>); the whole index.

    Files of models that are not among them stay. A UserError where one cannot be shipped, and then nothing is written.
    """
    folders = [PretrainFolder(path.parent) for path in sorted(pretraining.glob("*/pretrained.ckpt"))]
    folders = [folder for folder in folders if folder.done]
    if not folders:
        raise UserError(f"{pretraining} holds no finished pretraining: python tools/pretrain.py makes one")
    made = {folder: half(folder) for folder in folders}
    index = shipped_index(into)
    for folder, tensors in made.items():
        index[read_json(folder.result)["model"]] = about(folder) | {"bytes": size_of(tensors)}
    if (size := sum(entry["bytes"] for entry in index.values())) > MOST:
        raise UserError(f"the weights come to {size / 1e6:.1f} MB, of which at most {MOST / 1e6:g} are shipped")

    from safetensors.torch import save_file

    into.mkdir(parents=True, exist_ok=True)
    for folder, tensors in made.items():
        name = read_json(folder.result)["model"]
        with whole_file(into / f"{name}.safetensors") as temporary:
            save_file(tensors, temporary)
        content = (into / f"{name}.safetensors").read_bytes()
        index[name] |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    write_json(into / INDEX, dict(sorted(index.items())))
    return index


def half(folder: PretrainFolder) -> dict[str, torch.Tensor]:
    """The weights and statistics of a pretraining in half precision; a UserError where a number does not fit it."""
    settings = read_yaml(folder.config, {"model.size": str})
    if settings["model"]["size"] != "tiny":
        raise UserError(f"{folder.path}: weights of size {settings['model']['size']} are not shipped, only tiny ones")
    state = read_checkpoint(folder.model)
    tensors = {key: value.half().contiguous() for key, value in state.items() if value.is_floating_point()}
    try:
        refuse_non_finite(tensors, f"{folder.model} in half precision")
    except ValueError as error:
        raise UserError(str(error)) from error
    return tensors


def about(folder: PretrainFolder) -> dict[str, Any]:
    """What the weights are: how they were made, from what, and what they know."""
    result = read_json(folder.result)
    budget = f"clips={result['clips']} data.pool={result['pool']} data.grows={result['grows']}"
    commands = [f"python tools/pretrain.py model={result['model']} {budget}"]
    seen = result["clips"]
    if start := result["start"]:
        pretrained = read_yaml(folder.config, {"model.pretrained": str})["model"]["pretrained"]
        other = "" if pretrained == "simulated" else f" model.pretrained={pretrained}"
        commands = [*start["commands"], f"{commands[0]} weights=continued{other}"]
        seen += start["clips_seen"]
    return {
        "licence": LICENCE,
        "commit": result["commit"],
        "commands": commands,
        "preset": result["simulated"]["preset"],
        "seed": result["simulated"]["seed"],
        "targets": result["targets"],
        "clips_seen": seen,
        "parameters": result["parameters"],
        "errors": {group: round(error, 3) for group, error in result["errors"]["test"].items()},
    }


def size_of(tensors: dict[str, torch.Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
