"""The data set that an experiment's runs were trained on, found again."""

from __future__ import annotations

from pathlib import Path

from hybrid.data.clip import ClipSpec
from hybrid.data.dataset import ClipDataset, load_dataset
from hybrid.errors import UserError
from hybrid.files import read_yaml
from hybrid.folders import ExperimentFolder, RunFolder


def dataset_of(folder: ExperimentFolder, run: RunFolder) -> tuple[ClipDataset | None, str]:
    """The data set of one of the experiment's runs, or None and why it is not there as it was."""
    settings = read_yaml(run.config)
    protocol, data = settings["protocol"], settings["data"]
    root = Path(data["root"])
    if not root.exists():
        return None, f"the data set is no longer at {root}"
    spec = ClipSpec(protocol["num_frames"], protocol["frame_rate"], protocol["crop_size"], data["channels"])
    try:
        dataset = load_dataset(root, spec)
    except UserError as error:
        return None, f"the data set at {root} cannot be read any more: {str(error).splitlines()[0]}"
    trained_on = fingerprint_of(folder)
    if trained_on not in (None, dataset.fingerprint):
        return None, f"the data set at {root} has changed since the runs (it was {trained_on})"
    return dataset, ""


def fingerprint_of(folder: ExperimentFolder) -> str | None:
    """What the experiment's data set is known by; None where nothing says."""
    return read_yaml(folder.settings)["data"]["fingerprint"] if folder.settings.exists() else None
