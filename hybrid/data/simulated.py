"""What the simulator writes beside a data set's clips and votes, for all who write or read it.

<root>/truth.csv         what is true of each clip and no camera shows, a row a clip
<root>/paths.csv         where the head is, a row a frame
<root>/masks/            an .npz a clip, whose `masks` (frames, height, width) uint8 say which part of the cell is where
<root>/simulation.json   what was asked for; a data set that has it is simulated
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # slow to import, and not needed to train
    import pandas as pd

TRUTH, PATHS, MASKS, SIMULATION = "truth.csv", "paths.csv", "masks", "simulation.json"

HEAD, MIDPIECE, TAIL = 1, 2, 3
"""codes in masks; 0 is none of them"""


def is_simulated(root: Path) -> bool:
    """Whether the simulator wrote this data set: a result on it is no evidence about real sperm."""
    return (root / SIMULATION).exists()


def read_truth(root: Path) -> pd.DataFrame | None:
    """truth.csv with `clip` as its index; None where the data set has none."""
    path = root / TRUTH
    if not path.exists():
        return None
    import pandas as pd

    table = pd.read_csv(path, dtype={"clip": str}, keep_default_na=False, na_values=["", "nan"])
    return table.set_index("clip")


def mask_path(root: Path, clip: str) -> Path:
    """Where the masks of a clip are or would be; clip: as labels.csv names it."""
    return root / MASKS / PurePosixPath(clip).with_suffix(".npz")
