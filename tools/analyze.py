"""Ask trained models how they see time and where they look; draw, tabulate and compare their answers.

    python tools/analyze.py runs/quick-simulated -o runs/quick-simulated/analysis
    python tools/analyze.py runs/quick-simulated --models slowfast,hybrid --runs 'repeat*-fold0' --clips 4 -o out
    python tools/analyze.py hybrid.ckpt --data my_clips/ -o out

The models are checkpoints (model.ckpt), or folders of runs, models or experiments, several of them if wanted. Each is
asked about clips of its own held-out fold; --data names another data set, or any folder of videos: without labels
there are no errors, without masks nothing is said of head and tail. What will be asked and how long it takes is
printed before it starts; interrupted, the same command continues. Results are one page, OUT/index.html, that opens
from disk, with its table (CSV, Markdown, LaTeX), figures (SVG, PNG) and every single number (values.csv) beside it.
Research software; no medical device: its answers are no basis for a clinical decision.
"""

import argparse
import re

from hybrid.errors import UserError, explained

with explained():
    from hybrid.files import check_output_folder, typed_path

METHODS = (
    "grad_cam, integrated_gradients, integrated_gradients_blur, occlusion, gradient_input, attention_rollout, "
    "attention_rollout_measured, transformer_explainability"
)
"""in words, for torch takes seconds to import and --help needs none"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "trained", type=typed_path, nargs="+", help="checkpoint, or folder of a run, a model or an experiment"
    )
    parser.add_argument("-o", "--output", type=typed_path, required=True, help="folder of the answers and the page")
    parser.add_argument(
        "--data", type=typed_path, help="data set or folder of videos (default: each run's held-out clips)"
    )
    parser.add_argument("--models", type=names, default=[], help="names with commas between them (default: all)")
    parser.add_argument("--runs", type=names, default=[], help="names or patterns, as 'repeat*-fold0' (default: all)")
    parser.add_argument("--clips", type=int, default=16, help="for each trained model, 0: all (default: %(default)s)")
    parser.add_argument(
        "--measures", type=names, default=[], help="names or groups: time, attention, frames, parts, sanity"
    )
    parser.add_argument("--methods", type=names, default=[], help=f"of the gallery: {METHODS}, or none (default: all)")
    parser.add_argument("--gallery", type=int, default=6, help="clips in the gallery (default: %(default)s)")
    parser.add_argument("--batch-size", type=int, default=16, help="clips at a time (default: %(default)s)")
    parser.add_argument("--plan", action="store_true", help="only print what would be asked and how long it takes")
    parser.add_argument("--accelerator", default="auto", choices=("auto", "cpu", "gpu", "cuda", "mps"))
    return parser.parse_args()


def names(text: str) -> list[str]:
    if not (found := [name for name in re.split(r"[,\s]+", text) if name]):
        raise UserError("a list of names is empty: was a variable of the shell not set?")
    return found


def main() -> None:
    options = arguments()
    check_output_folder(options.output, ("measures", "relevance", "values.csv"))
    for name, least in (("clips", 0), ("gallery", 0), ("batch_size", 1)):
        if getattr(options, name) < least:
            raise UserError(f"--{name.replace('_', '-')} must be {least} or more, not {getattr(options, name)}")

    from hybrid.analysis.plan import make_plan
    from hybrid.analysis.registry import ATTRIBUTIONS, GROUPS, chosen_groups, chosen_methods
    from hybrid.analysis.run import analyse
    from hybrid.analysis.trained_models import find_trained_runs
    from hybrid.device import choose_machine

    plan = make_plan(
        options.output,
        find_trained_runs(options.trained, options.models, options.runs),
        chosen_groups(GROUPS, options.measures),
        chosen_methods(ATTRIBUTIONS, options.methods),
        data=options.data,
        clips_a_run=options.clips or None,
        gallery_clips=options.gallery,
    )
    analyse(plan, choose_machine(options.accelerator, "32-true"), options.batch_size, only_plan=options.plan)


if __name__ == "__main__":
    with explained():
        main()
