"""What commands take besides training: seconds of the programs, less what their results say of training."""

import pytest

from hybrid.experiment.start_time import ANOTHER, DONE, FIRST, WITHIN, measure_start

PROGRAM = """
import json, sys, time
from pathlib import Path
said = dict(word.split("=") for word in sys.argv[1:])
assert said["protocol.epochs"] == "1" and said["protocol.num_folds"] == "5"
time.sleep(0.3)
for model in said["model"].split(","):
    for fold in range(5) if PROGRAM == "benchmark.py" else [int(said["fold"])]:
        run = Path(said["runs_dir"], said["experiment"], model, f"repeat0-fold{fold}")
        run.mkdir(parents=True, exist_ok=True)
        result = {"arm": model, "model": model, "repeat": 0, "fold": fold, "epochs": 1, "seconds": 0.45}
        costs = {"train_seconds_per_clip": 0.01, "inference_seconds_per_clip": 0.001}  # 0.205 s of 25 clips
        (run / "result.json").write_text(json.dumps(result | costs))
"""


def test_training_and_answers_are_taken_off(tmp_path):
    for name in ("train.py", "benchmark.py"):
        (tmp_path / name).write_text(PROGRAM.replace("PROGRAM", repr(name)))
    rows = measure_start(tmp_path, ["vgg16", "resnet50"], rounds=2).set_index("command")
    assert list(rows.index) == [FIRST, ANOTHER, WITHIN, DONE]
    assert rows.loc[WITHIN, "besides_s"] == pytest.approx(0.45 - 0.205)
    assert (rows.loc[[FIRST, ANOTHER, DONE], "wall_s"] >= 0.3).all()
    for row in (FIRST, ANOTHER):
        assert rows.loc[row, "wall_s"] - rows.loc[row, "besides_s"] == pytest.approx(0.205)
    assert rows.loc[DONE, "wall_s"] == rows.loc[DONE, "besides_s"]
    assert (rows.loc[[FIRST, ANOTHER, DONE], "processor_s"] > 0).all()
