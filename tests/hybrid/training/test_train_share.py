"""Runs on part of the training folds: as long, tested on the same clips, and their result says what they had."""

import numpy as np
import pandas as pd
import pytest

from hybrid.experiment.prepare import prepare
from hybrid.files import read_yaml
from hybrid.training.run import train_run


def test_a_run_on_half_the_clips(config_of, tmp_path):
    results, tested, epochs = {}, {}, {}
    for share in (0.5, 1.0):
        config = config_of(
            "model=resnet50", "protocol.batch_size=2", f"model.recipe.train_share={share}", f"experiment=share{share}"
        )
        dataset, folds_RN = prepare(config)
        results[share] = train_run(config, dataset, folds_RN[0])
        run = tmp_path / "runs" / f"share{share}" / "resnet50" / "repeat0-fold0"
        assert read_yaml(run / "config.yaml")["model"]["recipe"]["train_share"] == share
        tested[share] = pd.read_csv(run / "predictions.csv")["clip"].tolist()
        epochs[share] = pd.read_csv(run / "metrics.csv")["learning_rate"].tolist()
    training = int(np.sum(folds_RN[0] != 0))
    assert [results[share]["train_clips"] for share in (0.5, 1.0)] == [training // 2, training]
    assert [results[share]["train_share"] for share in (0.5, 1.0)] == [0.5, 1.0]
    assert tested[0.5] == tested[1.0]
    assert epochs[0.5] == pytest.approx(epochs[1.0])  # as many steps: the schedule is the same
    # what must be beaten is what those clips alone say
    assert results[0.5]["mean_predictor_mse"] != results[1.0]["mean_predictor_mse"]
