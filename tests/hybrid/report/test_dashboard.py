"""Every panel of the dashboard shows something that a real run logs, read back from its offline files."""

import json

import pytest
from wandb_files import records, values

from hybrid.evaluation.ablation import Ablation, Arm
from hybrid.experiment.prepare import prepare
from hybrid.report.dashboard import build_dashboard
from hybrid.training.run import train_run

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:wandb_workspaces")
pytest.importorskip("wandb_workspaces", reason='needs the extra: pip install ".[dashboard]"')


@pytest.fixture
def logged(config_of, tmp_path, monkeypatch):
    """(keys of the history, keys of the summary, configuration, group) of one run."""
    for name in ("WANDB_API_KEY", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    config = config_of("model=vgg16", "logger=offline", "protocol.epochs=1")
    dataset, folds_RN = prepare(config)
    train_run(config, dataset, folds_RN[0])
    history, summary, settings, groups = set(), set(), {}, set()
    for record in records(tmp_path / "runs" / config.experiment / "vgg16" / "repeat0-fold0"):
        kind = record.WhichOneof("record_type")
        if kind == "history":
            history |= set(values(record.history.item))
        elif kind == "summary":
            summary |= set(values(record.summary.update))
        elif kind == "run":
            groups.add(record.run.run_group)
            settings |= {item.key: json.loads(item.value_json) for item in record.run.config.update}
    (group,) = groups
    return history, summary, settings, group


def panels_of(workspace):
    return [panel for section in workspace.sections for panel in section.panels]


def configured(settings, key):
    for part in key.split("."):
        settings = settings[part]
    return settings


WINDOW = Ablation("window", "How far.", Arm("vgg16", "global"), (Arm("window-3", "3"), Arm("window-5", "5")))


def test_every_panel_shows_what_a_run_logs(logged):
    history, summary, settings, group = logged
    workspaces = [build_dashboard(group, "someone", "sperm-video-hybrid", part) for part in (None, WINDOW)]
    kinds = set()
    for panel in [panel for workspace in workspaces for panel in panels_of(workspace)]:
        kind = type(panel).__name__
        kinds.add(kind)
        if kind == "LinePlot":
            assert {panel.x, *panel.y} <= history, panel.title
        elif kind == "BarPlot":
            assert set(panel.metrics) <= summary, panel.title
        elif kind == "ScatterPlot":
            assert {panel.x.name, panel.y.name} <= summary, panel.title
        else:
            assert f"{panel.table_name}.nrows" in history
        if getattr(panel, "groupby", None) is not None:
            assert configured(settings, panel.groupby.name) in ("vgg16", 0)
    assert kinds == {"LinePlot", "BarPlot", "ScatterPlot", "WeavePanelSummaryTable"}


def test_the_workspace_is_of_one_experiment_grouped_by_model():
    run_set = build_dashboard("quick", "someone", "p")._to_model().spec.section.run_sets[0].model_dump()
    assert "'value': 'quick'" in str(run_set["filters"]) and "'name': 'group'" in str(run_set["filters"])
    assert "arm.value" in str(run_set["grouping"])


def test_the_workspace_of_an_ablation_shows_its_arms_and_their_default_alone():
    workspace = build_dashboard("quick", "someone", "p", WINDOW)
    assert workspace.name == "Ablation window of quick"
    (run_set,) = workspace._to_model().spec.section.run_sets
    group, arms = run_set.model_dump()["filters"]["filters"]
    assert (group["key"], group["value"]) == ({"section": "run", "name": "group"}, "quick")
    assert arms["key"] == {"section": "config", "name": "arm"}
    assert (arms["op"], arms["value"]) == ("IN", ["vgg16", "window-3", "window-5"])
