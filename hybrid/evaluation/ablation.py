"""Ablations: which arms belong together, and what each changes beside the default."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from hybrid.files import check_record, read_yaml, write_yaml
from hybrid.folders import ExperimentFolder

JOINT = "+"
"""between the labels of the arms that an arm of a factorial combines"""


@dataclass(frozen=True)
class Arm:
    """label: of its runs' folder, '' for the model's own name. shown: what tables call it. settings: Hydra's words."""

    label: str
    shown: str
    settings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ablation:
    """`arms` are compared with `default`; factors: the names of the ablations that a factorial combines."""

    name: str
    help: str
    default: Arm
    arms: tuple[Arm, ...]
    factors: tuple[str, ...] = ()


def arms_of(ablations: Iterable[Ablation]) -> list[Arm]:
    """Every arm once, in order, each ablation's default before its others."""
    return list({arm.label: arm for ablation in ablations for arm in (ablation.default, *ablation.arms)}.values())


def record_ablations(folder: ExperimentFolder, ablations: Iterable[Ablation]) -> None:
    """Keep with the experiment what belongs together: configs may say something else when the report is written.

    They are added to those that are recorded; one of the same name is replaced.
    """
    known = {ablation.name: ablation for ablation in (*recorded_ablations(folder), *ablations)}
    written = {}
    for name, of in known.items():
        default, *arms = (asdict(arm) | {"settings": list(arm.settings)} for arm in (of.default, *of.arms))
        written[name] = {"help": of.help, "factors": list(of.factors), "default": default, "arms": arms}
    write_yaml(folder.ablations, written)


def recorded_ablations(folder: ExperimentFolder) -> list[Ablation]:
    """In the order they were first asked for."""
    if not folder.ablations.exists():
        return []

    def arm(of: dict) -> Arm:
        check_record(folder.ablations, of, {"label": str, "shown": str, "settings": list})
        return Arm(of["label"], of["shown"], tuple(of["settings"]))

    found = []
    for name, of in read_yaml(folder.ablations).items():
        check_record(folder.ablations, of, {"help": str, "default": dict, "arms": list, "factors": list})
        found.append(Ablation(name, of["help"], arm(of["default"]), tuple(map(arm, of["arms"])), tuple(of["factors"])))
    return found
