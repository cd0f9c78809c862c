"""Put pretrained weights into the package, where pretrained=simulated takes them from.

    python tools/pretrain.py model=slowfast
    python tools/ship_weights.py runs/pretraining-tiny-dense

Of every finished pretraining in the folder, the model without its classifier is written in half precision to
baselines/simulated/<model>.safetensors, and what it is to index.json beside it: hash, commit, command, and its errors
on held-out clips, where 1 is knowing nothing. Prints that table.
"""

import argparse
import sys

from hybrid.errors import explained

with explained():
    from hybrid.files import typed_path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pretraining", type=typed_path, help="runs/<experiment> of tools/pretrain.py")
    options = parser.parse_args()

    import pandas as pd

    from hybrid.pretraining.shipping import ship

    index = ship(options.pretraining)
    rows = [
        {"model": name, "clips seen": entry["clips_seen"], "kB": entry["bytes"] // 1000, **entry["errors"]}
        for name, entry in index.items()
    ]
    print(pd.DataFrame(rows).to_string(index=False, float_format="%.2f", na_rep=""))
    print(f"{sum(entry['bytes'] for entry in index.values()) / 1e6:.1f} MB")


if __name__ == "__main__":
    with explained():
        sys.exit(main())
