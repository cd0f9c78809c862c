"""Export a trained model to a file that needs none of this software: ONNX, or torch.export.

    python tools/export.py runs/quick-simulated --model hybrid -o grader.onnx
    python tools/export.py runs/quick-simulated/hybrid/repeat0-fold0 -o grader.pt2

The model is what tools/predict.py takes: a checkpoint (model.ckpt), or the folder of a run, a model or an experiment;
of several folds the mean is exported, as one graph. Needs the extra `export` (pip install -e '.[export]').
In: `frames`, uint8, (batch, frames, height, width, channels), any batch. Out: `distribution`, (batch, grades).
Normalisation and softmax are inside. Picking frames at the right times and scaling the shorter side are not: the
file's metadata say how many frames, how many a second, and which side; they also hold the grades, best first, and the
commit. The file is written only if its answers are within 1e-5 of this program's, in batches of 1 and 5.
Research software; no medical device: its answers are no basis for a clinical decision.
"""

import argparse

from hybrid.errors import explained

with explained():
    from hybrid.files import typed_path


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "trained", type=typed_path, help="checkpoint file, or folder of a run, a model or an experiment"
    )
    parser.add_argument("--model", help="which model (or arm: its folder), where the experiment has several")
    parser.add_argument("-o", "--output", type=typed_path, required=True, help="file to write: NAME.onnx or NAME.pt2")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    from hybrid.device import choose_machine
    from hybrid.training.ensemble import Ensemble, find_checkpoints
    from hybrid.training.export import export

    ensemble = Ensemble.load(find_checkpoints(options.trained, options.model), choose_machine("cpu", "32-true"))
    farthest = export(ensemble, options.output)
    spec, number = ensemble.spec, len(ensemble.models)
    print(f"{options.output}: {ensemble.models[0].name}" + (f", the mean of {number} models" if number > 1 else ""))
    print(f"frames: uint8 (batch, {', '.join(map(str, spec.shape))}), {spec.frame_rate:g} a second")
    print(f"distribution: (batch, {len(ensemble.grades)}), of {', '.join(ensemble.grades)}")
    print(f"at most {farthest:.1e} from this program's answers")


if __name__ == "__main__":
    with explained():
        main()
