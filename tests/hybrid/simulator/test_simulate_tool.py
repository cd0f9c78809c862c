"""tools/simulate.py from the command line."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

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


def test_help_tells_of_every_setting_and_its_default():
    said = run("--help", cwd=TOOL.parent).stdout
    settings = yaml.safe_load((TOOL.parents[1] / "configs" / "simulate.yaml").read_text(encoding="utf-8"))
    switches = {"gates", "benchmark", "beside"}  # told of by what they do
    for part, prefix in ((settings, ""), (settings["settings"], "settings.")):
        for key, value in part.items():
            if isinstance(value, dict) or key == "defaults":
                continue
            default = "" if key in switches else yaml.safe_dump(value).removesuffix("\n...\n").strip()
            assert f"{prefix}{key}={default}" in said
