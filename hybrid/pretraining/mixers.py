"""What stands in attention's place in the part over frames, compared on frames that one pretrained model reads.

The model stays as it is. What it reads off every frame of the pool's clips is kept. Small parts over time learn from
that, and from true frames as in a pretraining, how parts of a clip relate and which event it shows: from the same clips
in the same order for every mixer, so that what differs is the mixer, and chance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import OmegaConf
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim.lr_scheduler import LambdaLR
from tqdm import tqdm

from hybrid.data.clip import ClipSpec
from hybrid.data.loader import as_input
from hybrid.errors import UserError
from hybrid.files import read_yaml
from hybrid.model.frame_part import FRAME_MIXERS, FramePart
from hybrid.model.frame_values import FrameReader
from hybrid.model.positions import FrameTimes
from hybrid.pretraining.attributes import Attributes
from hybrid.pretraining.module import TAUGHT, Objective, Scale, split
from hybrid.pretraining.pool import PoolClips
from hybrid.pretraining.run import GRADES, PretrainFolder, request_of
from hybrid.training.build import build_model, input_normalisation
from hybrid.training.optimiser import rate_factor

MIXERS = tuple(kind for kind in FRAME_MIXERS if kind != "none")
BATCH, RATE, DECAY, WARMUP, LARGEST_GRADIENT = 128, 3e-3, 0.05, 0.05, 1.0
"""clips of either kind a step; as the models learn"""
WIDTH, HEADS, FEATURES = 48, 4, 64
"""of the part, as at size tiny; and of what it tells in the end"""
AT_ONCE = 50
"""clips that are read at a time"""


@dataclass(frozen=True)
class ReadFrames:
    """N clips: what a model reads off their frames, what is true of these, in one unit; and all that is known."""

    read_NTD: Tensor
    true_NTD: Tensor
    values_NV: Tensor


@dataclass(frozen=True)
class Reading:
    """Clips that are learned from, others that are told, and what tells how wrong an answer is."""

    learned: ReadFrames
    held_out: ReadFrames
    objective: Objective


def read(pretraining: Path, pools: Path, clips: int, held_out: int) -> Reading:
    """What a finished pretraining's model reads off clips of its pool, and of the next seed's. pools: their folder."""
    folder = PretrainFolder(pretraining)
    if not folder.done:
        raise UserError(f"{pretraining} holds no finished pretraining: python tools/pretrain.py makes one")
    config = OmegaConf.create(read_yaml(folder.config))
    config.model.pretrained = str(folder.model)
    content = torch.load(folder.model, map_location="cpu", weights_only=True)
    attributes = Attributes(**content["attributes"])
    objective, request = Objective(attributes, Scale(**content["scale"])), request_of(config)
    model, normalisation, spec = build_model(config, GRADES).eval(), input_normalisation(config), request.spec
    reader = content["reader"]

    @torch.no_grad()
    def of_pool(seed: int, number: int) -> ReadFrames:
        pool = PoolClips(pools, replace(request, seed=seed), number, attributes)
        found = []
        for start in tqdm(range(0, number, AT_ONCE), desc="reading frames", unit="batch", disable=None):
            frames_BTHWC = torch.from_numpy(np.array(pool.frames_NTHWC[start : start + AT_ONCE]))
            shown = as_input(frames_BTHWC, normalisation, used=model.used_frames(spec.num_frames))
            steps = model.time_steps(model.forward_features(model.checked(shown)), spec.num_frames)
            found.append(model.read_frames(steps) if model.reads_frames else linear_reader(reader, steps, spec)(steps))
        values_NV = torch.from_numpy(np.array(pool.values_NV))
        *_, frames_NTD = split(attributes, values_NV)
        return ReadFrames(torch.cat(found), objective.frames_wanted(frames_NTD), values_NV)

    return Reading(of_pool(request.seed, clips), of_pool(request.seed + 1, held_out), objective)


def linear_reader(weights: dict[str, Tensor], steps: list[Tensor], spec: ClipSpec) -> FrameReader:
    """What a pretraining read frames with, off the time steps of a model that does not do so itself."""
    reader = FrameReader([(spec.num_frames // x_BSD.shape[1], x_BSD.shape[2]) for x_BSD in steps])
    reader.load_state_dict(
        {key.removeprefix("frames."): value for key, value in weights.items() if key.startswith("frames.")}
    )
    return reader


class PartAlone(nn.Module):
    """The part over frames and what reads the answers off it, without the rest of a model."""

    def __init__(self, kind: str, num_frames: int, num_outputs: int):
        super().__init__()
        self.part = FramePart(
            [(1, 1)], kind=kind, width=WIDTH, heads=HEADS, num_frames=num_frames, num_features=FEATURES
        )
        nn.init.ones_(self.part.leave.norm.weight)  # there is nothing else to start from
        self.part.read.requires_grad_(False)  # it is given frames
        self.answer = nn.Linear(FEATURES, num_outputs)

    def forward(self, frames_BTD: Tensor, times: FrameTimes) -> Tensor:
        return self.answer(self.part(frames_BTD, times, frames_BTD.new_zeros(len(frames_BTD), FEATURES)))


def train(kind: str, reading: Reading, steps: int, seed: int) -> dict[str, Any]:
    """One part's errors on held-out clips, from frames as read and as they are, by what was asked."""
    objective, learned, held_out = reading.objective, reading.learned, reading.held_out
    num_frames = learned.read_NTD.shape[1]
    frame_T = torch.arange(num_frames)
    times = FrameTimes.of_frames(frame_T, num_frames, objective.attributes.frame_rate)
    torch.manual_seed(seed)
    net = PartAlone(kind, num_frames, objective.num_outputs)
    weights = [weight for weight in net.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=RATE, weight_decay=DECAY)
    schedule = LambdaLR(optimiser, lambda step: rate_factor(step, steps, round(WARMUP * steps)))
    torch.manual_seed(seed)  # the same clips, turns and noise, whatever the mixer drew

    def errors(frames_BTD: Tensor, values_BV: Tensor) -> dict[str, Tensor]:
        return objective.of_clip(net(frames_BTD, times), values_BV)

    for _ in tqdm(range(steps), desc=f"{kind}, training {seed}", unit="step", leave=False, disable=None):
        seen, told = torch.randint(len(learned.read_NTD), (2, BATCH))
        frames_BTD = torch.cat([learned.read_NTD[seen], objective.noisy(learned.true_NTD[told])])
        found = errors(frames_BTD, learned.values_NV[torch.cat([seen, told])])
        optimiser.zero_grad()
        sum(objective.share(group) * found[group] for group in TAUGHT if group in found).backward()
        clip_grad_norm_(weights, LARGEST_GRADIENT)
        optimiser.step()
        schedule.step()
    net.eval()
    with torch.no_grad():
        by_frames = {"read": errors(held_out.read_NTD, held_out.values_NV)}
        by_frames["true"] = errors(held_out.true_NTD, held_out.values_NV)
    asked = [name for name in by_frames["read"] if name.startswith(("relations", *TAUGHT))]
    result = {f"{name}, {frames}": float(found[name]) for frames, found in by_frames.items() for name in asked}
    return {"mixer": kind, "training": seed, "parameters": sum(weight.numel() for weight in weights), **result}
