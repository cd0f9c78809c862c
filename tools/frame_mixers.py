"""Compare what may stand in attention's place in the hybrid's part over frames, on what one pretrained model reads.

    python tools/frame_mixers.py runs/pretraining-tiny-dense/hybrid
    python tools/frame_mixers.py runs/pretraining-tiny-dense/r2plus1d --mixers attention,conv31,window5

The model of a finished pretraining (tools/pretrain.py) is kept as it is. Small parts over time, with as many parameters
each, learn from the frames it reads, and from true ones, how parts of a clip relate and which event it shows. Prints
errors on held-out clips, where 1 is knowing nothing, mean and sd over trainings: from frames as the model reads them,
and as they truly are. Half a minute a training. Clips are simulated where the pool does not have them yet.
"""

import argparse
import sys
from pathlib import Path

from hybrid.errors import UserError, explained

with explained():
    from hybrid.files import typed_path

COLUMNS = ("relations", "relations_turn", "event")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pretraining", type=typed_path, help="runs/<experiment>/<model> of tools/pretrain.py")
    parser.add_argument("--mixers", metavar="NAMES", help="some of them, with commas between (default: all)")
    parser.add_argument("--trainings", type=int, default=3, help="of each, from other first weights (default: 3)")
    parser.add_argument("--steps", type=int, default=1000, help="a training, of 256 clips (default: 1000)")
    parser.add_argument("--clips", type=int, default=8000, help="of the pool, to learn from (default: 8000)")
    parser.add_argument("--held-out", type=int, default=500, help="clips of the next seed (default: 500)")
    parser.add_argument("--pools", type=typed_path, default=Path("data/pretraining"), help="default: data/pretraining")
    options = parser.parse_args()

    import pandas as pd

    from hybrid.names import check_names
    from hybrid.pretraining.mixers import MIXERS, read, train

    mixers = options.mixers.split(",") if options.mixers else list(MIXERS)
    check_names("mixer", mixers, MIXERS)
    for name in ("trainings", "steps", "clips", "held_out"):
        if getattr(options, name) < 1:
            raise UserError(f"--{name.replace('_', '-')} must be 1 or more")
    if options.trainings < 2:
        raise UserError("--trainings must be 2 or more, for a standard deviation")
    reading = read(options.pretraining, options.pools, options.clips, options.held_out)
    rows = []
    for kind in mixers:
        rows += [train(kind, reading, options.steps, seed) for seed in range(options.trainings)]
        told = pd.DataFrame(rows[-options.trainings :])
        figures = {f"{c}, {f}": told[f"{c}, {f}"] for f in ("read", "true") for c in COLUMNS if f"{c}, {f}" in told}
        errors = "  ".join(f"{name} {of.mean():.3f} ({of.std(ddof=1):.3f})" for name, of in figures.items())
        print(f"{kind:<10} {told['parameters'][0]} parameters  {errors}", flush=True)


if __name__ == "__main__":
    with explained():
        sys.exit(main())
