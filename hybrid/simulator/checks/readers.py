"""Gates (g) and (h): what can be read from the clips as models get them, by networks that are none of the models.

Readers are trained on 20000 clips of the stream, at the protocol's crop, and asked about 2000 others, of other donors.
They are told all that may help: where the head is in a frame and where it looks, quality and its parts, the scores of
form, how large the tail's beat and its mean bend are, and of whole clips how fast the cell goes in each frame.

pose        where the head is and where it looks, from one whole frame; the others look at heads and tails that are
            turned and moved alike, and have the angles between headings, by what this one says
frames      all that one frame tells, from the head and the tail; trained on any frame, asked about the first
clips       all that a clip tells, from its heads, its whole frames in threes, and the angles between its headings

(g) visible                   the reader of clips tells form, motion and event
(h) a frame's worth           of the way from the mean predictor to the best possible answer that the reader of clips
                              closes, the reader of frames closes a good part, as single frames do in the paper
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from tqdm import tqdm

from hybrid.data.clip import ClipSpec
from hybrid.files import whole_file
from hybrid.simulator.checks.gates import Gate
from hybrid.simulator.dataset import in_processes
from hybrid.simulator.form import PARTS
from hybrid.simulator.panel import GRADES
from hybrid.simulator.presets import COMPONENTS, get_preset
from hybrid.simulator.request import VERSION
from hybrid.simulator.settings import Settings

CLIPS_TRAIN, CLIPS_TEST, CLIPS_CHUNK = 20000, 2000, 100
"""clips in all, and clips of one data set: each has donors of its own"""
POSE_EVERY, POSE_EPOCHS, FRAMES_EPOCHS, CLIPS_EPOCHS = 8, 1, 12, 2
HEADS = 4
"""frames of a clip whose heads are looked at in one step of training; asked about, all are"""
BATCH = 64
SPEC = ClipSpec(channels=1)
READ = ("quality", "quality_form", "quality_motion", "quality_event")
SCORES = tuple(f"score_{part}" for part in PARTS)
PAIRS = np.triu_indices(SPEC.num_frames, 1)
STORED = ("frames", "figures", "speed", "pose", "beat", "fractions", "expected")
VISIBLE, WORTH = (0.7, 1.0), (0.40, 0.75)
HEAD = (24, 0.7, 0.0)
"""px, width and height of a picture of the head; px of the frame from one to the next; and how far behind the head its
middle lies, px of the frame"""
TAIL = (32, 1.1, 12.0)


def reader_gates(root: Path, preset: str, seed: int, settings: Settings, workers: int) -> list[Gate]:
    """Gates (g) and (h); the clips stay in `<root>/stream-<what they are made of>` for the next time."""
    made_of = [VERSION, asdict(get_preset(preset)), asdict(settings)]
    text = json.dumps(made_of, default=lambda function: function.__name__, sort_keys=True)
    folder = root / f"stream-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    clips = _clips(folder, preset, seed, settings, workers)
    start = time.process_time()
    by_clip, by_frame, off = read(clips, CLIPS_TRAIN, seed)
    seconds = time.process_time() - start
    truth, fractions, expected = (clips[name][CLIPS_TRAIN:] for name in ("figures", "fractions", "expected"))
    clip_way, frame_way = (closed(graded(told, preset), fractions, expected) for told in (by_clip, by_frame))
    names = (*READ, *SCORES)
    return [
        *(Gate("g", f"correlation with {name}, {CLIPS_TRAIN} clips", _correlation(by_clip, truth, i), VISIBLE)
          for i, name in enumerate(names) if name in READ[1:]),
        *(Gate("g", f"the same of {name}", _correlation(by_clip, truth, i), None)
          for i, name in enumerate(names) if name in SCORES),
        Gate("g", "median error of a heading told from one frame, degrees", off, None),
        *(Gate("h", f"correlation with {name} of a reader of first frames", _correlation(by_frame, truth, i), None)
          for i, name in enumerate(READ)),
        Gate("h", "part of the way from the mean predictor to the oracle, reader of clips", clip_way, None),
        Gate("h", "part of the way, reader of first frames", frame_way, None),
        Gate("h", f"the second over the first (readers {seconds:.0f} s of one core)", frame_way / clip_way, WORTH),
    ]  # fmt: skip


def read(clips: dict[str, np.ndarray], train: int, seed: int) -> tuple[np.ndarray, np.ndarray, float]:
    """What the readers of clips and of first frames, trained on the first `train` clips, say of the others: figures
    (N, 8) in the order of READ and SCORES; and the median error in degrees of a heading that is told from one frame."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    frames = torch.as_tensor(clips["frames"])
    figures = np.concatenate([clips["figures"], clips["beat"]], 1)
    mean, sd = figures[:train].mean(0), figures[:train].std(0)
    told, speed = (
        torch.as_tensor((figures - mean) / sd),
        torch.as_tensor(clips["speed"] - clips["speed"][:train].mean()),
    )
    pose, off = _poses(frames, torch.as_tensor(clips["pose"]), train, seed)
    heading = pose[..., 2:]
    turned = (heading @ heading.transpose(1, 2))[:, *PAIRS]

    def one_frame(batch, training):
        when = torch.randint(SPEC.num_frames, (len(batch),)) if training else torch.zeros_like(batch)
        seen, place = normalised(frames[batch, when]), pose[batch, when]
        return tuple(aligned(seen, place, *crop, varied=training)[:, None] for crop in (HEAD, TAIL))

    def whole_clip(batch, training):
        seen = normalised(frames[batch])
        when = torch.randperm(SPEC.num_frames)[:HEADS] if training else torch.arange(SPEC.num_frames)
        heads = aligned(seen[:, when].flatten(0, 1), pose[batch][:, when].flatten(0, 1), *HEAD, varied=training)
        if training:
            seen = torch.rot90(seen.flip(-1) if torch.rand(()) < 0.5 else seen, int(torch.randint(4, ())), (-2, -1))
        return heads.unflatten(0, (len(batch), -1)), seen, turned[batch]

    wanted, rest = slice(len(READ) + len(SCORES)), torch.arange(train, len(frames)).split(BATCH)
    said = []
    for make, see, targets, epochs in (
        (of_clips, whole_clip, torch.cat([told, speed], 1), CLIPS_EPOCHS),
        (of_frames, one_frame, told, FRAMES_EPOCHS),
    ):
        net = taught(make, see, targets, train, seed, _error, epochs)
        answers = torch.cat([_asked(net, see(batch, False)) for batch in rest])[:, wanted]
        said.append(answers.numpy() * sd[wanted] + mean[wanted])
    torch.set_num_threads(threads)
    return *said, off


def _poses(frames_NTHW, pose_NT4, train: int, seed: int):
    """Where the head is in each frame, px, and where it looks, as cosine and sine, as a network says of it; and its
    median error of the angle in clips it was not trained on."""
    import torch

    some, true = (a[:, ::POSE_EVERY].flatten(0, 1) for a in (frames_NTHW, pose_NT4))
    scale = torch.tensor([SPEC.side / 2, SPEC.side / 2, 1, 1])
    number = train * len(some) // len(frames_NTHW)
    net = taught(
        of_pose, lambda batch, _: (normalised(some[batch]),), true / scale, number, seed, _mean_square, POSE_EPOCHS
    )
    said = [_asked(net, (normalised(part),)) for part in frames_NTHW.flatten(0, 1).split(4 * BATCH)]
    said = (torch.cat(said) * scale).unflatten(0, frames_NTHW.shape[:2])
    said[..., 2:] = torch.nn.functional.normalize(said[..., 2:], dim=-1)
    cosine = (said * pose_NT4)[train:, :, 2:].sum(-1).clamp(-1, 1)
    return said, float(cosine.acos().median().rad2deg())


def taught(make: Callable, see: Callable, targets_NF, train: int, seed: int, loss: Callable, epochs: int):
    """A network from `make()`, trained on the first `train` targets. see(indices, training): its inputs.

    AdamW with one cycle of the learning rate up to 2e-3."""
    import torch

    torch.manual_seed(seed)
    net = make().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=epochs * -(-train // BATCH))
    for _ in tqdm(range(epochs), "training a reader", unit="epoch", disable=None):
        for batch in torch.randperm(train).split(BATCH):
            inputs = see(batch, True)
            with _half():
                told = net(*inputs)
            error = loss(told.float(), targets_NF[batch])
            optimiser.zero_grad()
            error.backward()
            optimiser.step()
            schedule.step()
    return net.eval()


def _asked(net, inputs):
    import torch

    with torch.no_grad(), _half():
        return net(*inputs).float()


def _half():
    """Half precision where the processor is made for it: twice as fast."""
    import torch

    return torch.autocast("cpu", torch.bfloat16, enabled=torch.cpu._is_avx512_bf16_supported())


def normalised(frames):
    """The mean of each clip or frame (B, .., H, W) is taken off; 20 grey levels are 1."""
    frames = frames.float()
    return (frames - frames.flatten(1).mean(1).view(-1, *[1] * (frames.ndim - 1))) / 20


def aligned(frames_BHW, pose_B4, side: int, step: float, behind: float, *, varied: bool = False):
    """(B, side, side) the cell with its head at one place, looking right. varied: mirrored, moved and turned a bit."""
    import torch

    number, (high, wide) = len(frames_BHW), frames_BHW.shape[1:]
    place, angle = pose_B4[:, :2], torch.atan2(pose_B4[:, 3], pose_B4[:, 2])
    mirror = torch.ones(number)
    if varied:
        place, angle = place + 0.5 * torch.randn(number, 2), angle + 0.1 * torch.randn(number)
        mirror = torch.where(torch.rand(number) < 0.5, -1.0, 1.0)
    axis = (torch.arange(side) - (side - 1) / 2) * step
    along, across = (axis - behind)[None, None, :], axis[None, :, None] * mirror[:, None, None]
    c, s = angle.cos()[:, None, None], angle.sin()[:, None, None]
    x = place[:, 0, None, None] + c * along - s * across
    y = place[:, 1, None, None] + s * along + c * across
    grid = torch.stack([2 * x / (wide - 1) - 1, 2 * y / (high - 1) - 1], -1)
    look = torch.nn.functional.grid_sample(frames_BHW[:, None], grid, align_corners=True, padding_mode="border")
    return look[:, 0]


def closed(told_N: np.ndarray, fractions_NK: np.ndarray, expected_NK: np.ndarray) -> float:
    """Part of the MSE between the mean predictor and the panel's expected distribution that a told quality does away
    with. The fractions follow from it by a cubic, fitted on one half of the clips for the other."""
    cubic = np.stack([told_N**power for power in range(4)], 1)
    half = np.arange(len(told_N)) % 2 == 0
    errors = {"told": [], "mean": [], "oracle": []}
    for fit, test in ((half, ~half), (~half, half)):
        answers = {
            "told": cubic[test] @ np.linalg.lstsq(cubic[fit], fractions_NK[fit], rcond=None)[0],
            "mean": fractions_NK[fit].mean(0),
            "oracle": expected_NK[test],
        }
        for name, answer in answers.items():
            errors[name].append(((answer - fractions_NK[test]) ** 2).mean())
    told, mean, oracle = (np.mean(errors[name]) for name in ("told", "mean", "oracle"))
    return float((mean - told) / (mean - oracle))


def graded(told_N8: np.ndarray, preset: str) -> np.ndarray:
    """(N,) the quality that follows from the parts that are told."""
    shares = dict(zip(COMPONENTS, get_preset(preset).shares, strict=True))
    form, motion, event = told_N8[:, 1:4].T
    parts = dict(form=form, motion=motion, event=event, interaction=form * motion)
    return sum(np.sqrt(shares[name]) * part for name, part in parts.items())


def of_pose():
    """A network that gives (B, 4) for frames (B, 64, 64): where the head is, in half sides, and where it looks."""
    import torch
    from torch import nn

    class OfPose(nn.Module):
        def __init__(self):
            super().__init__()
            self.look, self.tell = _convolutions((1, 12, 24, 24), (2, 2, 1)), _convolutions((26, 24), (1,))
            self.where, self.which = nn.Conv2d(24, 1, 1), nn.Conv2d(24, 2, 1)
            axis = (torch.arange(SPEC.side // 4) * 4 + 1.5) / (SPEC.side / 2)
            y, x = torch.meshgrid(axis, axis, indexing="ij")
            self.register_buffer("place", torch.stack([x, y]))

        def forward(self, frame_BHW):
            seen = self.look(frame_BHW[:, None])
            maps = self.tell(torch.cat([seen, self.place.expand(len(seen), -1, -1, -1) - 1], 1))
            weight = self.where(maps).flatten(2).softmax(-1)
            told = torch.cat([self.place.expand(len(seen), -1, -1, -1), self.which(maps)], 1)
            return (told.flatten(2) * weight).sum(-1)

    return OfPose()


def of_frames():
    """A network that gives (B, 10) for heads (B, 1, 24, 24) and tails (B, 1, 32, 32) of single frames: quality, its
    parts, the scores of form, and the tail's beat and bend."""
    import torch
    from torch import nn

    class OfFrames(nn.Module):
        def __init__(self):
            super().__init__()
            self.head, self.tail = _of_heads(), _pooled((1, 16, 32, 48, 64), (2, 1, 2, 1))
            self.judge = nn.Sequential(nn.Dropout(0.2), nn.Linear(512, 96), nn.ReLU(), nn.Linear(96, 10))

        def forward(self, head_B1HW, tail_B1HW):
            return self.judge(torch.cat([self.head(head_B1HW), self.tail(tail_B1HW)], 1))

    return OfFrames()


def of_clips():
    """A network that gives (B, 10 + 16) for the heads (B, T, 24, 24) of some frames, whole clips (B, 16, 64, 64) and
    the cosines (B, 120) of the angle between the headings in each two frames: as `of_frames`, then the log of the
    speed in each frame."""
    import torch
    from torch import nn

    class OfClips(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = _of_heads()
            self.form = nn.Sequential(nn.Dropout(0.2), nn.Linear(256, 64), nn.ReLU())
            self.look = _convolutions((3, 12, 24, 32, 48), (2, 2, 2, 1))  # three frames in a row show movement
            self.where = nn.Linear(48 * 8 * 8, 64)
            self.speed = nn.Linear(112, 1)
            self.token, self.when = nn.Linear(112, 64), nn.Parameter(0.1 * torch.randn(SPEC.num_frames, 64))
            layer = nn.TransformerEncoderLayer(64, 4, 128, 0.0, batch_first=True, norm_first=True)
            self.over_time = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            self.judge = nn.Sequential(nn.Linear(64 + 64 + 112 + 16 + 120, 128), nn.ReLU(), nn.Linear(128, 10))

        def forward(self, heads_BTHW, clip_BTHW, turned_BP):
            number = len(clip_BTHW)
            form = self.form(self.head(heads_BTHW.flatten(0, 1)[:, None]).unflatten(0, (number, -1)).mean(1))
            around = torch.cat([clip_BTHW[:, :1], clip_BTHW, clip_BTHW[:, -1:]], 1).unfold(1, 3, 1)
            maps = self.look(around.flatten(0, 1).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last))
            seen = torch.cat([self.where(maps.flatten(1)), maps.amax((2, 3))], 1).unflatten(0, (number, -1))
            speed = self.speed(seen.relu())[..., 0]
            tokens = self.over_time(self.token(seen) + self.when).mean(1)
            judged = self.judge(torch.cat([form, tokens, seen.mean(1), speed, turned_BP], 1))
            return torch.cat([judged, speed], 1)

    return OfClips()


def _of_heads():
    return _pooled((1, 24, 32, 48, 64), (1, 2, 1, 2))


def _pooled(channels: tuple[int, ...], strides: tuple[int, ...]):
    """Convolutions, and the mean of each feature over each quarter of the picture."""
    from torch import nn

    return nn.Sequential(_convolutions(channels, strides), nn.AdaptiveAvgPool2d(2), nn.Flatten())


def _convolutions(channels: tuple[int, ...], strides: tuple[int, ...]):
    from torch import nn

    layers = []
    for inside, outside, stride in zip(channels[:-1], channels[1:], strides, strict=True):
        layers += [nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU()]
    return nn.Sequential(*layers)


def _error(told, true):
    """The mean squared error of each group of figures, added up."""
    groups = [slice(0, 4), slice(4, 8), slice(8, 10)] + [slice(10, None)] * (told.shape[1] > 10)
    return sum(_mean_square(told[:, group], true[:, group]) for group in groups)


def _mean_square(told, true):
    return ((told - true) ** 2).mean()


def _correlation(told, truth, column) -> float:
    return float(np.corrcoef(told[:, column], truth[:, column])[0, 1])


def _clips(folder: Path, preset: str, seed: int, settings: Settings, workers: int) -> dict[str, np.ndarray]:
    folder.mkdir(parents=True, exist_ok=True)
    first = 10**6 * (seed + 1)
    sets = [(folder, preset, first + i, settings) for i in range((CLIPS_TRAIN + CLIPS_TEST) // CLIPS_CHUNK)]
    list(tqdm(in_processes(small_set, sets, workers), "filming small sets", len(sets), disable=None))
    clips = {}
    for i, (_, _, of, _) in enumerate(sets):  # one after another: the frames alone are 1.4 GB
        with np.load(_path(folder, preset, of)) as made:
            for name in STORED:
                part = made[name]
                whole = clips.setdefault(name, np.empty((len(sets) * CLIPS_CHUNK, *part.shape[1:]), part.dtype))
                whole[i * CLIPS_CHUNK : (i + 1) * CLIPS_CHUNK] = part
    return clips


def _path(folder: Path, preset: str, seed: int) -> Path:
    return folder / f"{preset}-{seed}.npz"


def small_set(task: tuple[Path, str, int, Settings]) -> None:
    """Write the clips of one small data set, and what the readers are told of them, where it is not there yet."""
    from hybrid.data.video import decode_clip
    from hybrid.simulator.stream import recordings

    folder, preset, seed, settings = task
    if _path(folder, preset, seed).exists():
        return
    frames, truths = [], []
    with TemporaryDirectory() as place:
        video = Path(place) / "clip.mp4"
        for file, truth in islice(recordings(seed, preset=preset, settings=settings), CLIPS_CHUNK):
            video.write_bytes(file)
            frames.append(decode_clip(video, SPEC).frames_THWC[..., 0])
            truths.append(truth)
    place_NT2, heading_NT = _track(truths, "x_um", "y_um"), _track(truths, "heading")[..., 0]
    seen_NT2 = (_track(truths, "x_px", "y_px") + 0.5) * (SPEC.side / settings.size) - 0.5
    step = np.linalg.norm(np.diff(place_NT2, axis=1), axis=-1) * SPEC.frame_rate
    votes = np.array([truth["votes"] for truth in truths])
    with whole_file(_path(folder, preset, seed)) as temporary, open(temporary, "wb") as file:
        np.savez(
            file,
            frames=np.stack(frames),
            figures=np.array([[truth[name] for name in (*READ, *SCORES)] for truth in truths], np.float32),
            speed=np.log1p(np.concatenate([step, step[:, -1:]], 1)).astype(np.float32),
            pose=np.concatenate(
                [seen_NT2, np.stack([np.cos(heading_NT), np.sin(heading_NT)], -1)], -1, dtype=np.float32
            ),
            beat=np.array([[truth["amplitude"], 10 * abs(truth["bend"])] for truth in truths], np.float32),
            fractions=votes / votes.sum(1, keepdims=True),
            expected=np.array([[truth[f"expected_{grade}"] for grade in GRADES] for truth in truths]),
        )


def _track(truths, *names):
    return np.array([[[frame[name] for name in names] for frame in truth["path"]] for truth in truths])
