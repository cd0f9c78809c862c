"""Decoding as this project does it beside the libraries that others take, where they are installed."""

import importlib.util
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import torch

from hybrid.data.clip import ClipSpec
from hybrid.data.video import decode_clip


def ours(path: Path, spec: ClipSpec) -> np.ndarray:
    return decode_clip(path, spec).frames_THWC


def opencv(path: Path, spec: ClipSpec) -> np.ndarray:
    import cv2

    video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    rate = video.get(cv2.CAP_PROP_FPS)
    wanted, frames, number = [round(time * rate) for time in spec.times], [], 0
    while len(frames) < len(wanted) and video.grab():  # without making a picture of it
        if number == wanted[len(frames)]:
            _, picture = video.retrieve()
            method = cv2.INTER_AREA if spec.side < min(picture.shape[:2]) else cv2.INTER_CUBIC
            frames.append(cv2.cvtColor(cv2.resize(picture, (spec.side,) * 2, interpolation=method), cv2.COLOR_BGR2RGB))
        number += 1
    return np.stack(frames)


def decord(path: Path, spec: ClipSpec) -> np.ndarray:
    import decord

    video = decord.VideoReader(str(path), width=spec.side, height=spec.side, num_threads=1)
    rate = video.get_avg_fps()
    return video.get_batch([min(round(time * rate), len(video) - 1) for time in spec.times]).asnumpy()


def torchcodec(path: Path, spec: ClipSpec) -> np.ndarray:
    """Scaled by torchvision, which is faster than torchcodec's own way."""
    from torchcodec.decoders import VideoDecoder
    from torchvision.transforms.v2.functional import resize

    video = VideoDecoder(path, num_ffmpeg_threads=1)
    start = video.metadata.begin_stream_seconds
    frames_TCHW = video.get_frames_played_at([start + time for time in spec.times]).data
    return resize(frames_TCHW, [spec.side] * 2, antialias=True).permute(0, 2, 3, 1).contiguous().numpy()


WAYS: dict[str, tuple[str, Callable[[Path, ClipSpec], np.ndarray]]] = {
    "this project": ("av", ours),
    "OpenCV": ("cv2", opencv),
    "decord": ("decord", decord),
    "torchcodec": ("torchcodec", torchcodec),
}
"""by name: the module it needs, and how it makes frames (T, side, side, 3) of a square video of a constant rate.

The others do with that less than ours does: no time stamps, turns, deep samples or damage are looked at.
"""


def measure_decoding(videos: Sequence[Path], spec: ClipSpec, rounds: int) -> tuple[pd.DataFrame, list[str]]:
    """A row a way that is there: processor milliseconds a clip on one thread, the median, in turns clip by clip; how
    many times as long as the fastest other; and how far, in grey levels, its frames are from ours in the mean. Then why
    each of the others is not there.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    there, missing = {}, []
    for name, (module, way) in WAYS.items():
        if importlib.util.find_spec(module) is None:
            missing.append(f"{name} is not installed")
            continue
        try:
            if module == "cv2":
                importlib.import_module(module).setNumThreads(1)
            there[name] = way, way(videos[0], spec)
        except Exception as error:  # torchcodec without FFmpeg's libraries, a video that one of them cannot read
            if name == "this project":
                raise
            missing.append(f"{name} does not decode {videos[0].name}: {str(error).strip().splitlines()[0]}")
    seconds: dict[str, list[float]] = {name: [] for name in there}
    for path in [path for _ in range(rounds) for path in videos]:
        for name, (way, _) in there.items():
            began = time.process_time()
            way(path, spec)
            seconds[name].append(time.process_time() - began)
    torch.set_num_threads(threads)
    table = pd.DataFrame({"decoder": list(there), "ms": [1e3 * median(seconds[name]) for name in there]})
    others = table["ms"][1:].min()
    table["times_fastest_other"] = table["ms"] / others
    table["levels_off"] = [
        np.abs(frames_THWC.astype(float) - there["this project"][1]).mean() for _, frames_THWC in there.values()
    ]
    return table, missing
