"""Gates (g) and (h): what can be read from the clips as models get them, by networks that are none of the models.

Two readers, one of whole clips and one of first frames, are trained on 20000 clips of the stream, at the protocol's
crop, and asked about 2000 others, of other donors. They are told all that may help: quality and its parts, the scores
of form, and of whole clips how fast the cell goes in each frame and the cosine of the angle between its headings in
each two.

(g) visible                   the reader of clips tells form, motion and event
(h) a frame's worth           of the way from the mean predictor to the best possible answer that the reader of clips
                              closes, the reader of frames closes a good part, as single frames do in the paper
"""

from __future__ import annotations

import time
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from tqdm import tqdm

from hybrid.data.clip import ClipSpec
from hybrid.files import whole_file
from hybrid.simulator.checks.gates import Gate
from hybrid.simulator.checks.networks import convolutions, learn
from hybrid.simulator.dataset import in_processes
from hybrid.simulator.form import PARTS
from hybrid.simulator.panel import GRADES
from hybrid.simulator.settings import Settings

CLIPS_TRAIN, CLIPS_TEST, CLIPS_CHUNK = 20000, 2000, 100
"""clips in all, and clips of one data set: each has donors of its own"""
CLIPS_EPOCHS, FRAMES_EPOCHS = 4, 12
SPEC = ClipSpec(channels=1)
READ = ("quality", "quality_form", "quality_motion", "quality_event")
SCORES = tuple(f"score_{part}" for part in PARTS)
PAIRS = np.triu_indices(SPEC.num_frames, 1)
VISIBLE, WORTH = (0.7, 1.0), (0.40, 0.75)


def reader_gates(root: Path, preset: str, seed: int, settings: Settings, workers: int) -> list[Gate]:
    """Gates (g) and (h); the clips stay in `<root>/stream` for the next time."""
    clips = _clips(root / "stream", preset, seed, settings, workers)
    pictures, figures, fractions, expected = (clips[name] for name in ("frames", "figures", "fractions", "expected"))
    figures = (figures - figures[:CLIPS_TRAIN].mean(0)) / figures[:CLIPS_TRAIN].std(0)
    along = np.concatenate([figures, clips["speed"] - clips["speed"][:CLIPS_TRAIN].mean(), clips["turned"]], 1)
    start = time.process_time()
    clip_reader = partial(learn, of_clips, pictures, along, loss=_error, epochs=CLIPS_EPOCHS)
    frame_reader = partial(learn, of_frames, pictures[:, :1], figures, loss=_error, epochs=FRAMES_EPOCHS)
    by_clip, by_frame = (reader(train=CLIPS_TRAIN, seed=seed) for reader in (clip_reader, frame_reader))
    seconds = time.process_time() - start
    truth, fractions, expected = (a[CLIPS_TRAIN:] for a in (figures, fractions, expected))
    clip_way, frame_way = (closed(told[:, 0], fractions, expected) for told in (by_clip, by_frame))
    return [
        *(Gate("g", f"correlation with {READ[i]}, {CLIPS_TRAIN} clips", _correlation(by_clip, truth, i), VISIBLE)
          for i in (1, 2, 3)),
        *(Gate("g", f"the same of {SCORES[i - len(READ)]}", _correlation(by_clip, truth, i), None)
          for i in range(len(READ), len(READ) + len(SCORES))),
        *(Gate("h", f"correlation with {READ[i]} of a reader of first frames", _correlation(by_frame, truth, i), None)
          for i in range(len(READ))),
        Gate("h", "part of the way from the mean predictor to the oracle, reader of clips", clip_way, None),
        Gate("h", "part of the way, reader of first frames", frame_way, None),
        Gate("h", f"the second over the first (both readers {seconds:.0f} s of one core)", frame_way / clip_way, WORTH),
    ]  # fmt: skip


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


def of_frames():
    """A network that gives (B, 8) for first frames (B, 1, 64, 64): quality, its parts, the scores of form."""
    from torch import nn

    look = convolutions((16, 32, 48, 64, 64), (2, 1, 2, 2, 1))
    return nn.Sequential(look, nn.Dropout(0.2), nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, len(READ) + len(SCORES)))


def of_clips():
    """A network that gives (B, 8 + 16 + 120) for clips (B, 16, 64, 64): as `of_frames`, then the log of the speed in
    each frame, and the cosine between the headings in each two."""
    import torch
    from einops import rearrange
    from torch import nn

    class OfClips(nn.Module):
        def __init__(self):
            super().__init__()
            channels = (3, 12, 24, 24, 48, 48)  # three frames in a row show movement
            strides = (2, 2, 1, 2, 1)
            layers = []
            for inside, outside, stride in zip(channels[:-1], channels[1:], strides, strict=True):
                layers += [nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU()]
            self.look, self.where = nn.Sequential(*layers), nn.Linear(48 * 8 * 8, 64)
            self.heading, self.speed = nn.Linear(112, 2), nn.Linear(112, 1)
            self.token, self.when = nn.Linear(112, 64), nn.Parameter(0.1 * torch.randn(SPEC.num_frames, 64))
            layer = nn.TransformerEncoderLayer(64, 4, 128, 0.0, batch_first=True, norm_first=True)
            self.over_time = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            self.judge = nn.Sequential(nn.Linear(64 + 112 + 16 + 120, 96), nn.ReLU(), nn.Linear(96, 8))

        def forward(self, clip_BTHW):
            around = torch.cat([clip_BTHW[:, :1], clip_BTHW, clip_BTHW[:, -1:]], 1).unfold(1, 3, 1)
            maps = self.look(
                rearrange(around, "b t h w c -> (b t) c h w").contiguous(memory_format=torch.channels_last)
            )
            seen = torch.cat([self.where(maps.flatten(1)), maps.amax((2, 3))], 1)
            seen_BTC = rearrange(seen, "(b t) c -> b t c", b=len(clip_BTHW))
            speed = self.speed(seen_BTC.relu())[..., 0]
            heading = nn.functional.normalize(self.heading(seen_BTC.relu()), dim=-1, eps=0.1)
            turned = (heading @ heading.transpose(1, 2))[:, *PAIRS]
            tokens = self.over_time(self.token(seen_BTC) + self.when).mean(1)
            judged = self.judge(torch.cat([tokens, seen_BTC.mean(1), speed, turned], 1))
            return torch.cat([judged, speed, turned], 1)

    return OfClips()


def _error(told, true):
    """The mean squared error of each group of figures, added up."""
    groups = [slice(0, 4), slice(4, 8)] + [slice(8, 24), slice(24, None)] * (told.shape[1] > 8)
    return sum(((told[:, group] - true[:, group]) ** 2).mean() for group in groups)


def _correlation(told, truth, column) -> float:
    return float(np.corrcoef(told[:, column], truth[:, column])[0, 1])


def _clips(folder: Path, preset: str, seed: int, settings: Settings, workers: int) -> dict[str, np.ndarray]:
    folder.mkdir(parents=True, exist_ok=True)
    first = 10**6 * (seed + 1)
    sets = [(folder, preset, first + i, settings) for i in range((CLIPS_TRAIN + CLIPS_TEST) // CLIPS_CHUNK)]
    list(tqdm(in_processes(small_set, sets, workers), "filming small sets", len(sets), disable=None))
    made = [np.load(_path(folder, preset, of)) for _, _, of, _ in sets]
    return {name: np.concatenate([part[name] for part in made]) for name in made[0].files}


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
            pose=np.concatenate([seen_NT2, np.cos(heading_NT)[..., None], np.sin(heading_NT)[..., None]], -1).astype(np.float32),
            beat=np.array([[truth["amplitude"], 10 * abs(truth["bend"])] for truth in truths], np.float32),
            turned=np.cos(heading_NT[:, PAIRS[0]] - heading_NT[:, PAIRS[1]]).astype(np.float32),
            fractions=votes / votes.sum(1, keepdims=True),
            expected=np.array([[truth[f"expected_{grade}"] for grade in GRADES] for truth in truths]),
        )


def _track(truths, *names):
    return np.array([[[frame[name] for name in names] for frame in truth["path"]] for truth in truths])
