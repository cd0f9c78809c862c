"""Between a command line and Hydra: the arms it knows, the runs that are asked for, the multirun that does them."""

import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from itertools import product
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.conf import HydraConf
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from hybrid.config import NO_FOLD, TrainConfig, processors
from hybrid.errors import UserError
from hybrid.evaluation.ablation import Arm, arms_of
from hybrid.experiment.arms import ABLATIONS
from hybrid.experiment.overrides import groups_of, plainly_told, sweeps, typed, unquoted
from hybrid.folders import LONGEST
from hybrid.names import mistyped

SWEPT = ("model", "repeat", "fold")
GROUPS = ("model", "weights")
"""of Hydra's config groups, those of which an arm may choose"""
WITHOUT_HYDRAS = [f"~hydra/{group}" for choice in HydraConf().defaults for group, name in choice.items() if name]
"""leaves out the groups that Hydra has for itself: launcher, sweeper, help, logging, ..."""


def register_arms(overrides: Sequence[str]) -> None:
    """Make every label that `arm=` can name a choice of Hydra's config group `arm`, packaged _global_.

    An arm of ABLATIONS brings its settings. Any other label that these overrides give is a name alone. Where none is
    given there is nothing to register: Hydra copies all that is there each time it composes.
    """
    for override in overrides:
        labels = override.removeprefix("arm=").split(",") if override.startswith("arm=") else ()
        for label in map(unquoted, labels):
            if len(label) > LONGEST:  # as of a file that Hydra would look for
                raise UserError(f"arm names a folder, and {LONGEST} bytes are the most there: {label!r}")
            if label not in _register_table():
                _register(Arm(label, label))


def check_labels(overrides: Sequence[str], models: Collection[str]) -> None:
    """Refuse a label that changes nothing and is nearly one of an arm that does; say so of any other that does not."""
    if any(word.lstrip("+").startswith(("model.", "weights=")) for word in overrides):
        return
    known = {*_register_table(), *models}
    for word in overrides:
        for label in map(unquoted, word.removeprefix("arm=").split(",") if word.startswith("arm=") else ()):
            if label not in known:
                told = f"arm={label}: no ablation has an arm of this name, and no setting of the model is given with it"
                if near := mistyped(label, known):
                    raise UserError(f"{told}; did you mean {near[0]}?")
                print(f"note: {told}: it is the model as it is, under another name", file=sys.stderr)


@cache
def _register_table() -> set[str]:
    arms = [arm for arm in arms_of(ABLATIONS.values()) if arm.label]
    for arm in arms:
        _register(arm)
    return {arm.label for arm in arms}


def _register(arm: Arm) -> None:
    chosen = [word for word in arm.settings if word.partition("=")[0] in GROUPS]
    values = OmegaConf.from_dotlist([word for word in arm.settings if word not in chosen])
    overrides = [{f"override /{group}": value} for group, _, value in (word.partition("=") for word in chosen)]
    node = {"defaults": ["_self_", *overrides], "arm": arm.label, **OmegaConf.to_container(values)}
    ConfigStore.instance().store(group="arm", name=arm.label, node=node, package="_global_")


def command_line(config_dir: Path, config_name: str, schema: type, overrides: Sequence[str]) -> list[str]:
    """What a program of `hydra.main` is to find in sys.argv, once it is known to make a configuration.

    overrides: with Hydra's flags; of a sweep (`-m`), the settings that are not swept are tried.
    """
    overrides = typed(overrides, schema, config_dir)
    settings = [override for override in overrides if not override.startswith("-")]
    with plainly_told():
        if sweeps(overrides):
            parsed = OverridesParser.create().parse_overrides(settings)
            settings = [override.input_line for override in parsed if not override.is_sweep_override()]
    composed(config_dir, config_name, settings)
    register_arms(overrides)
    if schema is TrainConfig:
        check_labels(overrides, groups_of(config_dir)["model"])
    return overrides


@plainly_told()
def composed(config_dir: Path, config_name: str, overrides: Sequence[str], *, hydra: bool = False) -> DictConfig:
    """One configuration, in which every value is there and no reference leads nowhere. hydra: with Hydra's part.

    Without it, and where nobody sets anything in it, Hydra's own groups are not read: a quarter of the time.
    """
    register_arms(overrides)
    whole = hydra or any(override.lstrip("+~").startswith("hydra") for override in overrides)
    words = [*overrides, *([] if whole else WITHOUT_HYDRAS)]
    with initialize_config_dir(str(config_dir), version_base="1.3"):
        try:
            config = compose(config_name, words, return_hydra_config=hydra)
        except AssertionError as error:  # OmegaConf's, of a key inside of what is null
            inside = [override for override in overrides if override.partition("=")[0].count(".") > 1]
            raise UserError(f"{' '.join(inside)}: what this is to be a part of is null here") from error
    for key in config:
        if key != "hydra" and OmegaConf.is_config(config[key]):
            OmegaConf.to_container(config[key], resolve=True, throw_on_missing=True)
    return config


@plainly_told()
def asked_runs(config_dir: Path, config_name: str, overrides: Sequence[str]) -> list[DictConfig]:
    """The configuration of every run: the product over model x repeat x fold, each composed and checked once a model.

    An arm that is named without a model is of its own. A sweep over anything else is refused: its runs would share a
    folder. So would those of models that are one arm.
    """
    check_labels(overrides, groups_of(config_dir)["model"])
    fixed, swept = split_sweep(overrides)
    whole = composed(config_dir, config_name, fixed, hydra=True)
    # As written, for what is written by default asks torch for GPUs, and a finished table needs no torch.
    if OmegaConf.to_container(whole.hydra.launcher).get("n_jobs") == 0:
        jobs_at_a_time(whole)
    hydra = whole.hydra
    named, by_default = hydra.runtime.choices, dict(hydra.sweeper.params)
    if named.arm is not None or "model" not in by_default:
        by_default["model"] = named.model
    for key, value in by_default.items():
        (override,) = OverridesParser.create().parse_overrides([f"{key}={value}"])
        swept.setdefault(key, _values(override))
    of_model = {model: composed(config_dir, config_name, [*fixed, f"model={model}"]) for model in swept["model"]}
    for config in of_model.values():  # which are read often, and each reading of what is referred to parses it
        OmegaConf.resolve(config.model)
        OmegaConf.resolve(config.protocol)
    if len({config.arm for config in of_model.values()}) < len(of_model):
        raise UserError(f"arm is a label of one model's runs; {', '.join(of_model)} cannot share it")
    for key in ("repeat", "fold"):
        if wrong := [value for value in swept[key] if not value.isdecimal()]:
            alone = "; one model on all clips is trained by tools/train.py" if wrong[0] == NO_FOLD else ""
            raise UserError(f"{key} must be numbers, not {wrong[0]!r}{alone}")
    return [
        of_run(of_model[model], int(repeat), int(fold))
        for model, repeat, fold in product(swept["model"], swept["repeat"], swept["fold"])
    ]


def of_run(config: DictConfig, repeat: int, fold: int) -> DictConfig:
    return OmegaConf.merge(config, {"repeat": repeat, "fold": fold})


@plainly_told()
def split_sweep(overrides: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """The overrides that all runs share, and the values that the others ask for of the keys in SWEPT."""
    fixed: list[str] = []
    swept: dict[str, list[str]] = {}
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        key = override.get_key_element()
        if key in swept:
            raise UserError(f"{override.input_line}: {key} is given twice")
        if key in SWEPT:
            swept[key] = _values(override)
        elif override.is_sweep_override():
            raise UserError(
                f"{override.input_line}: runs are swept over {', '.join(SWEPT)} alone; "
                "give each other setting one value, and an experiment=... or arm=... of its own"
            )
        else:
            fixed.append(override.input_line)
    for key, values in swept.items():
        if twice := [value for value in values if values.count(value) > 1]:
            raise UserError(f"{key}={','.join(values)}: {twice[0]} is given twice")
    return fixed, swept


def _values(override: Override) -> list[str]:
    if override.is_sweep_override():
        return [str(value) for value in override.sweep_string_iterator()]
    return [override.get_value_element_as_str()]


@plainly_told()
def multirun(
    config_dir: Path, config_name: str, overrides: Sequence[str], task: Callable[[TrainConfig], object]
) -> None:
    """Run `task` on the configuration of each job of the sweep that is asked for, with the launcher that is named."""
    register_arms(overrides)
    with initialize_config_dir(str(config_dir), job_name=config_name, version_base="1.3"):
        GlobalHydra.instance().hydra.multirun(config_name, task, list(overrides))
    # Here, for a finished benchmark needs no joblib, which keeps its workers and would wait for them for seconds.
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor(reuse=True).shutdown(kill_workers=True)


def sweep_over(key: str, values: Iterable) -> str:
    """The word of a multirun over these values, each once."""
    return f"{key}={','.join(map(str, dict.fromkeys(values)))}"


def jobs_at_a_time(config: DictConfig) -> int:
    """config: with Hydra's part. 1 where the launcher does not say: one after the other, or machines of their own."""
    jobs = config.hydra.launcher.get("n_jobs", 1)
    if not isinstance(jobs, int) or jobs == 0:
        raise UserError(f"hydra.launcher.n_jobs must be 1 or more, or -1 (as many as there are processors), not {jobs}")
    return jobs if jobs > 0 else max(1, processors() + 1 + jobs)
