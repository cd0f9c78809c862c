"""A checkpoint to start a hybrid from: SlowFast's weights with a TimeSformer's layers grafted on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from hybrid import create_model, get_entry
from hybrid.data.clip import ClipSpec
from hybrid.data.dataset import ClipDataset, load_dataset
from hybrid.data.normalisation import Normalisation
from hybrid.errors import UserError
from hybrid.files import whole_file
from hybrid.model.graft import KEPT, graft
from hybrid.training.batches import ResidentClips
from hybrid.training.checkpoint import TrainedOn, short_digest
from hybrid.training.seen import behind

BATCH = 4
"""clips at a time"""


def graft_checkpoint(
    root: Path,
    output: Path,
    *,
    size: str,
    slowfast: str,
    timesformer: str,
    options: dict[str, Any],
    num_clips: int,
    way: str = "published",
) -> dict[str, float]:
    """Write a hybrid's weights to `output`, for `model.pretrained`, and return R^2 of each fitted map.

    root: the data set whose first `num_clips` clips the maps are fitted on (a fifth of them is kept to measure R^2).
    Use clips that no result is reported on: the maps see no labels, but they do see the clips.
    slowfast, timesformer: 'official' or the path of a checkpoint. options: of the hybrid.
    way: how clips are normalised, as `protocol.normalise`.
    """
    if num_clips < KEPT * BATCH:
        raise UserError(f"a fit needs {KEPT * BATCH} clips or more, not {num_clips}")
    spec = ClipSpec(side=224 if size == "paper" else 64)
    try:
        model = create_model("hybrid", size, pretrained=slowfast, **options)
        teacher = create_model("timesformer", size, pretrained=timesformer)
        dataset = load_dataset(root, spec)
        clips = batches(dataset, num_clips, way)
        explained = graft(model, teacher, tqdm(clips, "clips", num_clips // BATCH, disable=None))
    except (ValueError, TypeError, OSError) as error:
        raise UserError(f"nothing can be grafted: {error}") from error
    starts = [behind(weights) for weights in (slowfast, timesformer)]
    fitted_on = [short_digest(digest) for digest in dataset.digests[:num_clips]]
    seen = {*fitted_on, *(digest for start in starts if start for digest in start.digests)}
    complete = all(start is not None and start.complete for start in starts)
    record = asdict(TrainedOn(tuple(sorted(seen)), complete))
    with whole_file(output) as temporary:
        torch.save({"model": model.state_dict(), "trained_on": record}, temporary)
    return explained


def batches(dataset: ClipDataset, num_clips: int, way: str) -> Iterator[Tensor]:
    """The first clips as both networks take them: their published means and deviations are the same."""
    if num_clips > len(dataset):
        raise UserError(f"{dataset.root} has {len(dataset)} clips, not {num_clips}")
    entry = get_entry("slowfast")
    resident = ResidentClips(dataset.frames_NTHWC, Normalisation(entry.mean, entry.std, way))
    for first in range(0, num_clips - BATCH + 1, BATCH):
        yield resident.batch(torch.from_numpy(np.arange(first, first + BATCH)), torch.device("cpu"))
