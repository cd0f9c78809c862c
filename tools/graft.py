"""Make a checkpoint that a hybrid starts from: SlowFast's weights with a TimeSformer's layers grafted on.

    python tools/graft.py data/simulated -o grafted.pt init=timesformer positions=none
    python tools/train.py model=hybrid model.pretrained=grafted.pt +model.options.init=timesformer ...

The options are the hybrid's, and training names the same ones: init=timesformer puts layers into the branches,
stitch=2, 3 or 4 (with alpha=2) puts the last ones beside res5. Layers are copied; the linear map into each is fitted
on the clips, and how much of what it should give it does give (R^2 on clips kept from the fit) is printed.
"""

import argparse
from pathlib import Path

from hybrid.errors import UserError, explained


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="data set to fit on; take one that no result is reported on")
    parser.add_argument("options", nargs="+", metavar="KEY=VALUE", help="of the hybrid (model.options)")
    parser.add_argument("-o", "--output", type=Path, required=True, help="checkpoint to write")
    parser.add_argument("--size", default="paper", choices=("paper", "tiny"))
    parser.add_argument("--slowfast", default="official", help="'official' or a checkpoint (default: %(default)s)")
    parser.add_argument("--timesformer", default="official", help="'official' or a checkpoint (default: %(default)s)")
    parser.add_argument("--clips", type=int, default=100, help="how many to fit on (default: %(default)s)")
    parser.add_argument("--normalise", default="published", choices=("published", "clip"))
    given = parser.parse_args()

    from hybrid.training.grafting import graft_checkpoint

    explained_by = graft_checkpoint(
        given.data,
        given.output,
        size=given.size,
        slowfast=given.slowfast,
        timesformer=given.timesformer,
        options=as_options(given.options),
        num_clips=given.clips,
        way=given.normalise,
    )
    for name, share in explained_by.items():
        print(f"{name}: R^2 {share:.3f}")
    print(f"written to {given.output}")


def as_options(words: list[str]) -> dict:
    """`stitch=2` as a configuration reads it: {'stitch': 2}."""
    from omegaconf import OmegaConf

    if wrong := [word for word in words if "=" not in word]:
        raise UserError(f"options are KEY=VALUE, not {wrong[0]!r}")
    return OmegaConf.to_container(OmegaConf.from_dotlist(words))


if __name__ == "__main__":
    with explained():
        main()
