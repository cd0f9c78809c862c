"""How fast this project is on this machine.

    python tools/bench.py                                       # every model at size tiny, as a benchmark trains it
    python tools/bench.py --models vgg16,hybrid --rounds 5 -o bench.json

Training steps in the loop that trains, with augmentation and the protocol's batches, the models in turns in one
process: milliseconds a clip of forward pass, backward pass and update (optimiser, and clipping of gradients), and the
share of a step that is outside these three. On a CPU it is processor time of one thread, unless --threads says
otherwise.
"""

import argparse
import re
import sys
from pathlib import Path

from hybrid.errors import UserError, explained
from hybrid.files import typed_path

CONFIGS = Path(__file__).resolve().parent.parent / "configs"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="all", help="names with commas between them (default: all)")
    parser.add_argument("--protocol", default="quick", help="a file of configs/protocol (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="trainings of each model (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="of a CPU (default: %(default)s)")
    parser.add_argument("--precision", default="auto", help="as protocol.precision (default: %(default)s)")
    parser.add_argument("--accelerator", default="auto", choices=("auto", "cpu", "gpu", "cuda"))
    parser.add_argument("-o", "--output", type=typed_path, help="a JSON file to write the figures into")
    options = parser.parse_args()
    for name in ("rounds", "threads"):
        if getattr(options, name) < 1:
            raise UserError(f"--{name} must be 1 or more, not {getattr(options, name)}")

    import torch

    from hybrid import list_models
    from hybrid.config import TrainConfig, register_schemas
    from hybrid.device import choose_machine
    from hybrid.experiment.hydra_jobs import composed
    from hybrid.experiment.overrides import typed
    from hybrid.files import write_json
    from hybrid.training.loop import environment_info
    from hybrid.training.steps import measure_steps

    names = list_models() if options.models == "all" else re.split(r"[,\s]+", options.models.strip())
    if unknown := [name for name in names if name not in (known := list_models(controls=True))]:
        raise UserError(f"no model is named {unknown[0]!r}; there are: {', '.join(known)}")
    register_schemas()
    machine = choose_machine(options.accelerator, options.precision)
    torch.set_num_threads(options.threads)
    overrides = [f"protocol={options.protocol}", f"accelerator={options.accelerator}", "logger=disabled"]
    overrides = typed(overrides, TrainConfig, CONFIGS)
    configs = [composed(CONFIGS, "train", [f"model={name}", *overrides]) for name in names]
    table = measure_steps(configs, machine, options.rounds)
    print(table.to_string(index=False, float_format="%.2f"))
    print(f"\nin {machine.precision} on {machine.device.type}, batches of {configs[0].protocol.batch_size}")
    if options.output:
        write_json(options.output, {"steps": table.to_dict("records"), **environment_info(machine)})


if __name__ == "__main__":
    with explained():
        sys.exit(main())
