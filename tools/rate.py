"""Collect a panel's votes: a page on this machine that shows the clips and takes the grades.

    python tools/rate.py my_clips                      # then open the address that it prints
    python tools/rate.py my_clips --summary            # how far the raters agree

my_clips/clips/ holds the videos, as tools/crop.py writes them. Each rater sees them in an order of their own, and a
tenth of them twice. Grades are given by key or by touch, with going back and "cannot grade". Clips are played at their
own speed in any browser, whatever their container. Nothing is written but the votes, in my_clips or --votes:
  votes.sqlite3    every vote as it was given; stored before the page goes on
  ratings.csv      each rater's last grade of each clip, for training and reports: without second showings and "cannot
                   grade"
Stop it with Ctrl-C, or any other way: the same command continues. It listens to this machine alone. For raters
elsewhere, let ssh carry the port, `ssh -L 8765:127.0.0.1:8765 this-machine`, and give each a token (--tokens, a CSV of
the columns rater,token).
"""

import argparse
import sys

from hybrid.errors import UserError, explained

with explained():
    from hybrid.data.numbers import typed_number
    from hybrid.files import typed_path


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=typed_path, help="the data set's folder, which has clips/")
    parser.add_argument("--votes", type=typed_path, metavar="FOLDER", help="where the votes go (default: the same)")
    parser.add_argument("--grades", default="", help="best first (default: those of labels.csv, or A,B,C,D,E)")
    parser.add_argument(
        "--repeat",
        type=typed_number,
        default=0.1,
        metavar="SHARE",
        help="of the clips shown twice (default: %(default)s)",
    )
    parser.add_argument("--tokens", type=typed_path, help="CSV with the columns rater,token (default: names are typed)")
    parser.add_argument("--port", type=int, default=8765, help="0: any free one (default: %(default)s)")
    parser.add_argument("--summary", action="store_true", help="print how far the raters agree, and end")
    parser.add_argument(
        "--width",
        type=typed_number,
        help="with --summary: of the noise ceiling's interval that is wanted, MSE x10^-2 (default: half of what it is)",
    )
    return parser.parse_args()


def collect(options: argparse.Namespace) -> None:
    from hybrid.rating.collection import opened
    from hybrid.rating.raters import read_tokens
    from hybrid.rating.server import HOST, listening, make_app, serve

    if not 0 <= options.repeat <= 0.5:
        raise UserError(f"--repeat is a share from 0 to 0.5, not {options.repeat:g}")
    tokens: dict[str, str] | None = read_tokens(options.tokens) if options.tokens else None
    grades = [grade.strip() for grade in options.grades.split(",")] if options.grades else []
    with opened(options.folder, options.votes, grades) as collection, listening(options.port) as taken:
        for notice in collection.notices:
            print(f"note: {notice}", file=sys.stderr)
        address = f"http://{HOST}:{taken.getsockname()[1]}/"
        print(f"{len(collection.clips)} clips, grades {','.join(collection.grades)}, best first", flush=True)
        print(f"open {address} in a browser on this machine; Ctrl-C ends", flush=True)
        for token, rater in (tokens or {}).items():
            print(f"  {rater}: {address}rate?as={token}", flush=True)
        serve(make_app(collection, options.repeat, tokens), taken)


def main() -> None:
    options = arguments()
    if options.summary:
        from hybrid.rating.summary import summarise

        print(summarise(options.folder, options.votes, options.width))
    else:
        collect(options)


if __name__ == "__main__":
    with explained():
        main()
