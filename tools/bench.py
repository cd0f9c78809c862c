"""How fast this project is on this machine, and beside other ways.

    python tools/bench.py                                       # every model at size tiny, as a benchmark trains it
    python tools/bench.py --models vgg16,hybrid --rounds 5 -o bench.json
    python tools/bench.py --plain --models slowfast,timesformer,vivit,hybrid       # against the plain way

Steps: training in the loop that trains, with augmentation and the protocol's batches, the models in turns in one
process: milliseconds a clip of forward pass, backward pass and update (optimiser, and clipping of gradients), and the
share of a step that is outside these three; then of an answer, as a run ends with.

--plain: in the same turns, of the models that it exists for, the plain way: pytorchvideo's or transformers' network,
eager in float32, and torch's DataLoader, whose items decode their video each time. A hybrid is in no library: its plain
way is the same network. 'loading' is what of a plain step passes until a batch is there, 'times' how many times as long
a plain step is as ours, and 'times loaded' the same if loading took nothing.

On a CPU all is processor time of one thread, unless --threads says otherwise, which other programs change little.
"""

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

from hybrid.errors import UserError, explained
from hybrid.files import typed_path

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
VIDEOS = 32
"""simulated clips, where no videos are given"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="all", help="names with commas between them (default: all)")
    parser.add_argument("--protocol", default="quick", help="a file of configs/protocol (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="trainings of each model (default: %(default)s)")
    parser.add_argument("--plain", action="store_true", help="measure the plain way, too")
    parser.add_argument("--videos", type=typed_path, help="a folder of videos (default: simulated ones)")
    parser.add_argument("--threads", type=int, default=1, help="of a CPU (default: %(default)s)")
    parser.add_argument("--precision", default="auto", help="as protocol.precision (default: %(default)s)")
    parser.add_argument("--accelerator", default="auto", choices=("auto", "cpu", "gpu", "cuda"))
    parser.add_argument("-o", "--output", type=typed_path, help="a JSON file to write the figures into")
    options = parser.parse_args()
    for name in ("rounds", "threads"):
        if getattr(options, name) < 1:
            raise UserError(f"--{name} must be 1 or more, not {getattr(options, name)}")
    return options


def videos_of(folder: Path | None, temporary: Path) -> list[Path]:
    """The videos in the folder, or simulated ones."""
    from hybrid.simulator.dataset import simulate_dataset
    from hybrid.training.predict import find_clips

    return find_clips([folder or simulate_dataset(temporary, num_clips=VIDEOS)])


def main() -> None:
    options = arguments()

    import torch

    from hybrid import list_models
    from hybrid.config import TrainConfig, register_schemas
    from hybrid.device import choose_machine
    from hybrid.experiment.hydra_jobs import composed
    from hybrid.experiment.overrides import typed
    from hybrid.files import write_json
    from hybrid.training.loop import environment_info
    from hybrid.training.plain import IMPLEMENTATIONS
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
    with tempfile.TemporaryDirectory() as temporary:
        videos = videos_of(options.videos, Path(temporary) / "clips") if options.plain else []
        steps, plain = measure_steps(configs, machine, options.rounds, videos)
    load = os.getloadavg()
    found = {"steps": steps.to_dict("records"), "plain": plain.to_dict("records"), "load": load}
    print(steps.to_string(index=False, float_format="%.2f"))
    if options.plain:
        print("\n" + plain.to_string(index=False, float_format="%.2f"))
        print("\n".join(f"plain {name}: {IMPLEMENTATIONS[name]}" for name in plain["model"]))
    print(f"\nms a clip in {machine.precision} on {machine.device.type}, batches of {configs[0].protocol.batch_size}")
    print(f"load of the machine {load[0]:.1f} in the last minute, {load[2]:.1f} in the last 15")
    if options.output:
        write_json(options.output, {**found, **environment_info(machine)})


if __name__ == "__main__":
    with explained():
        sys.exit(main())
