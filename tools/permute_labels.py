"""Copy a data set with its labels permuted: a model trained on it has learned nothing that holds for other clips.

    python tools/permute_labels.py data/simulated data/simulated-permuted --seed 0
    python tools/benchmark.py data=folder data.root=data/simulated-permuted model=slowfast,timesformer,hybrid

Clips are linked, not copied. What an analysis says of these models too, it does not say of what the others have learned
(data randomisation test of Adebayo et al., 2018).
"""

import argparse

from hybrid.errors import explained

with explained():
    from hybrid.data.numbers import typed_seed
    from hybrid.files import typed_path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=typed_path, help="folder of a data set")
    parser.add_argument("copy", type=typed_path, help="folder to make")
    parser.add_argument("--seed", type=typed_seed, default=0, help="of the permutation (default 0)")
    options = parser.parse_args()

    from hybrid.data.permuted_labels import permute_labels

    print(permute_labels(options.root, options.copy, options.seed))


if __name__ == "__main__":
    with explained():
        main()
