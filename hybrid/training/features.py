"""Features of clips from a frozen network, computed once and kept beside the decoded clips.

    <cache>/features-<model>-<key>/<digest of a clip's bytes>.npy     float16 (views, T, P, D), standardised over D
                                   profile.json                       what a clip costs: the network is not built for it

The key is made of the model, its network's weights and all that decides what it is shown, so that folds, repeats and
experiments share the files. A clip is seen in the eight ways that mirroring and quarter turns show it, where the
protocol has them; of shift and brightness, which have no end of ways, nothing is kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from omegaconf import OmegaConf
from torch import Tensor
from tqdm import tqdm

from baselines import ClipModel
from hybrid.config import TrainConfig
from hybrid.data.cache import cache_folder
from hybrid.data.clip import DECODER_VERSION
from hybrid.data.dataset import ClipDataset
from hybrid.data.loader import InMemoryClips
from hybrid.data.transforms import IDENTITY, AugmentParams
from hybrid.device import Machine
from hybrid.errors import UserError
from hybrid.files import whole_file
from hybrid.training.build import input_normalisation, told_of_model

PROFILE = "profile.json"
VERSION = 2
"""of the files: another one when what is written changes"""
TURNED = tuple(
    AugmentParams(mirrored, turns, shift=(0, 0), gain=1.0, offset=0.0)
    for mirrored in (False, True)
    for turns in range(4)
)
"""the ways a square can lie, as it is first"""


@dataclass(frozen=True)
class KeptFeatures:
    """What the probe of a frozen model is given in place of `InMemoryClips`; read file by file, batch by batch.

    files: one a clip. side: of the clips in pixels.
    """

    files: Sequence[Path]
    side: int
    watched = 4
    """batches at a time, to watch an error: a probe's step reads its weights for a few clips as for many"""

    @property
    def profile(self) -> Path:
        """Parameters and GMAC of one clip, network and probe; the network need not be built again to train a probe."""
        return self.files[0].with_name(PROFILE)

    def to(self, device: torch.device) -> None:
        """Nothing: the files stay where they are."""

    def batch(self, clips_B: Tensor, device: torch.device, views: list[AugmentParams] | None = None) -> Tensor:
        """Features (B, T, P, D), float32; of a view, its mirroring and quarter turns."""
        views = views or [IDENTITY] * len(clips_B)
        kept = [
            _mapped(self.files[clip])[4 * view.mirrored + view.quarter_turns]
            for clip, view in zip(clips_B.tolist(), views, strict=True)
        ]
        return torch.from_numpy(np.stack(kept)).to(device).float()


@lru_cache(maxsize=4096)  # mappings: a system allows a program some ten thousand
def _mapped(path: Path) -> np.ndarray:
    """Kept, for opening a file takes longer than reading a view of it."""
    return np.load(path, mmap_mode="r")


def what_learns(
    config: TrainConfig, model: ClipModel, dataset: ClipDataset, clips: InMemoryClips, machine: Machine
) -> tuple[ClipModel, InMemoryClips | KeptFeatures]:
    """What is trained, and what it is given: of a frozen model the probe and features, else the model and the clips."""
    if model.learner is model:
        return model, clips
    files, views = feature_files(config, model, dataset, machine)
    with told_of_model(config.model.name):  # its network reads its weights when it is first used
        compute_features(model, clips, files, views, machine, config.model.name)
    return model.learner, KeptFeatures(files, clips.side)


def feature_files(
    config: TrainConfig, model: ClipModel, dataset: ClipDataset, machine: Machine
) -> tuple[list[Path], Sequence[AugmentParams]]:
    """The file of each clip, whether it is there or not, and the views in it."""
    views = TURNED if config.protocol.augment.flips_and_turns else TURNED[:1]
    shown = [DECODER_VERSION, asdict(dataset.spec), asdict(input_normalisation(config)), len(views)]
    of = [config.model.size, OmegaConf.to_container(config.model.options), model.frozen_weights]
    content = json.dumps([VERSION, shown, of, machine.precision], sort_keys=True)
    key = hashlib.sha256(content.encode()).hexdigest()[:16]
    folder = cache_folder(dataset.root) / f"features-{config.model.name}-{key}"
    return [folder / f"{digest}.npy" for digest in dataset.digests], views


def compute_features(
    model: ClipModel,
    clips: InMemoryClips,
    files: Sequence[Path],
    views: Sequence[AugmentParams],
    machine: Machine,
    name: str,
) -> None:
    """Write the file of every clip that has none. What is there when it is interrupted need not be done again."""
    missing = {path: number for number, path in enumerate(files) if not path.exists()}
    # In an order of its own, so that runs that begin at the same time share the work.
    order = random.Random(os.getpid()).sample(sorted(missing), len(missing))
    for path in tqdm(order, desc=f"features of {name}", unit="clip", disable=None):
        if path.exists():
            continue
        clip_VCTHW = clips.batch(torch.full((len(views),), missing[path]), machine.device, list(views))
        with torch.inference_mode(), machine.autocast():
            features_VTPD = model.forward_features(clip_VCTHW).half().cpu().numpy()
        if not np.isfinite(features_VTPD).all():
            raise UserError(f"{name}: its features of clip number {missing[path]} are not finite")
        with whole_file(path) as temporary, open(temporary, "wb") as file:
            np.save(file, features_VTPD)
