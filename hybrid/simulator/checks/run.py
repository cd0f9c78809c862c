"""The simulator's own report: every gate, the CASA table, the beat plot, and its speed."""

from __future__ import annotations

import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from hybrid.config import processors
from hybrid.data.simulated import read_truth
from hybrid.errors import UserError
from hybrid.files import check_output_folder
from hybrid.simulator.checks.casa_ranges import plot_beats, published_table
from hybrid.simulator.checks.gate_lag import lag_gates
from hybrid.simulator.checks.gates import Gate, standard_gates
from hybrid.simulator.checks.learnable import learnable_gates
from hybrid.simulator.checks.networks import clip_gates, frame_gates
from hybrid.simulator.checks.readers import reader_gates
from hybrid.simulator.data_card import NO_EVIDENCE, casa_table, markdown, realised_shares
from hybrid.simulator.dataset import simulate_dataset
from hybrid.simulator.settings import Settings


def check_simulator(
    root: Path, preset: str, num_clips: int, seed: int, workers: int | None, settings: Settings
) -> list[Gate]:
    """Make `<root>/<preset>`, measure all gates, print them, and write `<root>/gates.md` and `beats.svg`."""
    if preset not in ("standard", "clinic"):
        raise UserError(f"gates are of preset standard or clinic, not {preset!r}")
    check_output_folder(root, ("gates.md", preset))
    workers = workers or processors()
    root.mkdir(parents=True, exist_ok=True)
    made = simulate_dataset(
        root / preset, preset=preset, num_clips=num_clips, seed=seed, workers=workers, settings=settings
    )
    truth = read_truth(made)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as beside:  # what takes longest, on another core
        read = preset == "clinic" and beside.submit(reader_gates, root, preset, seed, settings, workers)
        gates = [
            *standard_gates(made, preset, workers),
            *frame_gates(preset, seed, settings, workers),
            *lag_gates(preset, 2 * num_clips, seed, settings, workers),
            *clip_gates(preset, seed, settings, workers),
        ]
        gates += [*learnable_gates(preset, seed, settings), *read.result()] if read else []
    gates.sort(key=lambda gate: gate.letter)
    table = pd.DataFrame([
        {"gate": g.letter, "what": g.what, "figure": f"{g.figure:.3f}", "allowed": _limit(g), "verdict": g.verdict}
        for g in gates
    ])  # fmt: skip
    shares = ", ".join(f"{name} {value:.3f}" for name, value in realised_shares(truth, preset).items())
    plot_beats(truth, settings.frame_rate, root / "beats.svg")
    text = "\n\n".join([
        f"# Gates of the simulator: {num_clips} clips, seed {seed}", NO_EVIDENCE, markdown(table),
        f"Realised shares of the variance of quality: {shares}.",
        "## CASA figures by class: median (5-95 %) at 64 Hz", markdown(casa_table(truth)),
        f"## The same cells at {settings.frame_rate:g} fps", markdown(casa_table(truth, "_seen")),
        "## The steady swim of the same cells, without events", markdown(casa_table(truth, "_steady")),
        "## Beside published ranges", markdown(published_table(truth)),
        "![true beat frequency against as seen](beats.svg)",
    ])  # fmt: skip
    (root / "gates.md").write_text(text + "\n")
    print(text)
    return gates


def clips_a_second(num_clips: int, workers: int | None, settings: Settings) -> float:
    """Measured over a whole data set: starting the processes, rendering, encoding, masks, tables and pictures."""
    with TemporaryDirectory() as folder:
        start, used = time.perf_counter(), sum(os.times()[:4])  # of this process and those it saw end
        made = simulate_dataset(Path(folder) / "set", num_clips=num_clips, workers=workers, settings=settings)
        seconds, used = time.perf_counter() - start, sum(os.times()[:4]) - used
        size = sum(path.stat().st_size for path in (made / "clips").iterdir())
    rate = num_clips / seconds
    print(
        f"{num_clips} clips of {settings.size} px, {settings.num_frames} frames, {settings.subframes} sub-frames, "
        f"{workers or processors()} processes: {seconds:.1f} s, {rate:.1f} clips a second, everything included "
        f"({used / num_clips:.3f} processor seconds and {size / num_clips / 1e3:.0f} kB a clip)"
    )
    return rate


def _limit(gate: Gate) -> str:
    if gate.limit is None:
        return ""
    low, high = gate.limit
    return f"at most {high:.3f}" if low == float("-inf") else f"{low:.3f} to {high:.3f}"
