"""Ablations from the command line to the report: planned, trained side by side, compared with their default."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from omegaconf import DictConfig

from baselines.registry import is_shipped
from hybrid import get_entry
from hybrid.config import TrainConfig
from hybrid.errors import UserError
from hybrid.evaluation.ablation import Ablation, arms_of, record_ablations
from hybrid.experiment.arms import ABLATIONS
from hybrid.experiment.benchmark import Report, benchmark_job, check_all, do_runs, one_of_each_arm, sweep_over_runs
from hybrid.experiment.hydra_jobs import asked_runs, composed, jobs_at_a_time, multirun, split_sweep, sweep_over
from hybrid.experiment.overrides import typed
from hybrid.experiment.plan import Job, in_words, make_plan
from hybrid.experiment.wandb_sweep import write_sweeps
from hybrid.folders import experiment_folder
from hybrid.kept_settings import arm_settings
from hybrid.names import check_names

CONFIG = "ablate"


@dataclass(frozen=True)
class AblationRequest:
    """What a command line asks for. overrides: that all runs share; jobs: each arm's one after the other.

    left_out: arms that 'all' asks for and that cannot be trained here, with the reason.
    """

    ablations: list[Ablation]
    jobs: list[Job]
    overrides: list[str]
    left_out: dict[str, str]
    base: DictConfig
    """the default's configuration, with Hydra's part"""

    @property
    def configs(self) -> list[DictConfig]:
        return [job.config for job in self.jobs]


def run_ablations(config_dir: Path, overrides: Sequence[str], report: Report, *, only_plan: bool = False) -> int:
    """Check everything, print the plan, train what is not done, report. Returns the exit status.

    overrides: `ablation=` with names, and any settings that all arms share. only_plan: stop after the plan.
    """
    asked = read_overrides(config_dir, overrides)
    check_options(asked)
    dataset = check_all(asked.configs)
    plan = make_plan(asked.ablations, asked.jobs, len(dataset), len(dataset.grades), jobs_at_a_time(asked.base))
    print(in_words(plan))
    for why in dict.fromkeys(asked.left_out.values()):
        print(f"left out: {', '.join(label for label, reason in asked.left_out.items() if reason == why)}: {why}")
    sys.stdout.flush()
    if only_plan:
        return 0
    record_ablations(experiment_folder(asked.base), asked.ablations)
    missing = [job for job in asked.jobs if not job.done]
    arms = sweep_over("arm", (job.arm.label for job in missing))
    sweep = [*asked.overrides, arms, *sweep_over_runs(job.config for job in missing)]
    return do_runs(asked.configs, lambda: multirun(config_dir, CONFIG, sweep, benchmark_job), report)


def write_ablation_sweeps(config_dir: Path, overrides: Sequence[str], folder: Path) -> list[Path]:
    """A W&B sweep of each asked ablation, once every arm's model can be built; the report will know them, too."""
    from hybrid.training.build import check_models, fetch_weights

    asked = read_overrides(config_dir, overrides)
    check_options(asked)
    fetch_weights(check_models(one_of_each_arm(asked.configs)))
    record_ablations(experiment_folder(asked.base), asked.ablations)
    base = asked.base
    shared = [f"protocol={base.hydra.runtime.choices.protocol}", f"experiment={base.experiment}"]
    shared += [f"threads={base.threads}"]
    named = [word.partition("=")[0] for word in asked.overrides]
    shared = [word for word in shared if word.partition("=")[0] not in named]
    return write_sweeps(folder, asked.ablations, asked.jobs, [*shared, *asked.overrides])


def read_overrides(config_dir: Path, overrides: Sequence[str]) -> AblationRequest:
    """Raises a UserError for an ablation, a key or a value that does not exist."""
    names, overrides = _ablation_names(overrides)
    overrides = typed(overrides, TrainConfig, config_dir)
    shared, swept = split_sweep(overrides)
    if len(swept.get("model", ())) > 1:
        raise UserError("an ablation is of one model; start one for each, with an experiment=... of its own")
    default = composed(config_dir, CONFIG, shared, hydra=True).hydra.runtime.choices.model
    # A word of the command line stands above the models that arms bring: the default's own needs none.
    shared += [f"model={name}" for name in swept.get("model", ()) if name != default]
    base = composed(config_dir, CONFIG, shared, hydra=True)
    ablations = [
        ablation if ablation.default.label else _with_default(ablation, base.arm)
        for ablation in choose(ABLATIONS, names)
    ]
    runs = [(config.repeat, config.fold) for config in asked_runs(config_dir, CONFIG, overrides)]
    configs = {arm.label: composed(config_dir, CONFIG, [*shared, f"arm={arm.label}"]) for arm in arms_of(ablations)}
    idle, same = _idle(configs)
    ablations = [_with_default(ablation, same.get(ablation.default.label)) for ablation in ablations]
    named = [arm.label for arm in arms_of(ablation for ablation in ablations if ablation.name in names)]
    if wrong := [label for label in named if label in idle]:
        raise UserError(f"arm {wrong[0]!r}: {idle[wrong[0]]}")
    ablations = [kept for ablation in ablations if (kept := _without(ablation, idle)) is not None]
    jobs = [Job.of(arm, configs[arm.label], repeat, fold) for arm in arms_of(ablations) for repeat, fold in runs]
    return AblationRequest(ablations, jobs, shared, idle, base)


def check_options(asked: AblationRequest) -> None:
    """Refuse an ablation of an option that the model has not."""
    models = {job.arm.label: job.config.model for job in asked.jobs if not job.done}
    for ablation in asked.ablations:
        for model in (models[arm.label] for arm in arms_of([ablation]) if arm.label in models):
            if unknown := [name for name in model.options if name not in get_entry(model.name).options()]:
                raise UserError(
                    f"ablation {ablation.name!r} is of a model that has the option {unknown[0]!r}, as the hybrid, and "
                    f"{model.name!r} has not"
                )


def choose(ablations: Mapping[str, Ablation], names: Sequence[str]) -> list[Ablation]:
    """Those of these names; 'all' is every one that is not a factorial."""
    check_names("ablation", names, ["all", *ablations])
    every = [name for name, ablation in ablations.items() if not ablation.factors]
    chosen = dict.fromkeys(name for asked in names for name in (every if asked == "all" else [asked]))
    return [ablations[name] for name in chosen]


def _ablation_names(overrides: Sequence[str]) -> tuple[list[str], list[str]]:
    """The names that `ablation=` gives, and the other overrides."""
    named = [word for word in overrides if word.startswith("ablation=")]
    names = [name for word in named for name in word.removeprefix("ablation=").split(",") if name]
    if not names:
        raise UserError("say which: ablation=NAME[,NAME...], or ablation=all; --help lists them")
    if arms := [word for word in overrides if word.startswith("arm=")]:
        raise UserError(f"{arms[0]}: the arms are those of the ablations; train one of them with tools/train.py")
    return names, [word for word in overrides if word not in named]


def _idle(configs: dict[str, DictConfig]) -> tuple[dict[str, str], dict[str, str]]:
    """Which arms cannot be trained, or would be another arm's runs done twice, and why; and which other arm's."""
    idle, same, settings = {}, {}, {}
    for label, config in configs.items():
        weights, own = config.model.pretrained, arm_settings(config)
        if twin := next((other for other, theirs in settings.items() if theirs == own), None):
            idle[label], same[label] = f"with these settings it is the same as {twin!r}", twin
        elif weights == "none" and config.model.recipe.frozen != "none":
            idle[label] = "fresh weights hold nothing that could stay as it is"
        elif weights == "official" and config.model.size != "paper":
            idle[label] = f"there are no published weights of size {config.model.size!r}"
        elif is_shipped(weights) and config.model.size != "tiny":
            idle[label] = f"what is shipped of simulated clips is of size tiny, not {config.model.size!r}"
        elif not (weights in ("none", "official") or is_shipped(weights)) and not Path(weights).exists():
            idle[label] = f"there is no {weights!r} (see tools/pretrain.py)"
        else:
            settings[label] = own
    return idle, same


def _without(ablation: Ablation, idle: dict[str, str]) -> Ablation | None:
    """The ablation without these arms; None where nothing is left to compare."""
    arms = tuple(arm for arm in ablation.arms if arm.label not in idle)
    return replace(ablation, arms=arms) if arms and ablation.default.label not in idle else None


def _with_default(ablation: Ablation, label: str | None) -> Ablation:
    return ablation if label is None else replace(ablation, default=replace(ablation.default, label=label))
