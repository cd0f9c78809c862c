"""The real measures of least cost, from checkpoints to the page, for two models and a few clips."""

import numpy as np
import pandas as pd
import pytest
from untrained_runs import write_masked_dataset, write_untrained

from hybrid.analysis.plan import make_plan
from hybrid.analysis.registry import ATTRIBUTIONS, GROUPS, chosen_groups, chosen_methods
from hybrid.analysis.run import analyse
from hybrid.analysis.trained_models import find_trained_runs
from hybrid.device import choose_machine

CHEAP = [
    *("cka", "attention_distance", "frame_mass_grad_cam"),
    *("localisation_grad_cam", "localisation_attention_rollout", "randomisation_grad_cam"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = write_masked_dataset(tmp_path_factory.mktemp("masked") / "clips_of_mine")
    experiment = write_untrained(tmp_path_factory.mktemp("runs") / "two", root, models=("slowfast", "timesformer"))
    folder = tmp_path_factory.mktemp("out")
    plan = make_plan(
        folder,
        find_trained_runs([experiment.path], names=["*-fold0"]),
        chosen_groups(GROUPS, CHEAP),
        chosen_methods(ATTRIBUTIONS, ["grad_cam", "attention_rollout"]),
        clips_a_run=4,
        gallery_clips=1,
    )
    analyse(plan, choose_machine("cpu", "32-true"))
    return folder


def test_every_measure_has_answered_for_the_models_it_applies_to(folder):
    values = pd.read_csv(folder / "values.csv")
    models = values.groupby("measure")["model"].agg(lambda models: set(models))
    both = {"slowfast", "timesformer"}
    for name in CHEAP:
        native = name in ("attention_distance", "localisation_attention_rollout")
        assert models[name] == ({"timesformer"} if native else both), name
    assert np.isfinite(values.loc[values["measure"] == "frame_mass_grad_cam", "value"]).all()
    lift = values[(values["measure"] == "localisation_grad_cam") & (values["figure"] == "lift tail")]
    assert len(lift) == 8 and (lift["value"].dropna() >= 0).all()


def test_layers_of_the_two_models_are_compared(folder):
    names = {path.name for path in (folder / "figures").iterdir()}
    assert {"cka-between-clips.svg", "cka-between-time.svg", "parts-lift.svg", "parts-hit.svg"} <= names
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert "SlowFast (rows), TimeSformer: mean " in text


def test_definitions_are_those_of_the_measures(folder):
    text = (folder / "index.html").read_text(encoding="utf-8")
    definitions = (
        "1 / sum p_t^2 effective frames",
        "For Grad-CAM also the two pathways",
        "HSIC is the unbiased estimate",
        "lift = share / area",
    )
    for words in definitions:
        assert words in text
