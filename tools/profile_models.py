"""What each model costs: parameters, multiply-accumulates, activations, memory, latency and throughput.

    python tools/profile_models.py --no-timing -o profile
    python tools/profile_models.py --models slowfast,hybrid --by-module
    python tools/profile_models.py --size tiny --batch-size 32
    python tools/profile_models.py --size tiny --batch-size 32 --layouts

GMAC are counted by fvcore with fused attention counted too, checked by hand for the attention models, and set beside
published figures at the published input; an operator that is in no count is named. Time and memory are of one machine
in the precision it trains in; peak memory is measured on CUDA alone. On a CPU the training step of a large model takes
minutes: --no-timing counts only. (Not named profile.py: that would hide Python's own `profile`, which torch imports.)
"""

import argparse
import re
import sys
from pathlib import Path

from hybrid.errors import UserError, explained

with explained():
    from hybrid.files import check_output_folder, typed_path


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="all", help="names with commas between them (default: all)")
    parser.add_argument("--size", default="paper", choices=("paper", "tiny"))
    parser.add_argument("--frames", type=int, default=16, choices=(8, 16, 32))
    parser.add_argument("--crop", type=int, help="side in pixels (default: 224 for paper, 64 for tiny)")
    parser.add_argument("--batch-size", type=int, default=8, help="of throughput and memory (default: %(default)s)")
    parser.add_argument("--by-module", type=int, nargs="?", const=3, metavar="DEPTH", help="modules too, 3 deep")
    parser.add_argument("--no-timing", action="store_true", help="count only")
    parser.add_argument("--layouts", action="store_true", help="instead: training steps with channels first and last")
    parser.add_argument("--no-published", action="store_true", help="leave out the published variants")
    parser.add_argument("--accelerator", default="auto", choices=("auto", "cpu", "gpu", "cuda"))
    parser.add_argument("-o", "--output", type=typed_path, help="folder to write profile.csv, .md, .png and .svg into")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    if options.output:
        check_output_folder(options.output, ("profile.csv", "modules-*.csv"))
    crop = options.crop or (224 if options.size == "paper" else 64)
    if crop < 64 or crop % 16:
        raise UserError(f"--crop must be a multiple of 16 from 64 up, not {crop}")
    if options.batch_size < 2:
        raise UserError(f"--batch-size must be 2 or more (batch statistics), not {options.batch_size}")
    if options.by_module is not None and options.by_module < 1:
        raise UserError(f"--by-module must be 1 or more, not {options.by_module}")

    from hybrid import list_models
    from hybrid.names import check_names

    names = list_models() if options.models == "all" else re.split(r"[,\s]+", options.models.strip())
    known = [*list_models(controls=True), *list_models("frozen")]
    check_names("model", names, known)

    from hybrid.device import choose_machine
    from hybrid.profiling.models import Setting

    machine = None if options.no_timing else choose_machine(options.accelerator)
    if options.layouts and machine is None:
        raise UserError("--layouts times training steps: it goes without --no-timing")
    setting = Setting(options.size, options.frames, crop, options.batch_size, machine, not options.no_published)
    if options.layouts:
        from hybrid.profiling.models import compare_layouts

        print(compare_layouts(names, setting).to_string(index=False, float_format="%.2f"))
        print(f"\nin {machine.precision} on {machine.device.type}, batch {options.batch_size}")
        return
    report(names, setting, options.by_module, options.output)


def report(names: list[str], setting, depth: int | None, output: Path | None) -> None:
    from tqdm import tqdm

    from hybrid.display.profiles import draw_profiles
    from hybrid.display.tables import as_markdown, as_terminal, formatted
    from hybrid.files import whole_file, write_text
    from hybrid.profiling.models import HEADINGS, PUBLISHED, module_table, profile_models

    with tqdm(total=len(names), unit="model", disable=None, leave=False) as bar:

        def starts(what: str) -> None:
            bar.n = names.index(what.split(":")[0])
            bar.set_description_str(what)

        table, profiles = profile_models(names, setting, starts)
    title = f"{setting.size} size, {setting.num_frames} frames of {setting.crop_size} px, 5 grades"
    parts = [(title, formatted(table, HEADINGS))]
    if "native_gmac" in table:
        compared = table[table["native_gmac"].notna()]
        parts.append(("beside published figures", formatted(compared, PUBLISHED)))
    for name in names if depth else []:
        modules = module_table(profiles[name], depth)
        parts.append((f"{name} by module", formatted(modules, HEADINGS)))
        if output:
            with whole_file(output / f"modules-{name}.csv") as temporary:
                modules.to_csv(temporary, index=False)
    notes = remarks(table, setting)
    print("\n\n".join([*(f"{heading}\n\n{as_terminal(part)}" for heading, part in parts), *notes]))
    if output is None:
        return
    with whole_file(output / "profile.csv") as temporary:
        table.to_csv(temporary, index=False)
    sections = "\n\n".join(f"## {heading}\n\n{as_markdown(part)}" for heading, part in parts)
    write_text(output / "profile.md", "# What the models cost\n\n" + sections + "\n\n" + "\n\n".join(notes) + "\n")
    draw_profiles(table, title, output)
    print(f"\nwritten to {output}: profile.csv, profile.md, profile.png, profile.svg")


def remarks(table, setting) -> list[str]:
    """What was left out or not measured, and on what."""
    left_out = [f"{row.model}: {row.uncounted}" for row in table.itertuples() if row.uncounted]
    notes = ["operators in no count: " + ("; ".join(left_out) if left_out else "none")]
    if setting.machine is None:
        return [*notes, "time and memory: not measured"]
    device = setting.machine.device
    if device.type == "cuda":
        import torch

        where = torch.cuda.get_device_name(device)
    else:
        where = f"{device.type}; peak memory not measured (only CUDA counts it)"
    return [*notes, f"measured in {setting.machine.precision} on {where}; throughput at batch {setting.batch_size}"]


if __name__ == "__main__":
    with explained():
        sys.exit(main())
