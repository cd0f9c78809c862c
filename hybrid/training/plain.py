"""The plain way to train and to ask the same networks, for `steps` to measure beside ours.

A network of the library that published it, eager and in float32; a DataLoader whose items open and decode their video
when they are asked for; a loop over its batches. It does all that ours does (augmentation, clipping of gradients, a
schedule), but for TimeSformer's stochastic depth, and nothing that would slow it down: every line is what a user of
these libraries would write.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from einops import rearrange
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms.v2 import functional as F

from baselines import slowfast, timesformer, vivit
from baselines.slowfast import pack_pathways
from hybrid.config import TrainConfig
from hybrid.data.clip import ClipSpec
from hybrid.device import Machine
from hybrid.errors import UserError
from hybrid.profiling.timing import busy_clock, wait_for
from hybrid.training.build import build_model

IMPLEMENTATIONS = {
    "slowfast": "pytorchvideo create_slowfast",
    "timesformer": "transformers TimesformerForVideoClassification",
    "vivit": "transformers VivitForVideoClassification",
    "hybrid": "the same network: no library has it",
}
"""by the model that it is the plain way of"""


class PlainNet(nn.Module):
    """clip_BCTHW -> logits_BK, by the network of a library that takes clips in another form."""

    def __init__(self, net: nn.Module, name: str) -> None:
        super().__init__()
        self.net, self.name = net, name

    def forward(self, clip_BCTHW: Tensor) -> Tensor:
        if self.name == "slowfast":
            return self.net(list(pack_pathways(clip_BCTHW, alpha=4)))
        if self.name in ("timesformer", "vivit"):
            return self.net(rearrange(clip_BCTHW, "b c t h w -> b t c h w")).logits
        return self.net(clip_BCTHW)


def plain_net(config: TrainConfig, num_grades: int) -> PlainNet:
    """The library's network at the sizes of the configured model, with fresh weights."""
    name, size, side, frames = (
        config.model.name,
        config.model.size,
        config.protocol.crop_size,
        config.model.num_frames,
    )
    shape = dict(num_channels=config.data.channels, image_size=side, num_frames=frames, num_labels=num_grades)
    if name == "slowfast":
        from pytorchvideo.models.slowfast import create_slowfast

        sizes = slowfast.VARIANTS["slowfast_r50"] if size == "paper" else slowfast.TINY
        net = create_slowfast(
            **sizes,
            slowfast_fusion_conv_stride=(4, 1, 1),
            input_channels=(config.data.channels,) * 2,
            model_num_class=num_grades,
            head_pool_kernel_sizes=((frames // 4, side // 32, side // 32), (frames, side // 32, side // 32)),
        )
    elif name == "timesformer":
        transformers = _transformers()
        chosen = _in_their_words(timesformer.SIZES[size])
        net = transformers.TimesformerForVideoClassification(
            transformers.TimesformerConfig(**shape, **chosen, attn_implementation="eager")
        )
    elif name == "vivit":
        transformers = _transformers()
        chosen = _in_their_words(vivit.SIZES[size])
        chosen["tubelet_size"] = [vivit.TUBELET, chosen["patch_size"], chosen.pop("patch_size")]
        net = transformers.VivitForVideoClassification(
            transformers.VivitConfig(**shape, **chosen, attn_implementation="eager")
        )
    else:
        net = build_model(config, num_grades)
    return PlainNet(net, name)


def _transformers():
    try:
        import transformers
    except ImportError:
        raise UserError("the plain way of TimeSformer and ViViT is transformers': pip install -e '.[frozen]'") from None
    return transformers


def _in_their_words(sizes: dict[str, int]) -> dict[str, int]:
    return {
        "patch_size": sizes["patch"],
        "hidden_size": sizes["dim"],
        "num_hidden_layers": sizes["depth"],
        "num_attention_heads": sizes["heads"],
        "intermediate_size": 4 * sizes["dim"],
    }


class PlainClips(Dataset):
    """An item is (clip_CTHW, target_K): a video decoded by PyAV, sampled, scaled, cropped, augmented, normalised."""

    def __init__(
        self, paths: Sequence[Path], targets_NK: Tensor, spec: ClipSpec, mean: tuple, std: tuple, augment=None
    ) -> None:
        self.paths, self.targets_NK, self.spec, self.augment = paths, targets_NK, spec, augment
        self.mean, self.std = list(mean), list(std)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        import av

        with av.open(str(self.paths[number])) as container:
            rate = float(container.streams.video[0].average_rate)
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        wanted = [min(round(time * rate), len(frames) - 1) for time in self.spec.times]
        clip_TCHW = torch.from_numpy(np.stack([frames[frame] for frame in wanted])).permute(0, 3, 1, 2)
        side = self.spec.side
        clip_TCHW = F.center_crop(F.resize(clip_TCHW, side, antialias=True), [side, side])
        if self.augment is not None:
            clip_TCHW = self._augmented(clip_TCHW)
        clip_TCHW = F.normalize(F.to_dtype(clip_TCHW, torch.float32, scale=True), self.mean, self.std)
        return clip_TCHW.transpose(0, 1), self.targets_NK[number]

    def _augmented(self, clip_TCHW: Tensor) -> Tensor:
        mirrored, turns, down, right, gain, offset = torch.rand(6).tolist()
        if self.augment.flips_and_turns:
            clip_TCHW = F.horizontal_flip(clip_TCHW) if mirrored < 0.5 else clip_TCHW
            clip_TCHW = clip_TCHW.rot90(int(4 * turns), (2, 3))
        reach = round(self.augment.shift * self.spec.side)
        clip_TCHW = F.pad(clip_TCHW, [reach], padding_mode="edge")
        top, left = (int((2 * reach + 1) * draw) for draw in (down, right))
        clip_TCHW = F.crop(clip_TCHW, top, left, self.spec.side, self.spec.side)
        gain, offset = 1 + self.augment.gain * (2 * gain - 1), self.augment.offset * (2 * offset - 1)
        return F.to_dtype(clip_TCHW, torch.float32, scale=True) * gain + offset


class PlainWay:
    """One configured model the plain way, on a machine, learning from videos on a disk."""

    def __init__(self, config: TrainConfig, machine: Machine, clips: PlainClips) -> None:
        self.config, self.device, self.clips = config, machine.device, clips
        torch.manual_seed(0)
        self.net = plain_net(config, clips.targets_NK.shape[1]).to(self.device)

    def batches(self, train: bool) -> DataLoader:
        """On a CPU in this process, which computes there too; beside a GPU in as many as there are processors."""
        workers = 0 if self.device.type == "cpu" else min(os.cpu_count(), 8)
        size = self.config.protocol.batch_size
        self.clips.augment = self.config.protocol.augment if train else None
        return DataLoader(self.clips, size, shuffle=train, num_workers=workers, drop_last=train, pin_memory=workers > 0)

    def train(self) -> list[dict[str, float]]:
        """Seconds of each step of an epoch but the first, and of these until its clips were there."""
        recipe, batches, steps = self.config.model.recipe, self.batches(train=True), []
        optimiser = torch.optim.AdamW(self.net.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, len(batches))
        self.net.train()
        began = self.now()
        for clip_BCTHW, target_BK in batches:
            clip_BCTHW, target_BK = (x.to(self.device, non_blocking=True) for x in (clip_BCTHW, target_BK))
            loaded = self.now()
            loss = nn.functional.mse_loss(self.net(clip_BCTHW).softmax(1), target_BK)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.net.parameters(), recipe.clip_gradient)
            optimiser.step()
            schedule.step()
            ended = self.now()
            steps.append({"step": ended - began, "loading": loaded - began})
            began = ended
        return steps[1:]

    @torch.inference_mode()
    def ask(self) -> float:
        """Seconds to answer for all clips."""
        self.net.eval()
        began = self.now()
        for clip_BCTHW, _ in self.batches(train=False):
            self.net(clip_BCTHW.to(self.device, non_blocking=True)).softmax(1).cpu()
        return self.now() - began

    def now(self) -> float:
        wait_for(self.device)
        return busy_clock(self.device)()
