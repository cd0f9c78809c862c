"""A share of what tests/harness/bad_input.py does, and that it finds faults where there are some."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from harness.bad_input import in_here, verdict

from hybrid.errors import UserError


@pytest.mark.parametrize(
    "kind, cases",
    [
        ("videos", range(3, 216, 9)),
        ("videos", range(216, 232)),
        ("tables", range(40)),
        ("boxes", range(15)),
        ("settings", range(12)),
        ("pickles", range(20)),
        ("checkpoints", range(30)),
        ("runs", range(2)),
    ],
)
def test_each_case_ends_in_success_or_one_message_that_names_the_file(kind, cases, tmp_path):
    found = in_here(kind, tmp_path, cases)
    assert len(found) == len(cases)
    assert [each for each in found if each[1] not in ("", "refused")] == []


def refuse(text):
    raise UserError(text)


def warn():
    warnings.warn("divide by zero", RuntimeWarning, stacklevel=1)


@pytest.mark.parametrize(
    "act, ending",
    [
        (lambda: None, ""),
        (lambda: refuse("a.mp4: is empty"), "refused"),
        (lambda: refuse("is empty"), "message names nothing of the case"),
        (lambda: refuse("a.mp4\nTraceback (most recent call last):"), "a traceback is printed"),
        (lambda: {}["a.mp4"], "KeyError in elsewhere"),
        (warn, "a warning of Python's"),
        (lambda: np.ones(1100 * 2**20, np.uint8), "takes too much memory"),
    ],
)
def test_faults_are_seen(act, ending):
    assert verdict(["a.mp4"], act)[0] == ending


def test_the_command_counts_its_cases():
    command = [sys.executable, str(Path(__file__).with_name("bad_input.py")), "--only", "pickles", "--cases", "20"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].split()[:2] == ["all", "20"]
