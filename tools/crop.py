"""Crop a video of a whole field into clips of single sperm: a data set, but for the grades.

    python tools/crop.py field.mp4 --boxes boxes/ -o my_clips --um-per-px 0.38
    python tools/crop.py videos/ --boxes boxes/ --donors donors.csv --classes S -o my_clips

Boxes, a file a frame: Pascal VOC (.xml) or YOLO (.txt: `class cx cy w h` or `id class cx cy w h`). A file a video: MOT,
or CSV with the columns frame,x,y,w,h[,id][,class] (px; x, y: left top corner). Of several videos, the files are named
after their video, or lie in folders that are. Boxes without ids are linked by trackpy. Without boxes,
--detect 13 finds heads of 13 px by a simple detector, for clean bright-field or phase-contrast fields.
Clips: 150x150 px (--side, or --side-um), 16 frames at 16 a second by the video's time stamps, following the head
smoothly, or with --camera fixed; one after another along each track. No window is taken that would leave the picture.
A track is broken where the cell goes faster than --max-speed, or has no box for longer than --max-gap; over shorter
gaps it is taken to go straight on.
OUT gets clips/, clips.csv (group, track, time), tracks.csv (CASA figures, and why a track gave no clip), crop.yaml, and
pictures/ to look at; it is whole or not there, and a run that was stopped starts anew. CASA figures take a box's centre
for the head's and are of the video's own frame rate, in um/s where --um-per-px is given, else in px/s. The group is the
video, or the donor by a table with the columns video,donor.
Research software; no medical device: its figures are no basis for a clinical decision.
"""

import argparse
import sys
from pathlib import Path

from hybrid.errors import UserError, explained

with explained("starts anew"):
    from hybrid.field.settings import add_arguments, settings_of
    from hybrid.files import typed_path

ENDINGS = (".mp4", ".avi", ".mov", ".mkv", ".m4v", ".webm", ".mpg", ".mpeg", ".wmv", ".mts", ".ts", ".asf", ".flv")
"""of the files that are taken for videos in a folder"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("videos", type=typed_path, nargs="+", help="video files, or folders of them")
    parser.add_argument("-o", "--output", type=typed_path, required=True, help="folder of the data set; a new one")
    parser.add_argument("--most", type=int, default=0, help="clips of a track, spread over it (default: all)")
    parser.add_argument("--donors", type=typed_path, help="CSV: video,donor")
    add_arguments(parser)
    return parser.parse_args()


def videos_in(paths: list[Path]) -> list[Path]:
    """The files named, and the videos in the folders named."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.iterdir() if file.suffix.lower() in ENDINGS and file.is_file())
            if not inside:
                raise UserError(f"{path}: the folder holds no videos ({', '.join(ENDINGS)})")
            found += inside
        else:
            found.append(path)
    return found


def main() -> None:
    options = arguments()
    from hybrid.field.dataset import crop_fields

    settings = settings_of(options, most=options.most, donors=options.donors)
    made = crop_fields(videos_in(options.videos), options.boxes, options.output, settings)
    for line in made.said:
        print(line)
    for note in made.notes:
        print(f"note: {note}", file=sys.stderr)
    print(f"{options.output}: {made.clips} clips; look at {options.output / 'pictures'}")


if __name__ == "__main__":
    with explained("starts anew"):
        main()
