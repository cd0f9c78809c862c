"""Trained models that answer together: those of one checkpoint, or of all folds in a folder, on decoded frames."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from baselines.checkpoints import file_digest
from hybrid.data.cache import content_digest
from hybrid.data.clip import ClipSpec
from hybrid.data.loader import InMemoryClips, evaluation_batches
from hybrid.data.problems import some_of
from hybrid.device import Machine
from hybrid.errors import UserError
from hybrid.folders import RunFolder
from hybrid.names import did_you_mean
from hybrid.training.checkpoint import TrainedModel, load_trained, short_digest


def find_checkpoints(path: Path, model: str | None = None) -> list[Path]:
    """The checkpoints of one model: a file, or those of `checkpoints_in` a folder.

    An experiment of several models needs `model` to choose one. A model that is trained on all clips answers where its
    own folder is named, or where no fold of it is done.
    """
    on_all = _trained_on_all(path)
    found = checkpoints_in(path) + on_all
    models = sorted({checkpoint.parent.parent.name for checkpoint in found})
    if model is None and len(models) > 1:
        raise UserError(f"{path}: holds {len(models)} models; choose one with --model: {', '.join(models)}")
    if path.is_dir():
        found = [checkpoint for checkpoint in found if model in (None, checkpoint.parent.parent.name)]
    if not found:
        there = f"; there are those of {', '.join(models)}" + did_you_mean(model, models, "") if models else ""
        raise UserError(f"{path}: holds no finished run" + (f" of {model!r}" if model is not None else "") + there)
    return [checkpoint for checkpoint in found if checkpoint not in on_all] or found


def checkpoints_in(path: Path) -> list[Path]:
    """A checkpoint file itself, or those of all finished runs in the folder of a run, a model or an experiment.

    Of folders of several runs, those that were tested.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UserError(f"{path}: there is no such checkpoint or folder")
    found: list[Path] = []
    for place in ("", "repeat*-fold*/", "*/repeat*-fold*/"):
        found = found or sorted(path.glob(f"{place}model.ckpt"))
    return _of_done_runs(found)


def _trained_on_all(path: Path) -> list[Path]:
    """The checkpoints of the models in the folder of a model or an experiment that were trained on all clips."""
    places = ("repeat*-all/model.ckpt", "*/repeat*-all/model.ckpt")
    return _of_done_runs([checkpoint for place in places for checkpoint in sorted(path.glob(place))])


def _of_done_runs(checkpoints: list[Path]) -> list[Path]:
    # A run that is not done has no result yet, and its model.ckpt may be of an earlier try.
    done = [checkpoint for checkpoint in checkpoints if (checkpoint.parent / "result.json").exists()]
    for checkpoint in done if len(done) > 1 else ():
        RunFolder(checkpoint.parent).read_result()  # which refuses a copy of another run: it would count twice
    return done


@dataclass(frozen=True, eq=False)
class Ensemble:
    """models: one a checkpoint, of the same grades and frames, on the machine that they answer on."""

    checkpoints: tuple[Path, ...]
    models: tuple[TrainedModel, ...]
    machine: Machine

    @classmethod
    def load(cls, checkpoints: Sequence[Path], machine: Machine) -> Ensemble:
        models = tuple(load_trained(checkpoint, machine.device) for checkpoint in checkpoints)
        for checkpoint, trained in zip(checkpoints, models, strict=True):
            if (trained.grades, trained.spec) != (models[0].grades, models[0].spec):
                raise UserError(f"{checkpoint}: made for other grades or frames than {checkpoints[0]}")
        return cls(tuple(checkpoints), models, machine)

    @property
    def grades(self) -> tuple[str, ...]:
        """Best first."""
        return tuple(self.models[0].grades)

    @property
    def spec(self) -> ClipSpec:
        """How clips are decoded for these models."""
        return self.models[0].spec

    @property
    def sides(self) -> tuple[int, int] | None:
        """Smallest and largest shorter side in px of the clips that any model was trained on; None where one does not
        say."""
        sides = [trained.trained_on and trained.trained_on.sides for trained in self.models]
        if not all(sides):
            return None
        return min(smallest for smallest, _ in sides), max(largest for _, largest in sides)

    @property
    def described(self) -> str:
        """The checkpoints, each with the start of its file's SHA-256."""
        return "; ".join(f"{checkpoint} ({file_digest(checkpoint)[:12]})" for checkpoint in self.checkpoints)

    def learned_from(self, files: Sequence[Path]) -> list[Path]:
        """Those of the files that a model here was trained on: clips, or the videos that they were cropped from."""
        known = {digest for trained in self.models if trained.trained_on for digest in trained.trained_on.digests}
        return [file for file in files if short_digest(content_digest(file)) in known]

    def distributions(self, frames_NTHWC: np.ndarray, names: Sequence[str]) -> np.ndarray:
        """(M, N, K) float32: what each of the M models says of each clip of uint8 frames, decoded as `spec` says.

        names: of the clips, for the UserError where an answer is not finite.
        """
        dist_MNK = np.stack([self._answers(trained, frames_NTHWC) for trained in self.models])
        wrong_MN = ~np.isfinite(dist_MNK).all(-1)
        for checkpoint, wrong_N in zip(self.checkpoints, wrong_MN, strict=True):
            if wrong_N.any():
                raise UserError(
                    f"{checkpoint}: its answers to {wrong_N.sum()} of {len(names)} clips are no numbers "
                    f"({some_of(names[n] for n in np.flatnonzero(wrong_N))}), so none of its answers can be trusted; "
                    "its weights are finite but too large, or this machine computes them wrongly (try --accelerator "
                    "cpu)"
                )
        return dist_MNK

    def _answers(self, trained: TrainedModel, frames_NTHWC: np.ndarray) -> np.ndarray:
        used = trained.model.used_frames(trained.spec.num_frames)
        clips = InMemoryClips(frames_NTHWC, trained.normalisation, used)
        dist_NK, _ = predict_distributions(trained.model, clips, np.arange(len(frames_NTHWC)), 32, self.machine)
        return dist_NK


def predict_distributions(
    model: nn.Module, clips: InMemoryClips, numbers: np.ndarray, batch_size: int, machine: Machine
) -> tuple[np.ndarray, float]:
    """The distributions (N, K) of the clips with these numbers, and the seconds a clip the model took.

    The model is put in eval mode on the machine's device and left there.
    """
    model.to(machine.device).eval()
    clips.to(machine.device)
    distributions, seconds = [], 0.0
    for (clips_B,) in evaluation_batches(numbers, batch_size):
        clip_BCTHW = clips.batch(clips_B, machine.device)
        started = time.perf_counter()
        with torch.inference_mode(), machine.autocast():
            dist_BK = model(clip_BCTHW).float().softmax(-1).cpu()
        seconds += time.perf_counter() - started
        distributions.append(dist_BK)
    return torch.cat(distributions).numpy(), seconds / len(numbers)
