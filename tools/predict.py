"""Grade clips with a trained model.

    python tools/predict.py runs/quick-simulated --model hybrid my_clips/ another.mp4 -o grades.csv

The model is a checkpoint (model.ckpt), a run's folder, a model's folder or an experiment's folder: with the last two,
the models of all its folds answer together, and the columns ending in _sd say how far they differ.
Of a folder every file is taken but hidden ones; of a data set (labels.csv and clips/) those in clips/.
Other columns say what was seen of each clip, what is odd about that, and which checkpoints answered; what is odd is
told on stderr, too. Exit status: 0; 1 where some clips cannot be read (the others are graded); 2 where none is graded.
Research software; no medical device: its answers are no basis for a clinical decision.
"""

import argparse
import sys

from hybrid.errors import explained

with explained():
    from hybrid.files import typed_path

COLUMNS = "notes,checkpoints,commit"
"""how the head of each table ends"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "trained", type=typed_path, help="checkpoint file, or folder of a run, a model or an experiment"
    )
    parser.add_argument("clips", type=typed_path, nargs="+", help="video files, or folders of them")
    parser.add_argument("--model", help="which model (or arm: its folder), where the experiment has several")
    parser.add_argument("-o", "--output", type=typed_path, help="CSV file to write (default: printed)")
    parser.add_argument("--accelerator", default="auto", choices=("auto", "cpu", "gpu", "cuda", "mps"))
    return parser.parse_args()


def main() -> int:
    options = arguments()

    from hybrid.device import choose_machine
    from hybrid.display.tables import counted
    from hybrid.files import check_output, whole_file
    from hybrid.training.ensemble import find_checkpoints
    from hybrid.training.predict import find_clips, predict_clips

    checkpoints = find_checkpoints(options.trained, options.model)
    clips = find_clips(options.clips)
    if options.output:
        check_output(options.output, COLUMNS, [*checkpoints, *clips])
    predictions = predict_clips(checkpoints, clips, choose_machine(options.accelerator))
    graded, unreadable = len(predictions.table), predictions.unreadable
    if options.output is None:
        predictions.table.to_csv(sys.stdout, index=False, float_format="%.4f")
    else:
        with whole_file(options.output) as temporary:
            predictions.table.to_csv(temporary, index=False, float_format="%.6f", errors="backslashreplace")
        if options.output.is_file():  # not /dev/stdout, whose reader wants the table alone
            print(f"{options.output}: {counted(graded, 'clip')} graded by {counted(len(checkpoints), 'model')}")
    for note in predictions.notes:
        print(f"note: {note}", file=sys.stderr)
    for problem in unreadable:
        print(f"not graded: {problem}", file=sys.stderr)
    if unreadable:
        print(f"error: {len(unreadable)} of {len(clips)} clips cannot be read", file=sys.stderr)
    return 1 if unreadable else 0


if __name__ == "__main__":
    with explained():
        sys.exit(main())
