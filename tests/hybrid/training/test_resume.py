"""A run that is killed and started again ends with the numbers of one that was not."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from support import ROOT, quick_overrides

from hybrid.files import read_yaml, write_yaml

MODEL = "hybrid"  # dropout, batch statistics and attention: all that could carry state


def command(dataset, folder) -> list[str]:
    words = [*quick_overrides(dataset, folder), f"model={MODEL}", "protocol.epochs=4", "experiment=e"]
    return [sys.executable, str(ROOT / "tools" / "train.py"), *words]


def begun(dataset, folder) -> tuple[subprocess.Popen, Path]:
    """A run with an epoch behind it, and its folder."""
    run = folder / "runs" / "e" / MODEL / "repeat0-fold0"
    process = subprocess.Popen(command(dataset, folder), stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (run / "last.ckpt").exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return process, run


def test_a_killed_run_continues_to_the_same_predictions(small_dataset, tmp_path):
    subprocess.run(command(small_dataset, tmp_path / "whole"), check=True, capture_output=True)
    whole = tmp_path / "whole" / "runs" / "e" / MODEL / "repeat0-fold0"

    process, killed = begun(small_dataset, tmp_path / "killed")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (killed / "result.json").exists()
    done_before = (killed / "metrics.csv").read_text().splitlines()
    assert 2 <= len(done_before) < 5

    subprocess.run(command(small_dataset, tmp_path / "killed"), check=True, capture_output=True)
    assert (killed / "predictions.csv").read_bytes() == (whole / "predictions.csv").read_bytes()
    curves = [
        [line.rsplit(",", 1)[0] for line in (run / "metrics.csv").read_text().splitlines()] for run in (whole, killed)
    ]
    assert curves[0] == curves[1] and len(curves[0]) == 5
    assert not (killed / "last.ckpt").exists()


def test_a_run_that_is_stopped_by_hand_says_so(small_dataset, tmp_path):
    process, run = begun(small_dataset, tmp_path)
    process.send_signal(signal.SIGINT)
    assert process.communicate()[1].strip().endswith("stopped; the same command continues where this one was")
    assert process.returncode == 128 + signal.SIGINT and not (run / "error.txt").exists()


def test_a_terminated_run_says_so_and_does_not_continue_on_other_clips(small_dataset, tmp_path):
    process, run = begun(small_dataset, tmp_path)
    process.terminate()
    assert "stopped (SIGTERM); the same command continues" in process.communicate()[1]
    assert process.returncode == 128 + signal.SIGTERM and not (run / "result.json").exists()
    folds = run.parent.parent / "folds.csv"
    header, *rows = folds.read_text().splitlines()
    turned = [re.sub(r"\d$", lambda fold: str(1 - int(fold[0])), row) for row in rows]
    folds.write_text("\n".join([header, *turned]))
    settings = run.parent.parent / "experiment.yaml"
    older = {key: value for key, value in read_yaml(settings).items() if key != "folds"}  # of before these were kept
    write_yaml(settings, older)
    again = subprocess.run(command(small_dataset, tmp_path), capture_output=True, text=True)
    assert again.returncode == 2 and "was begun on other training clips" in again.stderr
