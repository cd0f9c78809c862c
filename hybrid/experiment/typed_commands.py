"""Programs of tools/ as they are typed, on made-up clips, and what they take."""

import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hybrid.data.paths import LABELS
from hybrid.data.permuted_labels import write_rows
from hybrid.data.pickled_clips import label_rows, write_clip
from hybrid.errors import UserError

SIDE, GRADES = 64, 5
"""of the made-up clips"""


class Took(NamedTuple):
    """Seconds: from its start to its end, and of a processor, by a program with all its processes."""

    wall: float
    processor: float


def type_command(program: Path, words: Sequence[str]) -> Took:
    """Run it. A UserError holds what it said where it fails."""
    began, before = time.perf_counter(), _of_children()
    done = subprocess.run([sys.executable, program, *words], capture_output=True, text=True)
    took = Took(time.perf_counter() - began, _of_children() - before)
    if done.returncode:
        raise UserError(f"{program} {' '.join(words)} failed:\n{done.stderr}")
    return took


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def make_up_clips(root: Path, number: int) -> None:
    """A data set of noise, with votes of 40."""
    rng, names = np.random.default_rng(0), {n: f"{n}.mkv" for n in range(number)}
    (root / "clips").mkdir(parents=True)
    for name in names.values():
        write_clip(root / "clips" / name, rng.integers(0, 256, (16, SIDE, SIDE, 1), dtype=np.uint8), 16)
    votes = {n: rng.multinomial(40, rng.dirichlet(np.ones(GRADES))) for n in names}
    write_rows(root / LABELS, label_rows(names, votes, {}))
