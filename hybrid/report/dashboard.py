"""W&B workspaces of what the runs log: arms compared, folds, cost, learning curves, predictions.

Needs the extra `dashboard`: pip install "sperm-video-hybrid[dashboard]".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybrid.errors import UserError
from hybrid.evaluation.ablation import Ablation, arms_of
from hybrid.evaluation.metrics import METRICS

if TYPE_CHECKING:
    from wandb_workspaces.workspaces import Workspace

ARM, FOLD = "arm", "fold"
"""keys of a run's configuration"""


def build_dashboard(experiment: str, entity: str, project: str, ablation: Ablation | None = None) -> Workspace:
    """The workspace, not yet sent anywhere; `.save()` puts it into the project of W&B and gives it a url.

    ablation: show its arms and their default alone.
    """
    try:
        from wandb_workspaces import expr
        from wandb_workspaces import workspaces as ws
        from wandb_workspaces.reports import v2 as panels
    except ImportError as error:
        raise UserError('a dashboard needs wandb-workspaces: pip install "sperm-video-hybrid[dashboard]"') from error

    by_arm = {"groupby": panels.Config(ARM), "groupby_aggfunc": "mean", "groupby_rangefunc": "stddev"}

    def bars(measure: str, **grouping) -> panels.BarPlot:
        metric = METRICS[measure]
        title = f"{measure.upper()}: {metric.definition} ({metric.better} is better)"
        return panels.BarPlot(title=title, metrics=[f"fold/{measure}"], **grouping)

    def cost(key: str, title: str) -> panels.BarPlot:
        return panels.BarPlot(title=title, metrics=[key], **by_arm)

    def curve(title: str, key: str) -> panels.LinePlot:
        return panels.LinePlot(title=title, x="epoch", y=[key], title_x="epoch", **by_arm)

    def against(key: str, title: str) -> panels.ScatterPlot:
        x, y = panels.SummaryMetric(key), panels.SummaryMetric("fold/mse")
        return panels.ScatterPlot(title=title, x=x, y=y, log_x=True)

    shown = expr.Metric("Group") == experiment
    if ablation is not None:
        shown = expr.And(shown, expr.Config(ARM).isin([arm.label for arm in arms_of([ablation])]))
    return ws.Workspace(
        entity=entity,
        project=project,
        name=f"Benchmark {experiment}" if ablation is None else f"Ablation {ablation.name} of {experiment}",
        sections=[
            ws.Section(name="Arms: held-out measures", panels=[bars(name, **by_arm) for name in METRICS], is_open=True),
            ws.Section(
                name="Folds",
                panels=[bars("mse", groupby=panels.Config(FOLD), groupby_aggfunc="mean", groupby_rangefunc="minmax")],
                is_open=True,
            ),
            ws.Section(
                name="Cost",
                panels=[
                    against("gmac", "MSE against GMAC"),
                    against("parameters", "MSE against parameters"),
                    cost("gmac", "GMAC of one clip"),
                    cost("train_seconds_per_clip", "Training, seconds a clip"),
                    cost("inference_seconds_per_clip", "Inference, seconds a clip"),
                ],
            ),
            ws.Section(
                name="Learning",
                panels=[
                    curve("MSE of the held-out clips", "test/mse"),
                    curve("MSE of the training clips, augmented", "train/mse"),
                    curve("Learning rate", "learning_rate"),
                ],
                is_open=True,
            ),
            ws.Section(name="Predictions", panels=[panels.WeavePanelSummaryTable(table_name="predictions")]),
        ],
        runset_settings=ws.RunsetSettings(filters=expr.And(shown), groupby=[expr.Config(ARM)]),
    )
