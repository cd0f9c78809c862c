"""Grade clips with a trained model.

    python tools/predict.py runs/quick-simulated --model hybrid my_clips/ another.mp4 -o grades.csv

The model is a checkpoint (model.ckpt), a run's folder, a model's folder or an experiment's folder: with the last two,
the models of all its folds answer together, and the columns ending in _sd say how far they differ.
Research software; no medical device: its answers are no basis for a clinical decision.
"""

import argparse
import sys
from pathlib import Path

from hybrid.errors import UserError, explained


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trained", type=Path, help="checkpoint file, or folder of a run, a model or an experiment")
    parser.add_argument("clips", type=Path, nargs="+", help="video files, or folders of them")
    parser.add_argument("--model", help="which model (or arm: its folder), where the experiment has several")
    parser.add_argument("-o", "--output", type=Path, help="CSV file to write (default: printed)")
    parser.add_argument("--accelerator", default="auto", choices=("auto", "cpu", "gpu", "mps"))
    return parser.parse_args()


def main() -> None:
    options = arguments()
    if options.output and options.output.exists() and options.output.is_dir():
        raise UserError(f"{options.output}: is a folder, not a file to write")

    from hybrid.files import whole_file
    from hybrid.predict import find_checkpoints, find_clips, predict_clips
    from hybrid.training.machine import choose_machine

    checkpoints = find_checkpoints(options.trained, options.model)
    clips = find_clips(options.clips)
    predictions = predict_clips(checkpoints, clips, choose_machine(options.accelerator))
    if options.output is None:
        predictions.to_csv(sys.stdout, index=False, float_format="%.4f")
        return
    with whole_file(options.output) as temporary:
        predictions.to_csv(temporary, index=False, float_format="%.6f")
    models = f"{len(checkpoints)} model" + ("s" if len(checkpoints) > 1 else "")
    print(f"{options.output}: {len(clips)} clips graded by {models}")


if __name__ == "__main__":
    with explained():
        main()
