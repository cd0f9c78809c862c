"""Ablations as the table in `arms.py` says them: an axis with its values, variants by label, and combinations.

Settings are words of a command line, "model.options.window=3 model=slowfast". `default` is what tables call the value
that the default has. against: the label of an arm of another ablation of the table, which these arms add to and are
compared with; else that is the model as its configuration has it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from hybrid.evaluation.ablation import JOINT, Ablation, Arm


def axis(name: str, help: str, key: str, default: str, values: Sequence[Any], *, against: str = "") -> Ablation:
    """One key and its other values: arms window-3, window-5, window-9."""
    written = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]  # as Hydra reads it
    arms = (Arm(f"{name}-{value}", value, (f"{key}={value}",)) for value in written)
    return Ablation(name, help, Arm(against, default), tuple(arms))


def variants(name: str, help: str, default: str, arms: Mapping[str, str], *, against: str = "") -> Ablation:
    """arms: the settings of each by its label."""
    of = (Arm(label, label.removeprefix(f"{name}-"), tuple(settings.split())) for label, settings in arms.items())
    return Ablation(name, help, Arm(against, default), tuple(of))


def gathered(name: str, help: str, default: str, labels: Sequence[str], of: Mapping[str, Ablation]) -> Ablation:
    """Arms of other ablations side by side, under their labels."""
    known = {arm.label: arm for ablation in of.values() for arm in ablation.arms if not ablation.default.label}
    return Ablation(name, help, Arm("", default), tuple(replace(known[label], shown=label) for label in labels))


def factorial(name: str, help: str, *factors: Ablation) -> Ablation:
    """Every combination of the arms of other ablations, whose default is the model's own."""
    cells = []
    for arms in product(*((factor.default, *factor.arms) for factor in factors)):
        shown = ", ".join(f"{factor.name} {arm.shown}" for factor, arm in zip(factors, arms, strict=True))
        settings = tuple(setting for arm in arms for setting in arm.settings)
        cells.append(Arm(JOINT.join(arm.label for arm in arms if arm.label), shown, settings))
    return Ablation(name, help, cells[0], tuple(cells[1:]), tuple(factor.name for factor in factors))


def table(*ablations: Ablation) -> dict[str, Ablation]:
    """By name; what is `against` an arm of another has that arm's settings, too."""
    known = {arm.label: arm.settings for ablation in ablations for arm in ablation.arms}
    return {ablation.name: _added_to(ablation, known) for ablation in ablations}


def _added_to(ablation: Ablation, known: Mapping[str, tuple[str, ...]]) -> Ablation:
    if not (base := ablation.default.label):
        return ablation
    arms = tuple(replace(arm, settings=known[base] + arm.settings) for arm in ablation.arms)
    return replace(ablation, default=replace(ablation.default, settings=known[base]), arms=arms)
