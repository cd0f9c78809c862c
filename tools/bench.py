"""How fast this project is on this machine, and beside other ways.

    python tools/bench.py --only steps                          # seconds a model: what a change to the code does
    python tools/bench.py -o bench.json                         # all of it, some 20 minutes on 2 cores
    python tools/bench.py --accelerator gpu --protocol paper -o gpu.json       # all of it on a GPU, at the paper's size
    python tools/bench.py --only plain --models hybrid --rounds 5

steps: training in the loop that trains, with augmentation and the protocol's batches, the models in turns in one
process: milliseconds a clip of forward pass, backward pass and update (optimiser, and clipping of gradients), and the
share of a step that is outside these three; then of an answer, as a run ends with.

plain: in turns with that, of the models that it exists for, the plain way: pytorchvideo's or transformers' network,
eager in float32, and torch's DataLoader, whose items decode their video each time. A hybrid is in no library: its plain
way is the same network. 'loading' is what of a plain step passes until a batch is there, 'times' how many times as long
a plain step is as ours, and 'times_loaded' the same if loading took nothing.

decoding: the videos to frames of the protocol, beside torchcodec, decord and OpenCV, where they are installed.

hours: what the paper's protocol takes on this machine: a step of each model at the paper's size, its operations a
second beside those of a product of matrices, memory on a GPU, and the hours of 5 folds of 200 epochs on 615 clips.

probe (where it is named, some minutes a model): the cross-validation of a frozen model's probe once features are kept,
as tools/benchmark.py protocol=probe does it, on made-up features of 615 clips in the real sizes: seconds of a run, of
all processors together, and from the start to the end of that program.

start: what commands take besides training: tools/train.py with the last of the models, one epoch of 20 clips, as the
first run of an experiment and as another one; one of the runs that tools/benchmark.py does, five a model; and
tools/benchmark.py where all of them are done. Seconds from the start to the end of the program, of all processors
together, and from start to end but for training and answers.

losses (on a GPU): learning curves of the last of the models in float32 and in bfloat16, from the same weights.

On a CPU all is processor time of one thread, unless --threads says otherwise, which other programs change little; on a
GPU what passes there, without waiting for it inside a step.
"""

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

from hybrid.errors import UserError, explained

with explained():
    from hybrid.files import check_output, typed_path
    from hybrid.names import check_names

TOOLS = Path(__file__).resolve().parent
CONFIGS = TOOLS.parent / "configs"
PARTS = ("steps", "plain", "decoding", "hours", "start", "probe", "losses")
VIDEOS = 32
"""simulated clips, where no videos are given"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="all", help="names with commas between them (default: all)")
    parser.add_argument("--protocol", default="quick", help="a file of configs/protocol (default: %(default)s)")
    parser.add_argument("--batch-size", type=int, help="of the steps (default: the protocol's)")
    parser.add_argument("--rounds", type=int, default=3, help="trainings of each model (default: %(default)s)")
    parser.add_argument("--only", help=f"of {', '.join(PARTS)}, with commas (default: all but probe; losses on a GPU)")
    parser.add_argument("--clips", type=int, help="of a step for the hours (default: 1, on a GPU the protocol's batch)")
    parser.add_argument("--videos", type=typed_path, help="a folder of videos (default: simulated ones)")
    parser.add_argument("--threads", type=int, default=1, help="of a CPU (default: %(default)s)")
    parser.add_argument("--precision", default="auto", help="as protocol.precision (default: %(default)s)")
    parser.add_argument("--accelerator", default="auto", choices=("auto", "cpu", "gpu", "cuda"))
    parser.add_argument("-o", "--output", type=typed_path, help="a JSON file to write the figures into")
    options = parser.parse_args()
    if options.output:
        check_output(options.output, '"load": [')
    for name in ("rounds", "threads", "clips", "batch_size"):
        if (given := getattr(options, name)) is not None and given < 1:
            raise UserError(f"--{name.replace('_', '-')} must be 1 or more, not {given}")
    options.only = [] if options.only is None else re.split(r"[,\s]+", options.only.strip())
    check_names("part of --only", options.only, PARTS)
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
    from hybrid.data.clip import ClipSpec
    from hybrid.device import choose_machine
    from hybrid.experiment.hydra_jobs import composed
    from hybrid.experiment.overrides import typed
    from hybrid.experiment.probe_time import measure_probes
    from hybrid.experiment.start_time import measure_start
    from hybrid.files import write_json
    from hybrid.profiling.decoders import measure_decoding
    from hybrid.training.loop import environment_info
    from hybrid.training.plain import IMPLEMENTATIONS
    from hybrid.training.steps import PAPER_CLIPS, compare_precisions, measure_protocol, measure_steps

    frozen = list_models("frozen")
    asked = [*list_models(), *frozen] if options.models == "all" else re.split(r"[,\s]+", options.models.strip())
    check_names("model", asked, [*list_models(controls=True), *frozen])
    names, probes = [name for name in asked if name not in frozen], [name for name in asked if name in frozen]
    register_schemas()
    machine = choose_machine(options.accelerator, options.precision)
    torch.set_num_threads(options.threads)
    cuda = machine.device.type == "cuda"
    parts = options.only or [part for part in PARTS if part != "probe" and (part != "losses" or cuda)]
    if not (names or parts == ["probe"]) or ("probe" in parts and not probes):
        raise UserError(f"--only probe measures frozen models ({', '.join(frozen)}), and all else the other ones")

    def configs_of(protocol: str, *more: str) -> list[TrainConfig]:
        overrides = [f"protocol={protocol}", "weights=fresh", f"accelerator={options.accelerator}", "logger=disabled"]
        overrides = typed([*overrides, *more], TrainConfig, CONFIGS)
        return [composed(CONFIGS, "train", [f"model={name}", *overrides]) for name in names]

    batch = [f"protocol.batch_size={options.batch_size}"] if options.batch_size else []
    configs, found = configs_of(options.protocol, *batch), {}
    times = f"{machine.precision} on {machine.device.type}"

    def tell(title: str, table, *remarks: str) -> None:
        print("\n".join([title, table.to_string(index=False, float_format="%.2f"), *remarks, ""]), flush=True)

    with tempfile.TemporaryDirectory() as temporary:
        videos = []
        if {"plain", "decoding"} & set(parts):
            videos = videos_of(options.videos, Path(temporary) / "clips")
        if {"steps", "plain"} & set(parts):
            chosen = configs if "steps" in parts else [c for c in configs if c.model.name in IMPLEMENTATIONS]
            steps, plain = measure_steps(chosen, machine, options.rounds, videos if "plain" in parts else ())
            found["steps"] = steps.to_dict("records")
            tell(f"steps: ms a clip in {times}, batches of {configs[0].protocol.batch_size}", steps)
            if "plain" in parts and len(plain):
                found["plain"] = plain.to_dict("records")
                remarks = [f"plain {name}: {IMPLEMENTATIONS[name]}" for name in plain["model"]]
                tell("plain: ms a clip, ours and the plain way's", plain, *remarks)
        if "decoding" in parts:
            protocol = configs[0].protocol
            spec = ClipSpec(protocol.num_frames, protocol.frame_rate, protocol.crop_size)
            decoding, missing = measure_decoding(videos, spec, options.rounds)
            found["decoding"] = decoding.to_dict("records")
            title = f"decoding: ms a clip to {spec.num_frames} frames of {spec.side} px, a thread of the processor"
            tell(title, decoding, *missing)
    if "hours" in parts:
        papers = configs_of("paper")
        clips = options.clips or (papers[0].protocol.batch_size if cuda else 1)
        hours, peak = measure_protocol(papers, machine, clips)
        found["hours"] = {"models": hours.to_dict("records"), "peak_tflops": peak, "sum": hours["hours"].sum()}
        total = f"all of them: {hours['hours'].sum():.1f} hours; the peak, a product of matrices: {peak:.3g} TFLOP/s"
        tell(f"hours: protocol=paper on {PAPER_CLIPS} clips in {times}", hours.dropna(axis=1, how="all"), total)
    if "start" in parts:
        start = measure_start(TOOLS, names, options.rounds)
        found["start"] = start.to_dict("records")
        tell(f"start: seconds, {names[-1]} and {len(names)} models", start)
    if "probe" in parts:
        settings = ["protocol=probe", "weights=fresh", *batch, f"accelerator={options.accelerator}"]
        table = measure_probes(CONFIGS, TOOLS / "benchmark.py", probes, settings, PAPER_CLIPS)
        found["probe"] = table.to_dict("records")
        tell(f"probe: seconds, {PAPER_CLIPS} clips, {os.cpu_count()} processors", table)
    if "losses" in parts:
        curves = compare_precisions(configs[-1], options.accelerator)
        found["losses"] = {"model": names[-1], **curves.to_dict("list")}
        apart = (curves["bf16-mixed"] - curves["32-true"]).abs().max()
        tell(f"losses of {names[-1]} by step", curves, f"at most {apart:.2g} apart")
    load = os.getloadavg()
    print(f"load of the machine: {load[0]:.1f} in the last minute, {load[2]:.1f} in the last 15")
    if options.output:
        write_json(options.output, {**found, "load": load, **environment_info(machine)})


if __name__ == "__main__":
    with explained():
        sys.exit(main())
