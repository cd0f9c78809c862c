"""Clips without end and without files: for pretraining, and for analyses that need pairs with something in common."""

from collections.abc import Iterator
from itertools import count

import numpy as np

from hybrid.errors import UserError
from hybrid.simulator.clip import Cell, draw_cell, film, make_panel, vote_counts
from hybrid.simulator.presets import get_preset
from hybrid.simulator.settings import Settings
from hybrid.simulator.truth import frame_series, path_rows, truth_row
from hybrid.simulator.writer import play, record

FIRST_PAIR = 10**7
"""index of the first clip used for pairs, beyond those of any data set"""


def stream(
    seed: int = 0, *, start: int = 0, step: int = 1, preset: str = "clinic", settings: Settings | None = None
) -> Iterator[tuple[np.ndarray, dict]]:
    """Frames (T, H, W, 3) uint8 and the truth of clips start, start + step, start + 2 step, ... without end.

    The truth is the row of truth.csv with `path` (the rows of paths.csv), `series` (`truth.frame_series`), `votes`
    (K,), `masks` (T, H, W) uint8, `index` and `seed`. They are the clips of a data set of this seed: pretrain on
    another seed than is tested on. With `start` the number of a process and `step` how many there are, processes share
    the stream.
    """
    for file, truth in recordings(seed, start=start, step=step, preset=preset, settings=settings):
        yield play(file), truth


def recordings(
    seed: int = 0, *, start: int = 0, step: int = 1, preset: str = "clinic", settings: Settings | None = None
) -> Iterator[tuple[bytes, dict]]:
    """As `stream`, with the video files of the data set, as bytes, in place of their frames."""
    chosen = get_preset(preset)
    settings, panel = chosen.look.camera(settings or Settings()), make_panel(seed, chosen)
    for index in count(start, step):
        yield _recorded(draw_cell(seed, index, settings, chosen, panel), settings)


def pairs(
    shares: str, num_pairs: int, seed: int = 0, *, preset: str = "clinic", settings: Settings | None = None
) -> Iterator[tuple[tuple[np.ndarray, dict], tuple[np.ndarray, dict]]]:
    """Pairs of clips that share their cell's form ('form'), or its beat and event ('motion'), and nothing else."""
    if shares not in ("form", "motion"):
        raise UserError(f"pairs share 'form' or 'motion', not {shares!r}")
    chosen = get_preset(preset)
    settings, panel = chosen.look.camera(settings or Settings()), make_panel(seed, chosen)
    for first in range(FIRST_PAIR, FIRST_PAIR + 2 * num_pairs, 2):
        one = draw_cell(seed, first, settings, chosen, panel)
        other = draw_cell(seed, first + 1, settings, chosen, panel, **{f"{shares}_of": first})
        yield _filmed(one, settings), _filmed(other, settings)


def _filmed(cell: Cell, settings: Settings) -> tuple[np.ndarray, dict]:
    file, truth = _recorded(cell, settings)
    return play(file), truth


def _recorded(cell: Cell, settings: Settings) -> tuple[bytes, dict]:
    frames, masks, path, camera = film(cell, settings)
    truth = truth_row(cell, path, settings) | dict(
        path=path_rows(path, camera, settings),
        series=frame_series(path, settings),
        votes=vote_counts(cell),
        masks=masks,
        index=cell.index,
        seed=cell.seed,
    )
    return record(frames, settings.frame_rate, cell.optics.quantiser), truth
