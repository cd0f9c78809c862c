"""The paper's figure 2, with our models: what VGG16 and ViT look at in a frame, each by its own methods.

It mixes model with method, as the paper's does; `localisation` compares models by the same ones.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from hybrid.analysis.attribution import Attribution
from hybrid.analysis.attributions import ATTRIBUTIONS
from hybrid.analysis.subject import Subject
from hybrid.data.video import decode_clip
from hybrid.display.figures import WIDTH, Picture, picture, styled
from hybrid.errors import UserError
from hybrid.training.batches import ResidentClips
from hybrid.training.checkpoint import TrainedModel, load_trained

COLUMNS = (("vgg16", "grad_cam"), ("vit", "attention_rollout"), ("vit", "transformer_explainability"))
TITLES = {"vgg16": "VGG16", "vit": "ViT"}
WHOLE = (0, 1, 1, 0)
"""the picture's edges, whatever its pixels"""


def figure_two(vgg16: Path, vit: Path, clips: Sequence[Path], folder: Path, device: str = "cpu") -> Picture:
    """Draw it for these clips from the two checkpoints, and write figure2.svg and figure2.png to the folder."""
    trained = {"vgg16": load_trained(vgg16, device), "vit": load_trained(vit, device)}
    for name, path in (("vgg16", vgg16), ("vit", vit)):
        if trained[name].name != name:
            raise UserError(f"{path}: is a model {trained[name].name!r}; figure 2 takes {name!r} there")
    frame_NHWC = np.stack([decode_clip(clip, trained["vgg16"].spec).frames_THWC[0] for clip in clips])
    maps = [heat(trained[model], ATTRIBUTIONS[method], clips, device) for model, method in COLUMNS]
    return draw(frame_NHWC, maps, folder)


def heat(trained: TrainedModel, attribution: Attribution, clips: Sequence[Path], device: str) -> np.ndarray:
    """(N, H, W) relevance of each clip's first frame."""
    subject = Subject(trained.model.requires_grad_(False), trained.name, trained.name, 0, trained.normalisation)
    frames_NTHWC = np.stack([decode_clip(clip, trained.spec).frames_THWC for clip in clips])
    resident = ResidentClips(frames_NTHWC, trained.normalisation)
    maps = [
        attribution.relevance(subject, resident.batch(torch.tensor([n]), torch.device(device)))[0, 0]
        for n in range(len(clips))
    ]
    return torch.stack(maps).cpu().numpy()


@styled
def draw(frame_NHWC: np.ndarray, maps: Sequence[np.ndarray], folder: Path) -> Picture:
    """A row a clip: its first frame, then the frame under each map; a map's colours run from 0 to its own largest."""
    count, titles = len(frame_NHWC), [_title(model, method) for model, method in COLUMNS]
    figure = Figure(figsize=(WIDTH, 0.45 + 1.2 * count), layout="constrained")
    axes = figure.subplots(count, 1 + len(maps), squeeze=False)
    for n, row in enumerate(axes):
        for axis in row:
            axis.imshow(frame_NHWC[n].mean(axis=-1), cmap="gray", vmin=0, vmax=255, extent=WHOLE)
            axis.set_axis_off()
        for axis, map_NHW in zip(row[1:], maps, strict=True):
            top = max(map_NHW[n].max(), 1e-12)
            axis.imshow(map_NHW[n], cmap="inferno", alpha=0.55, vmin=0, vmax=top, extent=WHOLE)
    for axis, title in zip(axes[0], ["first frame", *titles], strict=True):
        axis.set_title(title, fontsize=8)
    return picture(
        figure,
        folder,
        "figure2",
        "What VGG16 and ViT look at",
        f"{count} first frames, each beside itself under three maps of relevance: Grad-CAM of VGG16, Attention Rollout "
        "and Transformer Explainability of ViT.",
        "The paper's figure 2 with the models trained here. A map's colours run from 0 to its own largest value. The "
        "columns differ in model and in method, so a difference between them is of either.",
    )


def _title(model: str, method: str) -> str:
    """In lines that fit above a map."""
    return "\n".join([TITLES[model], *textwrap.wrap(ATTRIBUTIONS[method].title, 18)])
