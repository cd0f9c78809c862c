"""Let every model learn eight clips by heart, with its own recipe: one that cannot is broken.

    python tools/overfit.py [model ...]

Eight simulated clips, 64 px, size tiny, all in one batch. Printed is, for each model, after how many steps the
training error (in eval mode, without dropout) was below 0.05 x 10^-2, or what it was at the last step. Exits with
status 1 if any did not get there. RoSTFine takes longest: its features part before they tell grades apart. All take
about ten minutes of one processor core.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from hybrid.errors import UserError, explained

with explained():
    from hybrid.data.numbers import typed_seed

CONFIGS = Path(__file__).resolve().parent.parent / "configs"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="model", help="names (default: all)")
    parser.add_argument("--steps", type=int, default=1000, help="at most (default: %(default)s)")
    parser.add_argument("--seed", type=typed_seed, default=0, help="of the weights (default: %(default)s)")
    options = parser.parse_args()

    from hybrid import list_models
    from hybrid.names import check_names

    check_names("model", options.models, list_models())
    if options.steps < 1:
        raise UserError(f"--steps must be 1 or more, not {options.steps}")
    return 1 if overfit_all(options.models or list_models(), options.steps, options.seed) else 0


def overfit_all(names: list[str], steps: int, seed: int) -> list[str]:
    """Prints a line a model; the names of those that did not get there."""
    from hydra import compose, initialize_config_dir
    from tqdm import tqdm

    from hybrid.config import register_schemas
    from hybrid.data.clip import ClipSpec
    from hybrid.data.dataset import load_dataset
    from hybrid.simulator.dataset import simulate_dataset
    from hybrid.training.overfit import LIMIT, overfit

    register_schemas()
    with tempfile.TemporaryDirectory() as folder:
        root = simulate_dataset(Path(folder) / "clips", num_clips=8)
        dataset = load_dataset(root, ClipSpec(16, 16.0, 64, 3))
        frames_NTHWC, targets_NK = dataset.frames_NTHWC.copy(), dataset.targets_NK
    failed = []
    for name in names:
        with initialize_config_dir(str(CONFIGS), version_base="1.3"):
            recipe = compose("train", [f"model={name}", "protocol=tiny"]).model.recipe
        with tqdm(desc=name, total=steps, unit="step", disable=None, leave=False) as bar:

            def watch(step: int, error: float, bar=bar) -> None:
                bar.set_postfix_str(f"MSE {error:.5f}", refresh=False)
                bar.update(step - bar.n)

            step, error = overfit(name, frames_NTHWC, targets_NK, recipe, steps, seed, watch)
        failed += [name] if error >= LIMIT else []
        verdict = "   NOT LEARNED" if error >= LIMIT else ""
        print(f"{name:<12} {100 * error:.3f} x 10^-2 after {step} steps{verdict}", flush=True)
    return failed


if __name__ == "__main__":
    with explained():
        sys.exit(main())
