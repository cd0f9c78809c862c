"""Write the report of an experiment from what its runs have left behind.

    python tools/report.py runs/quick-simulated

Writes <experiment>/report/: index.html, one page that opens from disk; the tables as CSV, Markdown and LaTeX; the
figures as SVG and PNG. A benchmark does the same at its end; this is for experiments that are copied or unfinished: of
those that still run it shows what there is so far, marked incomplete, with the learning curves.
"""

import argparse

from hybrid.errors import explained

with explained():
    from hybrid.files import typed_path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", type=typed_path, nargs="+", help="folder of an experiment")
    options = parser.parse_args()

    from hybrid.folders import named_experiment
    from hybrid.report.benchmark import write_report

    for folder in [named_experiment(path) for path in options.experiment]:
        print(write_report(folder, anew=True))


if __name__ == "__main__":
    with explained():
        main()
