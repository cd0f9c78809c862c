"""The parity table, on its quickest model; every model's own parity is tested at tiny size elsewhere."""

import importlib.util
import sys
from pathlib import Path

import pytest

from baselines import get_entry, list_models


@pytest.fixture
def parity(monkeypatch):
    path = Path(__file__).resolve().parents[2] / "tools" / "parity.py"
    spec = importlib.util.spec_from_file_location("parity_tool", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def run(parity, monkeypatch, capsys, *arguments) -> tuple[int, str]:
    monkeypatch.setattr("sys.argv", ["parity.py", *arguments])
    return parity.main(), capsys.readouterr().out


def test_every_baseline_of_the_paper_has_a_reference(parity):
    """RoSTFine has none: what there is of it bears no licence. tests/baselines/test_rostfine.py writes one out."""
    entries = map(get_entry, list_models())
    of_paper = [entry.name for entry in entries if entry.family != "hybrid" and not entry.after_paper]
    assert list(parity.REFERENCES) == of_paper and len(of_paper) == 13


def test_equal_models_pass(parity, monkeypatch, capsys):
    status, out = run(parity, monkeypatch, capsys, "resnet50")
    assert status == 0
    assert "| resnet50 | timm resnet50 | 16x224x224 |" in out


def test_a_small_difference_fails(parity, monkeypatch, capsys):
    right = parity.our_logits
    monkeypatch.setattr(parity, "our_logits", lambda model, clip: right(model, clip) * (1 + 1e-4))
    status, out = run(parity, monkeypatch, capsys, "resnet50")
    assert status == 1
    assert "largest difference 1.0e-04" in out
