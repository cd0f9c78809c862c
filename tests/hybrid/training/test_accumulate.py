"""A step's clips in parts, one after the other or in processes side by side, come to the same step."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from support import ROOT, quick_overrides

from hybrid.config import parts_of_a_batch
from hybrid.errors import UserError
from hybrid.experiment.prepare import prepare
from hybrid.folders import run_folder
from hybrid.training import fit
from hybrid.training.run import train_run

WITHOUT_CHANCE = "model=mixer"
"""has neither dropout nor batch normalisation, which see a part at a time"""


def trained(config) -> np.ndarray:
    dataset, folds_RN = prepare(config)
    train_run(config, dataset, folds_RN[0])
    return predicted(config)


def predicted(config) -> np.ndarray:
    return pd.read_csv(run_folder(config).predictions).filter(like="predicted").to_numpy()


def test_one_after_the_other_and_side_by_side(config_of, small_dataset, tmp_path):
    batch = "protocol.batch_size=4"
    whole = trained(config_of(WITHOUT_CHANCE, batch, "experiment=whole"))
    parts = trained(config_of(WITHOUT_CHANCE, batch, "experiment=parts", "protocol.accumulate=2"))
    np.testing.assert_allclose(parts, whole, rtol=0, atol=1e-4)

    words = [WITHOUT_CHANCE, batch, "experiment=together", "devices=2", "accelerator=cpu"]
    command = [sys.executable, str(ROOT / "tools" / "train.py"), *quick_overrides(small_dataset, tmp_path), *words]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(predicted(config_of(*words)), whole, rtol=0, atol=1e-4)


def test_parts_must_divide_the_batch(config_of):
    assert parts_of_a_batch(config_of("protocol.batch_size=12", "protocol.accumulate=2", "devices=3")) == 6
    with pytest.raises(UserError, match="1 x 1 x 5: it must divide protocol.batch_size=12"):
        parts_of_a_batch(config_of("protocol.batch_size=12", "protocol.accumulate=5"))


def test_a_memory_too_small_says_what_to_try(config_of, monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError("allocation of 3 GiB")

    monkeypatch.setattr(fit.pl.Trainer, "fit", full)
    with pytest.raises(UserError, match=r"mixer/repeat0-fold0: memory .* 4 clips at a time: try protocol.accumulate=2"):
        trained(config_of(WITHOUT_CHANCE, "protocol.batch_size=4"))
