"""A trained model in a file that needs none of this software: ONNX, or torch.export.

The file takes uint8 frames and gives distributions: normalisation, softmax and the mean over folds are inside.
Decoding, resampling in time and scaling are not: its metadata say what frames it wants.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hybrid.data.clip import ClipSpec
from hybrid.data.loader import as_slice
from hybrid.data.transforms import IDENTITY, own_lines
from hybrid.errors import UserError
from hybrid.files import check_output, software_commit, whole_file
from hybrid.training.checkpoint import TrainedModel
from hybrid.training.ensemble import Ensemble

TOLERANCE = 1e-5
"""how far a probability may be from this program's"""
CHECKED_BATCHES = (1, 5)
"""sizes; the graph is traced with another one"""
METADATA = "metadata.json"
"""name of the extra file in a .pt2"""
PURPOSE = "research; no medical device, no basis for a clinical decision"
ONNX = ("onnx", "onnxruntime", "onnxscript")
"""packages of the extra `export`"""


class GradesOfFrames(nn.Module):
    """`frames (B, T, H, W, C) uint8 -> distribution (B, K)`, the mean over an ensemble's models."""

    def __init__(self, ensemble: Ensemble):
        super().__init__()
        self.members = nn.ModuleList(Member(trained) for trained in ensemble.models)

    def forward(self, frames_BTHWC: Tensor) -> Tensor:
        return torch.stack([member(frames_BTHWC) for member in self.members]).mean(0)


class Member(nn.Module):
    """One model, with the normalisation that it was trained with."""

    def __init__(self, trained: TrainedModel):
        super().__init__()
        self.model, self.normalisation = trained.model, trained.normalisation
        self.used = as_slice(trained.model.used_frames(trained.spec.num_frames))

    def forward(self, frames_BTHWC: Tensor) -> Tensor:
        pixels = frames_BTHWC.double()  # a mean square minus a squared mean: float32 would lose the contrast's digits
        moments_B2C = torch.stack([pixels.mean((1, 2, 3)), pixels.square().mean((1, 2, 3))], dim=1)
        lines_B2C = self.normalisation.lines([IDENTITY], frames_BTHWC.shape[-1], own_lines(moments_B2C))
        scale_B111C, bias_B111C = lines_B2C[:, :, None, None, None].unbind(1)
        clip_BTHWC = frames_BTHWC[:, self.used].float() * scale_B111C + bias_B111C
        return self.model(clip_BTHWC.permute(0, 4, 1, 2, 3)).softmax(-1)


def export(ensemble: Ensemble, path: Path) -> float:
    """Write the ensemble, which is on the CPU, to `path`, and return how far its answers are from its own at most.

    path: ends in .onnx or .pt2 (torch.export). The file takes its name after its answers, for batches of other sizes
    than the one it was traced with, were within TOLERANCE of those of `Ensemble.distributions`; else, for other
    endings, and where ONNX's libraries are missing, UserError.
    """
    if path.suffix not in FORMATS:
        raise UserError(f"{path}: the file's name must end in {' or '.join(FORMATS)}")
    check_output(path, PURPOSE, ensemble.checkpoints)
    if path.suffix == ".onnx" and (missing := [name for name in ONNX if find_spec(name) is None]):
        raise UserError(f"{path}: needs {', '.join(missing)}: pip install -e '.[export]', or export to .pt2")
    write, reader = FORMATS[path.suffix]
    module = GradesOfFrames(ensemble).eval()
    example = torch.from_numpy(_frames(ensemble.spec, batch=2))
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of libraries about their own future
        module(example)  # some models keep what they computed first, which must be no part of tracing
        shapes = ({0: torch.export.Dim.DYNAMIC},)
        program = torch.export.export(module, (example,), dynamic_shapes=shapes)
        with whole_file(path) as temporary:
            try:
                write(program, temporary, metadata(ensemble))
            except torch.onnx.OnnxExporterError as error:
                name, cause = ensemble.models[0].name, str(_first_cause(error)).splitlines()[0]
                raise UserError(f"{path}: {name} cannot be written as ONNX ({cause}); export it to .pt2") from error
            farthest = _farthest(ensemble, reader(temporary))
            if not farthest <= TOLERANCE:
                raise UserError(
                    f"{path}: not written, for its answers would be {farthest:.1e} from this program's, more than "
                    f"{TOLERANCE:g}"
                )
    return farthest


def _first_cause(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def metadata(ensemble: Ensemble) -> dict[str, Any]:
    """What one must know to use the file, and where it comes from."""
    spec = ensemble.spec
    return {
        "grades": ensemble.grades,
        "input": "frames: uint8 (batch, frames, height, width, channels), pixels from 0 to 255",
        "output": "distribution: float32 (batch, grades), rows sum to 1",
        "frames": spec.num_frames,
        "frame_rate": spec.frame_rate,
        "side": spec.side,
        "channels": "grey" if spec.channels == 1 else "RGB",
        "model": ensemble.models[0].name,
        "size": ensemble.models[0].size,
        "trained": [trained.origin for trained in ensemble.models],
        "checkpoints": ensemble.described,
        "commit": software_commit(),
        "purpose": PURPOSE,
    }


def _frames(spec: ClipSpec, batch: int) -> np.ndarray:
    """Clips of noise of any brightness and contrast, the first of one grey."""
    rng = np.random.default_rng(batch)
    low_B1111, high_B1111 = np.sort(rng.integers(0, 256, (2, batch, 1, 1, 1, 1)), axis=0)
    high_B1111[0] = low_B1111[0]
    return rng.integers(low_B1111, high_B1111 + 1, (batch, *spec.shape), dtype=np.uint8)


def _farthest(ensemble: Ensemble, answers: Callable[[np.ndarray], np.ndarray]) -> float:
    """The largest difference of a probability, over CHECKED_BATCHES."""
    differences = []
    for batch in CHECKED_BATCHES:
        frames_BTHWC = _frames(ensemble.spec, batch)
        dist_BK = ensemble.distributions(frames_BTHWC, [f"clip {n}" for n in range(batch)]).mean(0)
        differences.append(np.abs(answers(frames_BTHWC) - dist_BK).max())
    return float(np.max(differences))  # NaN where one is


def _write_onnx(program: torch.export.ExportedProgram, path: Path, about: dict[str, Any]) -> None:
    logging.getLogger("onnxscript").setLevel(logging.ERROR)  # it tells what it leaves as it is
    onnx_program = torch.onnx.export(
        program,
        input_names=["frames"],
        output_names=["distribution"],
        dynamic_shapes=({0: "batch"},),
        dynamo=True,
        verbose=False,
    )
    for key, value in about.items():
        onnx_program.model.metadata_props[key] = value if isinstance(value, str) else json.dumps(value)
    onnx_program.save(path, external_data=False)


def _read_onnx(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda frames_BTHWC: session.run(None, {"frames": frames_BTHWC})[0]


def _write_pt2(program: torch.export.ExportedProgram, path: Path, about: dict[str, Any]) -> None:
    with open(path, "wb") as file:
        torch.export.save(program, file, extra_files={METADATA: json.dumps(about)})


def _read_pt2(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    with open(path, "rb") as file:
        module = torch.export.load(file).module()
    return lambda frames_BTHWC: module(torch.from_numpy(frames_BTHWC)).detach().numpy()


FORMATS = {".onnx": (_write_onnx, _read_onnx), ".pt2": (_write_pt2, _read_pt2)}
