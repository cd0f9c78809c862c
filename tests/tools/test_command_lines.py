"""The entry points as a person types them: help that helps, and mistakes that are explained."""

import ast
import os
import signal
import subprocess
import sys

import pytest
from support import ROOT, quick_overrides

from hybrid.analysis.registry import ATTRIBUTIONS, GROUPS
from hybrid.errors import UserError
from tools import analyze, bench, profile_models


def type_in(tool: str, *words: str, cwd=None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, str(ROOT / "tools" / f"{tool}.py"), *words], capture_output=True, text=True, cwd=cwd
    )


TOOLS = sorted(path.stem for path in (ROOT / "tools").glob("*.py"))


@pytest.mark.parametrize("tool", TOOLS)
def test_help_explains_with_an_example(tool):
    done = type_in(tool, "--help")
    assert done.returncode == 0, done.stderr
    assert f"tools/{tool}.py" in done.stdout


@pytest.mark.parametrize("tool", TOOLS)
def test_what_takes_long_to_import_is_imported_where_ctrl_c_is_told(tool):
    """At the top stand the standard library and `explained`; all else is in a function, or in a `with explained`."""
    body = ast.parse((ROOT / "tools" / f"{tool}.py").read_text()).body
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            assert all(name == "hybrid.errors" or name.split(".")[0] in sys.stdlib_module_names for name in names)
        elif isinstance(node, ast.With):
            assert ast.unparse(node.items[0]).startswith("explained(")
    assert ast.unparse(body[-1].body[-1]).startswith(("with explained(", "sys.exit(main())"))


@pytest.mark.parametrize("tool, imported", [("parity", "timm"), ("train", "hydra")])
def test_ctrl_c_while_a_tool_is_imported_is_told_in_a_word(tool, imported, tmp_path):
    (tmp_path / f"{imported}.py").write_text("raise KeyboardInterrupt")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    words = [sys.executable, str(ROOT / "tools" / f"{tool}.py")]
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 128 + signal.SIGINT and "Traceback" not in done.stderr
    assert done.stderr.startswith("\nstopped; the same command ")


@pytest.mark.parametrize(
    "word, message",
    [
        ("protocol.epocs=3", "there is no setting 'protocol.epocs'; did you mean protocol.epochs?"),
        ("lr=1e-4", "did you mean model.recipe.learning_rate?"),
        ("model=hybird", "there is no model 'hybird'; did you mean hybrid?"),
        ("model=slowfast model=r3d", "model is given twice"),
        ("protocol.epochs=0", "protocol.epochs must be 1 or more, not 0"),
        ("data.root=nowhere", "nowhere"),
        ("protocol.epochs=1,2", "swept over model, repeat, fold alone"),
        ("+model.options.depth=3", "depth"),
        ("arm=hybrid", "arm 'hybrid' is the name of a model, which 'slowfast' cannot go by"),
    ],
)
def test_a_benchmark_explains_a_mistake_and_trains_nothing(word, message, tmp_path, small_dataset):
    words = quick_overrides(small_dataset, tmp_path)
    model = [] if word.startswith("model=") else ["model=slowfast"]
    done = type_in("benchmark", *words, *model, *word.split(), cwd=tmp_path)
    assert done.returncode != 0
    assert message in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not list(tmp_path.rglob("last.ckpt")) and not list(tmp_path.rglob("result.json"))


@pytest.mark.parametrize("tool", ["train", "pretrain", "simulate"])
def test_a_program_of_hydras_explains_a_mistake_in_the_same_words(tool, tmp_path):
    for words, message in (("seeds=1", "did you mean seed"), ("seed=many", "seed must be a whole number, not many")):
        done = type_in(tool, words, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "") and message in done.stderr
        assert "HYDRA" not in done.stderr


def test_predict_explains_a_mistake(tmp_path):
    done = type_in("predict", str(tmp_path / "none"), "clip.mp4")
    assert done.returncode == 2 and "none: there is no such checkpoint or folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_export_explains_a_mistake(tmp_path):
    done = type_in("export", str(tmp_path / "none"), "-o", str(tmp_path / "grader.onnx"))
    assert done.returncode == 2 and "none: there is no such checkpoint or folder" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words, message",
    [
        (("none", "-o", "out"), "none: there is no such checkpoint or folder"),
        (("none", "-o", "out", "--clips", "-1"), "--clips must be 0 or more, not -1"),
        (("none", "-o", "pyproject.toml"), "pyproject.toml: is a file, not a folder to write into"),
    ],
)
def test_analyze_explains_a_mistake(words, message):
    done = type_in("analyze", *words, cwd=ROOT)
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr


def test_the_help_of_analyze_names_what_there_is_to_choose_from():
    told = " ".join(type_in("analyze", "--help").stdout.split())
    assert f"of the gallery: {', '.join(ATTRIBUTIONS)}, or none" in told
    assert f"names or groups: {', '.join(group.name for group in GROUPS)}" in told


def test_models_are_profiled_to_a_terminal_and_files(tmp_path):
    words = ("--size", "tiny", "--models", "hybrid,vit", "--no-timing", "--by-module", "1", "-o", str(tmp_path / "p"))
    done = type_in("profile_models", *words)
    assert done.returncode == 0, done.stderr
    assert "hybrid by module" in done.stdout and "operators in no count: none" in done.stdout
    assert "time and memory: not measured" in done.stdout
    names = {path.name for path in (tmp_path / "p").iterdir()}
    assert names == {f"profile.{kind}" for kind in ("csv", "md", "png", "svg")} | {
        "modules-hybrid.csv",
        "modules-vit.csv",
    }


@pytest.mark.parametrize(
    "words, message",
    [(("--models", "hybird"), "no model is named 'hybird'"), (("--crop", "100"), "multiple of 16 from 64 up, not 100")],
)
def test_a_profile_explains_a_mistake(words, message):
    done = type_in("profile_models", *words)
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "tool, words, message",
    [
        (bench, ["--only", ""], "no part of --only is named ''"),
        (analyze, ["runs", "-o", "out", "--models", ","], "a list of names is empty: was a variable of the shell not"),
        (profile_models, ["--by-module", "0"], "--by-module must be 1 or more, not 0"),
    ],
)
def test_what_is_empty_does_not_stand_for_all(tool, words, message, monkeypatch):
    monkeypatch.setattr(sys, "argv", [tool.__name__, *words])
    with pytest.raises(UserError, match=message):
        tool.main()


def test_the_statistics_are_calibrated_on_few_experiments():
    done = type_in("calibrate_statistics", "--trials", "3", "--groups", "10")
    assert done.returncode == 0, done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines() if line.startswith(("| equal", "| seeds"))] == [
        *["equal"] * 3,
        *["seeds"] * 3,
    ]


def test_no_tool_hides_a_module_of_the_standard_library():
    """A script's folder comes first where Python looks: tools/profile.py would break torch, which imports cProfile."""
    assert not {path.stem for path in (ROOT / "tools").glob("*.py")} & sys.stdlib_module_names
