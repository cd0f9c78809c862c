"""Results as files, one for each trained model and measure: whole or not there, and each knows what it is of."""

import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hybrid.analysis.base import Curve, Matrix, MeasureResult
from hybrid.files import whole_file

FORMAT = "sperm-video-hybrid analysis 1"


@dataclass(frozen=True)
class CacheKey:
    """What a stored result is of. A result with another key, of another checkpoint for example, is not used.

    about: the measure or attribution. label, run: of the trained model. checkpoint, clips: digests of their content.
    """

    about: str
    label: str
    run: str
    checkpoint: str
    clips: str


def write_result(path: Path, key: CacheKey, result: MeasureResult) -> None:
    arrays = {f"figure {n}": values for n, values in enumerate(result.figures.values())}
    for n, curve in enumerate(result.curves.values()):
        arrays |= {f"curve {n} x": curve.x_X, f"curve {n} y": curve.y_NX}
    arrays |= {f"matrix {n}": matrix.value_RC for n, matrix in enumerate(result.matrices.values())}
    rest = {
        "figures": list(result.figures),
        "overall": {name: float(value) for name, value in result.overall.items()},
        "curves": {name: [curve.x_label, curve.y_label] for name, curve in result.curves.items()},
        "matrices": {name: [matrix.rows, matrix.columns] for name, matrix in result.matrices.items()},
    }
    _write(path, key, arrays, rest)


def read_result(path: Path, key: CacheKey) -> MeasureResult | None:
    """None where there is no readable file, or where it has another key."""
    if (stored := _read(path, key)) is None:
        return None
    arrays, rest = stored
    return MeasureResult(
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


def write_relevance(path: Path, key: CacheKey, relevance: Relevance) -> None:
    _write(path, key, {"relevance": relevance.relevance_NTHW, "grade": relevance.grade_N}, {})


def read_relevance(path: Path, key: CacheKey) -> Relevance | None:
    """None as in `read_result`."""
    stored = _read(path, key)
    return None if stored is None else Relevance(stored[0]["relevance"], stored[0]["grade"])


def _write(path: Path, key: CacheKey, arrays: dict[str, np.ndarray], rest: dict[str, Any]) -> None:
    """An .npz file of the arrays, and `about`, a JSON text of all that is no array."""
    about = json.dumps({"format": FORMAT, "question": asdict(key), "rest": rest})
    with whole_file(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, about=np.array(about), **arrays)


def _read(path: Path, key: CacheKey) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
    try:
        with np.load(path) as file:
            about = json.loads(str(file["about"]))
            if about["format"] != FORMAT or about["question"] != asdict(key):
                return None
            return {name: file[name] for name in file.files if name != "about"}, about["rest"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
