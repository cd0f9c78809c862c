"""Answers as files: one a question, whole or not there, which knows what it is an answer to."""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hybrid.analysis.measure import Curve, Finding, Matrix
from hybrid.files import whole_file

FORMAT = "sperm-video-hybrid analysis 1"


@dataclass(frozen=True)
class Question:
    """What is asked of one trained model. The answer to another question, of another checkpoint say, is not used.

    about: the measure or attribution. checkpoint, clips: digests of their content.
    """

    about: str
    label: str
    run: str
    checkpoint: str
    clips: str


def write_finding(path: Path, question: Question, finding: Finding) -> None:
    arrays = {f"figure {n}": values for n, values in enumerate(finding.figures.values())}
    for n, curve in enumerate(finding.curves.values()):
        arrays |= {f"curve {n} x": curve.x_X, f"curve {n} y": curve.y_NX}
    arrays |= {f"matrix {n}": matrix.value_RC for n, matrix in enumerate(finding.matrices.values())}
    rest = {
        "figures": list(finding.figures),
        "overall": {name: float(value) for name, value in finding.overall.items()},
        "curves": {name: [curve.x_label, curve.y_label] for name, curve in finding.curves.items()},
        "matrices": {name: [matrix.rows, matrix.columns] for name, matrix in finding.matrices.items()},
    }
    _write(path, question, arrays, rest)


def read_finding(path: Path, question: Question) -> Finding | None:
    """None where there is no file, or one that answers another question."""
    if (answer := _read(path, question)) is None:
        return None
    arrays, rest = answer
    return Finding(
        figures={name: arrays[f"figure {n}"] for n, name in enumerate(rest["figures"])},
        overall=rest["overall"],
        curves={
            name: Curve(arrays[f"curve {n} x"], arrays[f"curve {n} y"], *labels)
            for n, (name, labels) in enumerate(rest["curves"].items())
        },
        matrices={
            name: Matrix(arrays[f"matrix {n}"], tuple(rows), tuple(columns))
            for n, (name, (rows, columns)) in enumerate(rest["matrices"].items())
        },
    )


@dataclass(frozen=True, eq=False)
class Relevance:
    """Where one model looks in N clips, by one method: relevance_NTHW; grade_N: the expected grade it answers."""

    relevance_NTHW: np.ndarray
    grade_N: np.ndarray


def write_relevance(path: Path, question: Question, relevance: Relevance) -> None:
    _write(path, question, {"relevance": relevance.relevance_NTHW, "grade": relevance.grade_N}, {})


def read_relevance(path: Path, question: Question) -> Relevance | None:
    """None as in `read_finding`."""
    answer = _read(path, question)
    return None if answer is None else Relevance(answer[0]["relevance"], answer[0]["grade"])


def _write(path: Path, question: Question, arrays: dict[str, np.ndarray], rest: dict[str, Any]) -> None:
    """An .npz file of the arrays, and `about`, a JSON text of all that is no array."""
    about = json.dumps({"format": FORMAT, "question": asdict(question), "rest": rest})
    with whole_file(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, about=np.array(about), **arrays)


def _read(path: Path, question: Question) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
    try:
        with np.load(path) as file:
            about = json.loads(str(file["about"]))
            if about["format"] != FORMAT or about["question"] != asdict(question):
                return None
            return {name: file[name] for name in file.files if name != "about"}, about["rest"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
