"""Whether the weights that a run starts from have learned from clips that it is tested on.

Such a run reports an error that is too low, and nothing in its numbers shows it. So checkpoints keep the content of
every clip behind them (`TrainedOn`), and a start from one that has seen a test clip is refused, or allowed with
`allow_leak=true` and marked in the result and the report. The same holds for a checkpoint of this program that does
not say what it has seen, from before it was recorded: it was trained on graded clips, most likely these.

What cannot be known: a clip that was encoded anew has other bytes; and a file of others (published weights, say)
keeps no record. The latter is allowed with a notice, as its authors have hardly had one's clips.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from baselines.registry import is_shipped
from hybrid.config import TrainConfig
from hybrid.data.dataset import ClipDataset
from hybrid.data.folds import held_out_clips
from hybrid.data.grade_rows import source_videos
from hybrid.data.problems import some_of
from hybrid.errors import UserError
from hybrid.files import check_record
from hybrid.folders import run_folder
from hybrid.training.checkpoint import FRESH, TrainedOn, read_trained_on, short_digest

OURS = "sperm-video-hybrid"


def trained_on(config: TrainConfig, dataset: ClipDataset, train_clips: np.ndarray) -> TrainedOn:
    """What the run's weights have learned from, in it and in what it starts from."""
    start = behind(config.model.pretrained) or TrainedOn((), complete=False)
    sides = [min(dataset.facts[clip].width, dataset.facts[clip].height) for clip in train_clips]
    own = {dataset.digests[clip] for clip in train_clips}
    own |= source_videos(dataset.root, [dataset.clips[clip] for clip in train_clips])
    return TrainedOn(tuple(sorted({*map(short_digest, own), *start.digests})), start.complete, (min(sides), max(sides)))


def behind(pretrained: str) -> TrainedOn | None:
    """What the weights that a model starts from have learned from; None of a file that does not say.

    pretrained: as `model.pretrained`; 'official' weights have seen none of one's clips, nor have those that are
    shipped: they learned from simulated clips of seeds that no data set has.
    """
    return FRESH if pretrained in ("none", "official") or is_shipped(pretrained) else _read(pretrained)[0]


def check_start(config: TrainConfig, dataset: ClipDataset, fold_of_N: np.ndarray) -> int | None:
    """How many of the run's test clips the weights that it starts from have learned from; None if that is not known.

    A UserError unless there are none or the configuration allows it; see the module.
    """
    seen, complaint = _judged(config, dataset, fold_of_N)
    if complaint and not config.allow_leak:
        raise UserError(_refusal(config.model.pretrained, [complaint]))
    return seen


def check_starts(configs: Iterable[TrainConfig], dataset: ClipDataset, folds_RN: np.ndarray) -> None:
    """The same for many runs, before the first of them is trained: one error, and a notice of what is not known."""
    complaints: dict[str, list[str]] = {}
    for config in configs:
        seen, complaint = _judged(config, dataset, folds_RN[config.repeat])
        if complaint and not config.allow_leak:
            complaints.setdefault(config.model.pretrained, []).append(complaint)
        elif seen is None:
            complaints.setdefault(config.model.pretrained, [])
    if refused := {path: found for path, found in complaints.items() if found}:
        raise UserError("\n".join(_refusal(path, found) for path, found in refused.items()))
    for path in complaints:
        print(f"note: {path} does not say which clips it was trained on; they may be tested on here", file=sys.stderr)


def _judged(config: TrainConfig, dataset: ClipDataset, fold_of_N: np.ndarray) -> tuple[int | None, str]:
    """Test clips that were seen, None if not known; and what is wrong with that, if anything."""
    pretrained, run = config.model.pretrained, run_folder(config).label
    start = behind(pretrained)
    if start is None:
        return None, f"{run}: it does not say which clips it was trained on" if _read(pretrained)[1] else ""
    known, tested = set(start.digests), held_out_clips(config.fold, fold_of_N)
    seen = [dataset.clips[clip] for clip in tested if short_digest(dataset.digests[clip]) in known]
    if seen:
        return len(seen), f"{run}: it was trained on {len(seen)} of the {len(tested)} test clips ({some_of(seen)})"
    return (0 if start.complete else None), ""


def _refusal(pretrained: str, complaints: Sequence[str]) -> str:
    return "\n".join(
        [
            f"model.pretrained={pretrained}: the error on clips that weights have learned from is too low",
            *(f"  {complaint}" for complaint in complaints),
            "start from weights that have not seen the test clips (a run of the same fold, say), or allow it with "
            "allow_leak=true, which the results and the report will say",
        ]
    )


def _read(path: str) -> tuple[TrainedOn | None, bool]:
    file = Path(path)
    stat = file.stat() if file.is_file() else None
    return _read_once(path, stat.st_mtime_ns) if stat else (None, False)


@lru_cache(maxsize=32)
def _read_once(path: str, _changed: int) -> tuple[TrainedOn | None, bool]:
    """What a file says it was trained on, and whether it is of this program."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception:  # a damaged pickle can make the unpickler raise anything
        return None, False  # of another kind, or damaged: loading the weights will say
    if not isinstance(content, dict):
        return None, False
    if (record := read_trained_on(Path(path), content)) is not None:
        return record, True
    if str(content.get("format", "")).startswith(f"{OURS} pretraining"):
        # Simulated in passing, from seeds that no data set has; what it had started from it does not say.
        check_record(Path(path), content, {"about.settings.model.pretrained": str})
        start = content["about"]["settings"]["model"]["pretrained"]
        return (FRESH if start in ("none", "official") or is_shipped(start) else None), True
    return None, str(content.get("format", "")).startswith(OURS) or "pytorch-lightning_version" in content
