"""Finished runs whose models are untrained, and measures and methods that answer at once: what an analysis needs."""

from pathlib import Path

import numpy as np
import torch
from finished_runs import SPEC, write_runs
from support import write_dataset

from hybrid import create_model
from hybrid.analysis.base import Attribution, Curve, Matrix, Measure, MeasureGroup, MeasureResult
from hybrid.data.dataset import load_dataset
from hybrid.data.masks import TAIL
from hybrid.data.transforms import Normalisation
from hybrid.folders import ExperimentFolder
from hybrid.training.checkpoint import TrainedModel, save_trained

NORMALISATION = Normalisation((0.45,) * 3, (0.225,) * 3)
MODELS = ("slowfast", "timesformer", "vgg16")


def write_untrained(path, root, models=MODELS, **options) -> ExperimentFolder:
    """An experiment of two folds on the data set in `root`."""
    dataset = load_dataset(root, SPEC)
    folder = write_runs(path, dataset, models=dict.fromkeys(models, 0.5), **options)
    for place, run in enumerate(folder.done_runs()):
        torch.manual_seed(place)
        save_trained(run.model, untrained(run.arm, experiment=path.name, fold=int(run.path.name[-1])))
    return folder


def write_masked_dataset(root: Path) -> Path:
    """As `write_dataset`, with what only a simulated data set has: in row n of clip n a tail."""
    write_dataset(root)
    (root / "masks").mkdir()
    for number in range(12):
        masks = np.zeros((16, 64, 64), np.uint8)
        masks[:, number] = TAIL
        np.savez(root / "masks" / f"{number}.npz", masks=masks)
    return root


def untrained(name: str, fold: int = 0, **origin) -> TrainedModel:
    origin = {"repeat": 0, "fold": fold} | origin
    return TrainedModel(create_model(name, "tiny"), name, "tiny", {}, list("ABCDE"), SPEC, NORMALISATION, origin)


class Answer(Measure):
    """The expected grade itself.

    A second paragraph.
    """

    name, title, source, unit = "answer", "The answer", "nobody", "grades"

    def __init__(self):
        self.asked = []

    def passes(self, model, num_frames):
        return 1

    def measure(self, tested, clips, batch_size=16):
        self.asked.append((tested.label, tested.seed, clips.names))
        with torch.no_grad():
            grade_N = tested.expected_grade(clips.clip_NCTHW).double().numpy()
        second_T = np.arange(16) / clips.frame_rate
        return MeasureResult(
            figures={"grade (grades)": grade_N},
            overall={"clips": float(len(clips))},
            curves={"frames": Curve(second_T, np.outer(grade_N, 1 + second_T), "frame (s)", "grade")},
            matrices={"map": Matrix(np.eye(4), tuple("0123"), tuple("0123"))},
        )


class OnlySlowFast(Answer):
    """Something that one model alone has."""

    name, title = "native", "Native to SlowFast"

    def applies_to(self, model):
        return type(model).__name__ == "SlowFast"


class Brightness(Attribution):
    """Relevance is brightness in the middle of the clip's frames."""

    name, title, source, signed = "brightness", "Brightness", "nobody", True

    def passes(self, model, num_frames):
        return 1

    def relevance(self, tested, clip_BCTHW):
        weight_T = torch.zeros(clip_BCTHW.shape[2])
        weight_T[4:8] = 1.0
        return clip_BCTHW.mean(dim=1) * weight_T[:, None, None]


def groups(*measures: Measure, **options) -> tuple[MeasureGroup, ...]:
    """All in one group."""
    return (MeasureGroup("fake", "A group", "About it.", {measure.name: measure for measure in measures}, **options),)
