"""Grade the clips of tools/crop.py by their tracks' motion, to try the program before a panel has graded them.

    python tools/crop.py field.mp4 --boxes boxes/ -o my_clips --um-per-px 0.38
    python tools/grade_by_motion.py my_clips
    python tools/benchmark.py data=folder data.root=my_clips protocol=tiny

These are no embryologist's grades: they say how far and how straight each head went, which clips.csv knows already, and
nothing of form. A model that learns them has learned to measure motion. Progress is VSL x STR of the clip. A cell below
--still rests and is an E; the others share A to D equally, by rank (in px/s in each video by itself). Around its place
a clip gets a normal distribution over the grades (--spread), as a panel that does not agree.
my_clips/ gets labels.csv: clip,A,B,C,D,E,group, where the group is the track, so that no cell is trained and tested on.
Cells of one video still share its look. Votes that are there already are never replaced; to collect some later, remove
labels.csv and use tools/rate.py.
"""

import argparse

from hybrid.errors import explained

with explained("starts anew"):
    from hybrid.data.numbers import typed_number
    from hybrid.files import typed_path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=typed_path, help="a data set as tools/crop.py writes it")
    parser.add_argument(
        "--still", type=typed_number, help="progress of a cell that rests (default: 5 um/s; needed for px)"
    )
    parser.add_argument(
        "--spread", type=typed_number, default=0.7, help="of the panel, in grades (default: %(default)s)"
    )
    options = parser.parse_args()

    from hybrid.field.motion_grades import grade_folder

    print(grade_folder(options.folder, options.still, options.spread))
    print(f"{options.folder / 'labels.csv'}: grades from motion alone; they are no embryologist's")


if __name__ == "__main__":
    with explained("starts anew"):
        main()
