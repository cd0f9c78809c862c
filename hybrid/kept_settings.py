"""The settings that runs have in common: recorded beside them, and held against those that are asked for later.

An experiment's lie in its experiment.yaml, an arm's in its model.yaml (`folders`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from hybrid.config import ProtocolConfig, RecipeConfig, TrainConfig
from hybrid.errors import UserError
from hybrid.files import digest_of, read_yaml, write_yaml
from hybrid.folders import RunFolder, has_begun, in_runs, run_folder

# Where and with what a run is computed or watched does not change what it is.
INCIDENTAL = ("runs_dir", "logger", "accelerator", "devices", "num_nodes", "threads")
WEIGHTS = "content of pretrained"
"""of an arm's settings: other weights may lie under a path later"""
RATERS = "raters a clip"
"""of an experiment's settings: what the noise of votes follows from; fractions of many and of few votes are alike"""
FOLDS = "folds"
"""of an experiment's settings: digests of its folds by repeat, which `experiment/prepare.py` looks at"""
FOLDS_MADE = "folds made"
"""of an experiment's settings: digests of what was written there, and not by its user; `prepare.py` too"""

IN_WORDS = {"data.fingerprint": "data.fingerprint (the clips themselves, their grades, votes or groups)"}
"""what nobody has typed"""


class OtherSettings(UserError):
    """Runs are there that were made with other settings."""


def run_settings(config: TrainConfig) -> dict[str, Any]:
    """The run's whole configuration, resolved to plain values, without what is incidental."""
    settings = OmegaConf.to_container(config, resolve=True)
    return {key: value for key, value in settings.items() if key not in INCIDENTAL}


def shared_settings(config: TrainConfig, fingerprint: str) -> dict[str, Any]:
    """What all runs of an experiment have in common: the data set by its content, not its path, and the precision by
    what it comes to on this machine, not by 'auto'.
    """
    settings = run_settings(config)
    settings["protocol"]["precision"] = _precision(config)
    return {
        "protocol": {key: value for key, value in settings["protocol"].items() if key != "repeats"},
        "data": {"channels": settings["data"]["channels"], "fingerprint": fingerprint},
        "seed": settings["seed"],
    }


def _precision(config: TrainConfig) -> str:
    """What the run is computed in; of a finished one 'auto' is what it came to, on whatever machine."""
    run = run_folder(config)
    if config.protocol.precision == "auto" and run.done:
        # Its result tells, without torch, which takes longer to import than all else that a finished table needs.
        if told := run.read_result().get("machine", {}).get("precision"):
            return told
    from hybrid.device import choose_machine

    return choose_machine(config.accelerator, config.protocol.precision).precision


def arm_settings(config: TrainConfig) -> dict[str, Any]:
    """What all runs of an arm have in common beyond that: its model. Frames that are the protocol's are in there."""
    settings = run_settings(config)
    frames = {key: settings["protocol"][key] for key in ("num_frames", "frame_rate")}
    model = {key: value for key, value in settings["model"].items() if (key, value) not in frames.items()}
    weights = Path(model["pretrained"])
    files = sorted(path for path in weights.iterdir() if path.is_file()) if weights.is_dir() else [weights]
    if files and all(path.is_file() for path in files):
        model[WEIGHTS] = digest_of(files)
    return model


def record_settings(path: Path, settings: dict[str, Any], what: str) -> None:
    """Record `settings` in `path`, or refuse when runs were made with others."""
    check_settings(path, settings, what)
    if not path.exists() or read_yaml(path) != settings:
        write_yaml(path, settings)


def check_settings(path: Path, settings: dict[str, Any], what: str) -> None:
    """Name every key in which `settings` differ from those recorded in `path`, with which runs were made.

    Runs lie below the file's folder. While none trains or has trained an epoch there is nothing to protect: the
    settings of a command that was refused do not stand in the way of the corrected one.
    """
    if not has_begun(path.parent):
        return
    if not path.exists():
        raise OtherSettings(f"{path}: is gone, and with it what {what} was made with; put it back, or choose another "
                            "name with experiment=...")  # fmt: skip
    there = _with_newer_keys(_recorded(path), settings)
    # Of before it was kept, or the file is gone.
    ignored = {FOLDS, FOLDS_MADE} | {key for key in (WEIGHTS, RATERS) if key not in there or key not in settings}
    there, settings = ({key: of[key] for key in of if key not in ignored} for of in (there, settings))
    differences = [
        f"  {IN_WORDS.get(key, key)}: {_shown(old)} there, {_shown(new)} asked for"
        for key, (old, new) in sorted(_flat_difference(there, settings).items())
    ]
    if differences:
        raise OtherSettings(
            f"{what} was made with other settings ({path}):\n"
            + "\n".join(differences)
            + "\nchoose another name with experiment=..., or remove the folder"
        )


def _recorded(path: Path) -> dict[str, Any]:
    """The settings in `path`. Where they still say 'auto': the precision that it came to, which every result tells."""
    settings = read_yaml(path)
    if settings.get("protocol", {}).get("precision") == "auto":
        runs = (RunFolder(file.parent) for file in in_runs(path.parent, "result.json"))
        found = {run.read_result("machine.precision")["machine"]["precision"] for run in runs}
        settings["protocol"]["precision"] = " and ".join(sorted(found)) or "auto"
    return settings


NEWER_IN = {"protocol": ProtocolConfig, "recipe": RecipeConfig}
"""parts of the settings that get new keys"""


def _with_newer_keys(there: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """What is recorded, with the defaults of the keys that came later: runs from before them were made so."""
    filled = dict(there)
    for part in NEWER_IN.keys() & there.keys() & asked.keys():
        defaults = OmegaConf.structured(NEWER_IN[part])
        newer = [key for key in asked[part] if key not in there[part] and not OmegaConf.is_missing(defaults, key)]
        filled[part] = {**there[part], **{key: defaults[key] for key in newer}}
    return filled


def _shown(value: Any) -> Any:
    return "nothing" if value is None else value


def _flat_difference(old: Any, new: Any, prefix: str = "") -> dict[str, tuple[Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        return {
            name: pair
            for key in {**old, **new}
            for name, pair in _flat_difference(old.get(key), new.get(key), f"{prefix}.{key}".lstrip(".")).items()
        }
    return {} if old == new else {prefix: (old, new)}
