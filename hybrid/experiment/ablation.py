"""Ablations: what is varied, read from the files of configs/ablation/, one each.

    help: <sentence>                     what it asks
    default: global                      what the default has, as tables call it
    key: model.options.window            one key ...
    values: [3, 5, 9]                    ... and its other values: arms window-3, window-5, window-9

    values: {alpha-2: [...], ...}        or arms by label, of several settings each, as a command line gives them
    arms: [window-3, positions-none]     or arms of other ablations, side by side
    factors: [window, positions]         or every combination of the arms of other ablations
    against: <label>                     the arm of another ablation that these arms add to and are compared with; by
                                         default the model as its configuration has it

Everything that is not named is at its default, and all arms of an experiment share its folds. An arm is known by its
label alone, so one that several ablations share is trained once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from omegaconf import MISSING, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hybrid.errors import UserError
from hybrid.evaluation.ablation import JOINT, Ablation, Arm, arms_of
from hybrid.files import read_yaml

FOLDER = "ablation"


@dataclass
class AblationFile:
    """What a file may say."""

    help: str = MISSING
    default: Any = None
    key: str | None = None
    values: Any = None
    arms: list[str] = field(default_factory=list)
    factors: list[str] = field(default_factory=list)
    against: str | None = None


def read_ablations(config_dir: Path) -> dict[str, Ablation]:
    """All of configs/ablation/ by name, those of one axis first; a UserError names the file and what is wrong in it."""
    files = {path.stem: _read(path) for path in sorted((Path(config_dir) / FOLDER).glob("*.yaml"))}
    simple = {name: _of_one_axis(name, file) for name, file in files.items() if not (file.arms or file.factors)}
    known = {arm.label: arm for ablation in simple.values() for arm in ablation.arms}
    simple = {name: _added_to(ablation, files[name].against, known) for name, ablation in simple.items()}
    gathered = {name: _gathered(name, file, simple) for name, file in files.items() if file.arms}
    factorial = {name: _factorial(name, file, simple) for name, file in files.items() if file.factors}
    ablations = simple | gathered | factorial
    _check_labels(ablations.values())
    return ablations


def choose(ablations: dict[str, Ablation], names: Sequence[str]) -> list[Ablation]:
    """Those of these names; 'all' is every one that is not a factorial."""
    if unknown := [name for name in names if name != "all" and name not in ablations]:
        raise UserError(f"no ablation is named {unknown[0]!r}; there are: all, {', '.join(ablations)}")
    every = [name for name, ablation in ablations.items() if not ablation.factors]
    chosen = dict.fromkeys(name for asked in names for name in (every if asked == "all" else [asked]))
    return [ablations[name] for name in chosen]


def spelled_out(config_dir: Path, words: Sequence[str]) -> list[str]:
    """A command line's words, with the settings of the ablation's arm that `arm=` names, where it names one.

    So a label of configs/ablation/ means the same wherever it is given.
    """
    labels = [word.removeprefix("arm=") for word in words if word.startswith("arm=")]
    arms = {arm.label: arm for arm in arms_of(read_ablations(config_dir).values())} if labels else {}
    return [*words, *(setting for label in labels if label in arms for setting in arms[label].settings)]


def _read(path: Path) -> AblationFile:
    try:
        merged = OmegaConf.merge(OmegaConf.structured(AblationFile), read_yaml(path))
        file = AblationFile(**OmegaConf.to_container(merged, resolve=False, throw_on_missing=True))
    except OmegaConfBaseException as error:
        raise UserError(f"{path}: {str(error).splitlines()[0]}") from error
    values = isinstance(file.values, list) and file.key or isinstance(file.values, dict) and not file.key
    if [bool(values), bool(file.arms), bool(file.factors)].count(True) != 1:
        raise UserError(f"{path}: needs key and a list of values, or values by label, or arms, or factors")
    return file


def _of_one_axis(name: str, file: AblationFile) -> Ablation:
    if file.key:
        arms = [
            Arm(f"{name}-{_written(value)}", _written(value), (f"++{file.key}={_written(value)}",))
            for value in file.values
        ]
    else:
        arms = [
            Arm(label, label.removeprefix(f"{name}-"), tuple([words] if isinstance(words, str) else words))
            for label, words in file.values.items()
        ]
    return Ablation(name, file.help, Arm("", _written(file.default)), tuple(arms))


def _written(value: Any) -> str:
    """As Hydra reads it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _added_to(ablation: Ablation, label: str | None, known: dict[str, Arm]) -> Ablation:
    if label is None:
        return ablation
    if label not in known:
        raise UserError(f"ablation {ablation.name!r}: against {label!r}, which is no arm of another ablation")
    base = known[label]
    arms = tuple(Arm(arm.label, arm.shown, (*base.settings, *arm.settings)) for arm in ablation.arms)
    return Ablation(ablation.name, ablation.help, Arm(label, ablation.default.shown, base.settings), arms)


def _gathered(name: str, file: AblationFile, simple: dict[str, Ablation]) -> Ablation:
    known = {arm.label: arm for of in simple.values() if not of.default.label for arm in of.arms}
    if wrong := [label for label in file.arms if label not in known]:
        raise UserError(f"ablation {name!r}: {wrong[0]!r} is no arm of an ablation whose default is the model's own")
    arms = tuple(replace(known[label], shown=label) for label in file.arms)
    return Ablation(name, file.help, Arm("", _written(file.default)), arms)


def _factorial(name: str, file: AblationFile, simple: dict[str, Ablation]) -> Ablation:
    if wrong := [factor for factor in file.factors if factor not in simple or simple[factor].default.label]:
        raise UserError(f"ablation {name!r}: factor {wrong[0]!r} is no ablation whose default is the model's own")
    cells = []
    for arms in product(*((simple[factor].default, *simple[factor].arms) for factor in file.factors)):
        shown = ", ".join(f"{factor} {arm.shown}" for factor, arm in zip(file.factors, arms, strict=True))
        settings = tuple(setting for arm in arms for setting in arm.settings)
        cells.append(Arm(JOINT.join(arm.label for arm in arms if arm.label), shown, settings))
    return Ablation(name, file.help, cells[0], tuple(cells[1:]), tuple(file.factors))


def _check_labels(ablations: Iterable[Ablation]) -> None:
    known: dict[str, Arm] = {}
    for ablation in ablations:
        for arm in ablation.arms:
            if known.setdefault(arm.label, arm).settings != arm.settings:
                raise UserError(f"ablation {ablation.name!r}: another ablation has other settings for {arm.label!r}")
