"""How the runs were made: settings, machine, versions, seeds, commit."""

from collections.abc import Collection
from itertools import product
from pathlib import Path

import pandas as pd
import yaml

from hybrid.display.pages import Section
from hybrid.display.tables import Column, Table
from hybrid.evaluation.results import ExperimentResults
from hybrid.files import read_yaml, software_commit
from hybrid.folders import ExperimentFolder, RunFolder
from hybrid.report.data import ReportData


def provenance(data: ReportData) -> Section:
    everything = data.everything
    folder, results = everything.folder, everything.results
    files = [("the experiment", folder.settings)] if folder.settings.exists() else []
    files += [(path.parent.name, path) for path in sorted(folder.path.glob("*/model.yaml"))]
    first = everything.runs[0].folder.read_config()
    machines = [result["machine"] for result in results]
    versions = _each(
        " · ".join(f"{name} {version}" for name, version in result["versions"].items()) for result in results
    )
    facts = [
        ("data set", f"{first['data']['name']} ({_data(everything)})"),
        ("seed", f"{first['seed']}; each run's own follows from it, its repeat and its fold"),
        ("machine", _each(_named(machine, ("device", "processor", "platform")) for machine in machines)),
        ("computed in", _each(_named(machine, ("precision", "layout", "threads")) for machine in machines)),
        ("versions", versions),
        ("trained at commit", _each(result.get("commit") or "not recorded" for result in results)),
        ("reported at commit", software_commit() or "no git repository"),
        ("computing", f"{sum(result['seconds'] for result in results) / 3600:.2f} hours in {len(results)} runs"),
    ]
    text = {"settings": [(what, _text(path)) for what, path in files], "facts": facts}
    return Section("origin", "How it was made", layout="provenance", text=text)


def runs_table(results: ExperimentResults) -> Table:
    rows = [
        {key: result[key] for key in ("arm", "model", "repeat", "fold")}
        | {"mse": 100 * result["metrics"]["mse"], "mean_predictor_mse": 100 * result["mean_predictor_mse"]}
        | {key: result.get(key) for key in ("train_clips", "test_clips", "test_clips_seen", "epochs", "seconds")}
        | {key: result["machine"][key] for key in ("device", "precision")}
        for result in results.results
    ]
    return Table(
        "runs",
        "Every run.",
        pd.DataFrame(rows),
        (
            Column.words("run of", "arm"),
            *(_count(name) for name in ("repeat", "fold")),
            Column.number("MSE x10^-2", "mse"),
            Column.number(
                "mean predictor x10^-2",
                "mean_predictor_mse",
                about="MSE of answering the training clips' mean distribution for every clip",
            ),
            *(_count(name) for name in ("train_clips", "test_clips", "epochs")),
            Column.number(
                "seen before",
                "test_clips_seen",
                0,
                about="test clips that the weights it started from had learned from; - where that is not known",
            ),
            Column.number("seconds", "seconds", 0),
            Column.words("device", "device"),
            Column.words("precision", "precision"),
        ),
    )


def _count(name: str) -> Column:
    return Column(name.replace("_", " "), lambda row: str(getattr(row, name)), name)


def _named(machine: dict, keys: tuple[str, ...]) -> str:
    """Those that it says; results of older versions say less."""
    return " · ".join(f"{key} {machine[key]}" for key in keys if machine.get(key) is not None)


def _each(values) -> str:
    return "; ".join(dict.fromkeys(values))


def _data(results: ExperimentResults) -> str:
    clips = results.predictions["clip"].nunique()
    if results.dataset is None:
        return f"{clips} clips; {results.missing}"
    groups = f", {len(set(results.dataset.groups))} groups" if results.dataset.groups else ""
    return f"{len(results.dataset)} clips{groups}, content {results.dataset.fingerprint}"


def _text(path: Path) -> str:
    return yaml.safe_dump(read_yaml(path), sort_keys=False, allow_unicode=True)


def missing_runs(folder: ExperimentFolder, read: Collection[str]) -> list[tuple[str, str]]:
    """Runs without a result, and why: those that are planned, have begun, or that others of their arm have done.

    read: labels of those whose results have been read; one that is done since then is still to come.
    """
    done = [run.read_result() for run in folder.done_runs()]
    arms = {path.parent.name for path in folder.path.glob("*/model.yaml")} | {result["arm"] for result in done}
    pairs = product(*(sorted({result[key] for result in done}) for key in ("repeat", "fold")))
    of_others = [folder.run(arm, *pair) for pair in pairs for arm in sorted(arms)]
    known = {run.label: run for run in (*folder.unfinished_runs(), *folder.planned_runs(), *of_others)}
    return [(label, _state(run)) for label, run in sorted(known.items()) if label not in read]


def _state(run: RunFolder) -> str:
    """What became of a run without a result."""
    if run.error.exists():
        return run.error.read_text(encoding="utf-8").strip().splitlines()[-1]
    if not run.metrics.exists():
        return "not done"
    return f"{run.epochs} of {run.read_config()['protocol']['epochs']} epochs so far"
