"""One analysis: which trained models are asked what about which clips, checked before anything is computed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Self

import torch

from baselines.checkpoints import file_digest
from hybrid.analysis.base import Attribution, InputClips, Measure, MeasureGroup, ModelUnderTest
from hybrid.analysis.clips import ClipSet, ClipSets
from hybrid.analysis.store import CacheKey
from hybrid.analysis.trained_models import TrainedRun, known_labels
from hybrid.errors import UserError
from hybrid.evaluation.too_short import too_short
from hybrid.training.checkpoint import load_trained

FEW = 4
"""clips of each trained model for measures that cost much"""
TRIO = ("slowfast", "timesformer", "hybrid")
"""the models that the analysis is about, where they are there"""


@dataclass(frozen=True, eq=False)
class RunOnClips:
    """One trained model and the clips it is asked about: the `numbers` of its clip set.

    checkpoint_digest, clips_digest: of their content.
    """

    trained_run: TrainedRun
    clip_set: ClipSet
    numbers: tuple[int, ...]
    checkpoint_digest: str
    clips_digest: str

    @property
    def label(self) -> str:
        return self.trained_run.label

    @property
    def name(self) -> str:
        """of the run: 'repeat0-fold1'"""
        return self.trained_run.name

    @property
    def clip_names(self) -> tuple[str, ...]:
        return tuple(self.clip_set.names[n] for n in self.numbers)

    @property
    def clip_groups(self) -> tuple[str, ...]:
        return tuple(self.clip_set.groups[n] for n in self.numbers)

    def cache_key(self, about: str) -> CacheKey:
        return CacheKey(about, self.label, self.name, self.checkpoint_digest, self.clips_digest)

    def on(self, numbers: Sequence[int]) -> Self:
        """The same model on other clips."""
        return replace(self, numbers=tuple(numbers), clips_digest=self.clip_set.digest(numbers))

    def load(self, device: torch.device) -> tuple[ModelUnderTest, InputClips]:
        """The trained model, frozen, in float32: differences and gradients are smaller than half precision's steps."""
        run, trained = self.trained_run, load_trained(self.trained_run.checkpoint, device)
        trained.model.requires_grad_(False)
        tested = ModelUnderTest(trained.model, trained.name, run.label, run.seed, trained.normalisation)
        return tested, self.clip_set.for_model(trained, self.numbers)


@dataclass(frozen=True, eq=False)
class AnalysisPlan:
    """All that is computed, and the folder of the results.

    runs, few: on all chosen clips, and on a few of them. gallery: the runs and clips for attributions, the same clips
    for all models. models: by label, their name in the registry. notices: what is odd but no error.
    """

    folder: Path
    runs: tuple[RunOnClips, ...]
    few: tuple[RunOnClips, ...]
    gallery: tuple[RunOnClips, ...]
    groups: tuple[MeasureGroup, ...]
    attributions: Mapping[str, Attribution]
    models: Mapping[str, str]
    notices: tuple[str, ...]

    @property
    def labels(self) -> list[str]:
        return known_labels([run.trained_run for run in self.runs])

    @property
    def measures(self) -> dict[str, Measure]:
        return {name: measure for group in self.groups for name, measure in group.measures.items()}

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Models to compare: SlowFast, TimeSformer and hybrid where two of them are there, else the first three."""
        trio = [label for label in TRIO if label in self.labels]
        return list(combinations(trio if len(trio) > 1 else self.labels[:3], 2))

    @property
    def simulated(self) -> bool:
        return any(run.clip_set.simulated for run in self.runs)

    def runs_of(self, label: str) -> list[RunOnClips]:
        return [run for run in self.runs if run.label == label]

    def runs_for(self, group: MeasureGroup) -> tuple[RunOnClips, ...]:
        """Which models, on which clips, the measures of a group are computed for."""
        runs = self.few if group.few else self.runs
        return tuple(run for run in runs if run.clip_set.has_masks or not group.needs_masks)

    def path(self, run: RunOnClips, kind: str, name: str) -> Path:
        """of a result; kind: 'measures' or 'relevance'"""
        return self.folder / kind / run.label / run.name / f"{name}.npz"


def make_plan(
    folder: Path,
    trained_runs: Sequence[TrainedRun],
    groups: Sequence[MeasureGroup],
    attributions: Mapping[str, Attribution],
    *,
    data: Path | None = None,
    clips_a_run: int | None = None,
    gallery_clips: int = 6,
) -> AnalysisPlan:
    """Find the clips of every trained model, by default those that it was tested on and has not been trained on.

    data: a data set or a folder of videos in place of the experiment's own clips. clips_a_run: how many each trained
    model is asked about, the same ones for all models of a run; None: all.
    """
    clip_sets = ClipSets(data)
    runs, grades, specs, models = [], None, {}, {}
    for trained_run in trained_runs:
        label = trained_run.label
        if label not in specs:
            trained = load_trained(trained_run.checkpoint)
            specs[label], models[label] = trained.spec, trained.name
            grades = grades or trained.grades
            if trained.grades != grades:
                raise UserError(f"{trained_run.checkpoint}: made for grades {trained.grades}, the others for {grades}")
        clips = clip_sets.clips_for(trained_run, specs[label])
        if clips.grades is not None and list(clips.grades) != list(grades):
            raise UserError(f"{clips.root}: has grades {list(clips.grades)}, {label} answers in {grades}")
        numbers = tuple(clips.choose(clip_sets.allowed(trained_run, clips), clips_a_run))
        if not numbers:
            raise UserError(f"{clips.root}: has none of the clips that {label} {trained_run.name} was tested on")
        checkpoint_digest = file_digest(trained_run.checkpoint)
        runs.append(RunOnClips(trained_run, clips, numbers, checkpoint_digest, clips.digest(numbers)))
    short = dict.fromkeys(filter(None, map(_too_short, trained_runs)))
    notices = [
        f"{protocol} is too short to learn anything worth asking: what is measured below shows that "
        "everything works, and nothing about models"
        for protocol in short
    ]
    return AnalysisPlan(
        folder=folder,
        runs=tuple(runs),
        few=tuple(run.on(run.clip_set.choose(run.clip_names, FEW)) for run in runs),
        gallery=_gallery(runs, gallery_clips),
        groups=tuple(groups),
        attributions=attributions,
        models=models,
        notices=(*notices, *clip_sets.notices),
    )


def _too_short(run: TrainedRun) -> str:
    """The protocol that it was trained by, if that is; see `too_short`."""
    if not run.of_experiment:
        return ""
    config = run.folder.read_config()
    return too_short(config["protocol"], [config.get("model", {}).get("pretrained", "")])


def _gallery(runs: Sequence[RunOnClips], count: int) -> tuple[RunOnClips, ...]:
    """`count` of the clips that every model is asked about; for each model and clip the first run that is."""
    of_label = {run.label: [own for own in runs if own.label == run.label] for run in runs}
    common = set.intersection(*({name for run in own for name in run.clip_names} for own in of_label.values()))
    clips = runs[0].clip_set
    names = [clips.names[n] for n in clips.choose(common, count)]
    shown = []
    for own in of_label.values():
        first = {name: next(run for run in own if name in run.clip_names) for name in names}
        for run in dict.fromkeys(first.values()):
            shown.append(run.on([run.clip_set.names.index(name) for name in names if first[name] is run]))
    return tuple(shown)
