"""Measure whether the benchmark's tests and intervals keep what they promise.

    python tools/calibrate_statistics.py
    python tools/calibrate_statistics.py --trials 200 --groups 12

Simulates experiments of 5 folds whose truth is known (see hybrid/evaluation/calibration.py) and prints how often the
corrected t finds a difference that is not there (nominal: 0.05), the plain t for comparison, and how often the 95 %
intervals hold the truth (nominal: 0.95), each with one Monte-Carlo standard error.
"""

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the matrices are too small for more

from hybrid.errors import UserError, explained

with explained():
    from tqdm import tqdm

    from hybrid.data.numbers import typed_seed

COLUMNS = {
    "rejects": "corrected t: p < 0.05",
    "plain_rejects": "plain t: p < 0.05",
    "covers": "corrected t holds mean",
    "clips_cover": "clustered bootstrap holds these models'",
    "clips_cover_mean": "... holds mean",
    "single_covers": "bootstrap of clips holds these models'",
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000, help="experiments a pair of models (default: %(default)s)")
    parser.add_argument("--groups", type=int, default=40, help="donors, of 5 clips each (default: %(default)s)")
    parser.add_argument("--seed", type=typed_seed, default=0)
    options = parser.parse_args()
    if options.trials < 2 or options.groups < 10:
        raise UserError("--trials must be 2 or more and --groups 10 or more, for 5 folds of 2 groups")
    return options


def main() -> None:
    options = arguments()

    from hybrid.evaluation.calibration import CLIPS_A_GROUP, PAIRS, calibrate, monte_carlo_error

    print(f"{options.trials} experiments a pair, {options.groups} groups of {CLIPS_A_GROUP} clips, 5 folds\n")
    print(f"| models | repeats | {' | '.join(COLUMNS.values())} | correlation of runs |")
    print("|:--|" + "--:|" * (len(COLUMNS) + 2))
    with tqdm(total=len(PAIRS) * options.trials, unit="experiment", disable=None, leave=False) as bar:
        for pair in PAIRS:
            table = calibrate(pair, options.trials, groups=options.groups, seed=options.seed, step=bar.update)
            for row in table.to_dict("records"):
                cells = [
                    "-" if share != share else f"{share:.3f} ± {monte_carlo_error(share, options.trials):.3f}"
                    for share in (row[name] for name in COLUMNS)
                ]
                bar.write(f"| {pair} | {row['repeats']} | {' | '.join(cells)} | {row['correlation']:.2f} |")


if __name__ == "__main__":
    with explained():
        main()
