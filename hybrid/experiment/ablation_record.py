"""Which arms of an experiment belong together, kept with it for the report: configs/ may say something else by then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from hybrid.experiment.ablation import Ablation, Arm
from hybrid.files import read_yaml, write_yaml
from hybrid.folders import ExperimentFolder


def record(folder: ExperimentFolder, ablations: Iterable[Ablation]) -> None:
    """Add them to those that are recorded; one of the same name is replaced."""
    known = {ablation.name: ablation for ablation in (*recorded(folder), *ablations)}
    write_yaml(folder.ablations, {name: _plain(ablation) for name, ablation in known.items()})


def recorded(folder: ExperimentFolder) -> list[Ablation]:
    """In the order they were first asked for."""
    if not folder.ablations.exists():
        return []
    return [
        Ablation(name, of["help"], _arm(of["default"]), tuple(map(_arm, of["arms"])), tuple(of["factors"]))
        for name, of in read_yaml(folder.ablations).items()
    ]


def _plain(ablation: Ablation) -> dict:
    arms = [asdict(arm) | {"settings": list(arm.settings)} for arm in (ablation.default, *ablation.arms)]
    return {"help": ablation.help, "factors": list(ablation.factors), "default": arms[0], "arms": arms[1:]}


def _arm(of: dict) -> Arm:
    return Arm(of["label"], of["shown"], tuple(of["settings"]))
