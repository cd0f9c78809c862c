"""tools/simulate.py from the command line."""

import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[3] / "tools" / "simulate.py"
SMALL = ["settings.size=64", "settings.num_frames=4", "settings.subframes=2", "num_clips=2", "workers=1"]


def run(*arguments, cwd):
    return subprocess.run([sys.executable, str(TOOL), *arguments], cwd=cwd, capture_output=True, text=True)


def test_it_makes_a_data_set_and_nothing_else(tmp_path):
    done = run(*SMALL, "root=made/set", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "2 clips in made/set" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["made"]
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["set"]


@pytest.mark.parametrize("wrong, message", [("preset=lag3", "no preset is named 'lag3'"), ("sede=1", "sede")])
def test_mistakes_get_a_message_and_no_traceback(tmp_path, wrong, message):
    done = run(*SMALL, "root=set", wrong, cwd=tmp_path)
    assert done.returncode != 0 and message in done.stderr
    assert "Traceback" not in done.stderr and not list(tmp_path.iterdir())
