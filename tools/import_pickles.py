"""Make a data set folder of three pickles of dictionaries by clip id, as the code of RoSTFine keeps its clips.

    python tools/import_pickles.py grades.pkl clips.pkl my_clips --paths paths.pkl --group-by-folder
    python tools/benchmark.py data=folder data.root=my_clips

grades: fractions or votes, best grade first; clips: arrays (frames, height, width, channels) of uint8, RGB or grey;
paths: text. No code that a pickle may hold is run: it is read as numpy arrays and plain containers, and refused where
it holds anything else. Clips are written without loss. Without groups, clips of one patient may be trained and tested
on.
"""

import argparse

from hybrid.errors import explained

with explained():
    from hybrid.data.numbers import typed_number
    from hybrid.files import typed_path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("grades", type=typed_path, help="pickle of grades")
    parser.add_argument("clips", type=typed_path, help="pickle of clips")
    parser.add_argument("root", type=typed_path, help="folder to make")
    parser.add_argument(
        "--paths", type=typed_path, help="pickle of the files that clips were cut from; kept as origins.csv"
    )
    parser.add_argument("--group-by-folder", action="store_true", help="the folder in a clip's path is its group")
    parser.add_argument(
        "--frame-rate",
        type=typed_number,
        default=16.0,
        help="frames a second, which no pickle says (default: %(default)g)",
    )
    options = parser.parse_args()

    from hybrid.data.pickled_clips import import_pickles

    root = import_pickles(
        options.grades,
        options.clips,
        options.root,
        options.paths,
        frame_rate=options.frame_rate,
        group_by_folder=options.group_by_folder,
    )
    print(root)


if __name__ == "__main__":
    with explained():
        main()
