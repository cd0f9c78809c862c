"""Pictures of a simulated data set to look at: a contact sheet and an animated preview."""

from pathlib import Path

import av
import numpy as np
import pandas as pd
from einops import rearrange
from PIL import Image, ImageDraw

from hybrid.data.paths import LABELS
from hybrid.data.simulated import read_truth
from hybrid.simulator.motion import CLASSES
from hybrid.simulator.panel import GRADES
from hybrid.simulator.writer import play

COLUMNS = 8
CAPTION = 12
"""px under a tile"""


def contact_sheet(root: Path, path: Path, per_class: int = 2) -> None:
    """A PNG with some clips of each class of motion, a row each, its frames from left to right."""
    rows, table = [], _table(root)
    chosen = pd.concat([table[table["motion"] == kind].head(per_class) for kind in CLASSES])
    for row in chosen.to_dict("records"):
        frames = read_clip(root, row["clip"])
        picked = frames[np.linspace(0, len(frames) - 1, min(COLUMNS, len(frames))).round().astype(int)]
        rows.append(captioned(np.concatenate(list(picked), 1), _caption(row)))
    Image.fromarray(np.concatenate(rows)).save(path)


def preview(root: Path, path: Path, across: int = 6, down: int = 3) -> None:
    """An animated GIF, a loop of clips side by side in the order of the panel's opinion, best first."""
    truth = _table(root)
    picked = truth.iloc[np.linspace(0, len(truth) - 1, min(across * down, len(truth))).round().astype(int)]
    picked = picked.sort_values("grade_mean", ascending=False)
    clips = [(read_clip(root, row["clip"]), _votes(row)) for _, row in picked.iterrows()]
    pictures = []
    for t in range(len(clips[0][0])):
        tiles = [captioned(frames[t], text) for frames, text in clips]
        tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % across)
        grid = rearrange(tiles, "(down across) h w c -> (down h) (across w) c", across=across)
        pictures.append(Image.fromarray(grid))
    palette = pictures[0].quantize(128)
    still = [p.quantize(palette=palette, dither=Image.Dither.NONE) for p in pictures]
    with av.open(str(next((root / "clips").iterdir()))) as container:
        milliseconds = round(1000 / float(container.streams.video[0].average_rate))
    still[0].save(path, save_all=True, append_images=still[1:], duration=milliseconds, loop=0)


def read_clip(root: Path, clip: str) -> np.ndarray:
    """(T, H, W, 3) uint8 frames of a clip of the data set."""
    return play(root / "clips" / clip)


def _table(root: Path) -> pd.DataFrame:
    labels, grades = pd.read_csv(root / LABELS), list(GRADES)
    table = read_truth(root).reset_index().merge(labels, on="clip", validate="one_to_one")
    table["grade_mean"] = table[grades].to_numpy() @ np.arange(4, -1, -1) / table[grades].to_numpy().sum(1)
    return table


def _votes(row) -> str:
    return " ".join(f"{grade}{row[grade]}" for grade in GRADES)


def _caption(row: dict) -> str:
    event = "" if row["event"] == "none" else f", {row['event']}{row['event_sign']:+d}"
    return (
        f"{row['clip']}: {row['motion']}, VCL {row['vcl']:.0f} VSL {row['vsl']:.0f} um/s, "
        f"beat {row['beat_hz']:.0f} Hz, head {row['head']}, {row['vacuoles']} vacuoles, tail {row['tail']}{event}; "
        f"votes {_votes(row)}"
    )


def captioned(picture: np.ndarray, text: str) -> np.ndarray:
    """A picture (H, W, 3) with a line of text under it."""
    height, width = picture.shape[:2]
    canvas = Image.new("RGB", (width, height + CAPTION), "white")
    canvas.paste(Image.fromarray(picture))
    ImageDraw.Draw(canvas).text((2, height), text, fill="black", font_size=10)
    return np.asarray(canvas)
