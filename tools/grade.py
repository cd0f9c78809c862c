"""Grade every sperm in a video of a whole field with a trained model.

    python tools/grade.py runs/quick-simulated field.mp4 --model hybrid --boxes boxes/ -o graded --um-per-px 0.38
    python tools/grade.py runs/mine/hybrid/repeat0-all field.mp4 --detect 13 -o graded

The model is what tools/predict.py takes: a checkpoint (model.ckpt), or the folder of a run, a model or an experiment.
Boxes, tracks and windows are those of tools/crop.py --help. Crop as the clips that the model learned from were cropped:
the same pixels, or um (--side-um), and camera. A cell is graded in all its windows of one clip's length, one after
another along its track, by all folds of the model.
OUT gets grades.csv (a row a track, the best first: distribution, expected grade from 1 for the best, how far windows
and folds differ in it, CASA figures, and why a track was not graded), graded.mp4 (the video with each cell's box and
grade), index.html (every graded cell to play) and grade.yaml. It is whole or not there; the same command on a folder
that is done leaves it so, another one is refused.
Research software; no medical device: its answers are no basis for a clinical decision.
"""

import argparse
import sys

from hybrid.errors import explained

with explained("starts anew"):
    from hybrid.field.settings import add_arguments, settings_of
    from hybrid.files import typed_path


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "trained", type=typed_path, help="checkpoint file, or folder of a run, a model or an experiment"
    )
    parser.add_argument("video", type=typed_path, help="video file")
    parser.add_argument("-o", "--output", type=typed_path, required=True, help="folder to write; a new one")
    parser.add_argument("--model", help="which model (or arm: its folder), where the experiment has several")
    add_arguments(parser)
    parser.add_argument("--accelerator", default="auto", choices=("auto", "cpu", "gpu", "cuda", "mps"))
    return parser.parse_args()


def main() -> None:
    options = arguments()
    settings = settings_of(options)
    from hybrid.grading.run import grade_field
    from hybrid.training.grader import load_grader

    grader = load_grader(options.trained, model=options.model, accelerator=options.accelerator)
    said, notes = grade_field(options.video, options.boxes, options.output, settings, grader.ensemble)
    for line in said:
        print(line)
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


if __name__ == "__main__":
    with explained("starts anew"):
        main()
