"""Hugging Face's names of TimeSformer's and ViViT's parameters, turned into ours."""

from __future__ import annotations

import re

import torch
from torch import Tensor

TIMESFORMER = [
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
VIVIT = [
    (r"embeddings\.patch_embeddings\.projection", "patch_embed.proj"),
    (r"embeddings\.cls_token", "cls_token"),
    (r"embeddings\.position_embeddings", "pos_embed"),
    (r"encoder\.layer\.|^layers\.", "blocks."),
    # the names in files, and those of transformers 5 in memory
    (r"\.attention\.attention\.(q)uery|\.attention\.attention\.(k)ey|\.attention\.attention\.(v)alue", r".attn.\1\2\3"),
    (r"\.attention\.([qkv])_proj", r".attn.\1"),
    (r"\.attention\.o_proj", ".attn.proj"),
]
BOTH = [
    (r"\.attention\.output\.dense", ".attn.proj"),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"\.intermediate\.dense", ".mlp.fc1"),
    (r"\.output\.dense", ".mlp.fc2"),
    (r"^layernorm\.", "norm."),
    (r"^classifier\.", "head."),
]


def renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors under our names, if they are transformers' of either model; else `state` itself."""
    if any(key.endswith("embeddings.time_embeddings") for key in state):
        return substitute(state, "timesformer.", TIMESFORMER + BOTH)
    if any(key.endswith("embeddings.patch_embeddings.projection.weight") for key in state):
        return merge_qkv(substitute(state, "vivit.", VIVIT + BOTH))
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
