"""What the simulator must show, measured: each gate a figure, a limit and a verdict.

(a) a frame is not enough      the best prediction of quality from the first frame explains no more than form's share
(b) texture matters            a low-pass takes the form away and leaves the motion
(c) long range matters         of the lag sets each half predicts nothing, both together do (gate_lag, networks)
(d) a sensible scale           MSE of the mean predictor in 3e-2 to 4e-2, of the best possible prediction below 0.4e-2
(e) no shortcut                no figure of one number explains a tenth of what speed leaves unexplained
(f) learnable                  from the truth of 492 clips a standard learner tells each part of quality (learnable)
(g) visible                    a network reads form, motion and event from clips as models get them (readers)
(h) a frame's worth            a single frame carries as much of what clips carry as in the paper (readers)

(f) to (h) are of `clinic` and not of `standard`, whose form and events models have not learned.

R^2 is out of sample: five folds with donors kept together, the better of ridge regression and boosted trees.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hybrid.data.paths import LABELS
from hybrid.data.simulated import read_truth
from hybrid.simulator.checks.pixel_features import measure
from hybrid.simulator.data_card import realised_shares, scale
from hybrid.simulator.form import PARTS
from hybrid.simulator.presets import COMPONENTS, get_preset

NO_EVENT = (-np.inf, 0.10)
"""R2 of the event that a frame may tell: a beat that is weak at first may go faster later"""


@dataclass(frozen=True)
class Gate:
    """One measured figure; `limit` is (lowest, highest) allowed, None where it is given for information."""

    letter: str
    what: str
    figure: float
    limit: tuple[float, float] | None

    @property
    def verdict(self) -> str:
        if self.limit is None:
            return ""
        return "passed" if self.limit[0] <= self.figure <= self.limit[1] else "FAILED"


def r_squared(features: np.ndarray, target: np.ndarray, groups: np.ndarray) -> float:
    """Out-of-fold R^2 of the better of two regressors."""
    return 1 - np.mean((target - out_of_fold(features, target, groups)) ** 2) / np.var(target)


def out_of_fold(features: np.ndarray, target: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(N,) what the better of two regressors says of each clip, trained on the clips of other groups."""
    features = features.reshape(len(target), -1)
    trees = HistGradientBoostingRegressor(
        learning_rate=0.05, max_iter=150, max_leaf_nodes=8, min_samples_leaf=20, random_state=0
    )
    models = (make_pipeline(StandardScaler(), RidgeCV(np.logspace(-1, 5, 13))), trees)
    folds = GroupKFold(5)
    predictions = [cross_val_predict(model, features, target, groups=groups, cv=folds) for model in models]
    return min(predictions, key=lambda told: np.mean((target - told) ** 2))


def standard_gates(root: Path, preset: str, workers: int) -> list[Gate]:
    """Gates (a), (b), (d), (e) of a data set of this preset, standard or clinic."""
    truth, labels = read_truth(root), pd.read_csv(root / LABELS)
    seen, shortcuts = measure(root, workers, get_preset(preset).look.low_pass)
    found = scale(labels, truth)
    return [
        *_frame_gates(truth, seen, preset),
        *_texture_gates(truth, seen),
        Gate("d", "MSE of the mean predictor x 10^-2", 100 * found["mean predictor"], (3.0, 4.0)),
        Gate("d", "MSE of the oracle x 10^-2", 100 * found["oracle"], (0.0, 0.4)),
        *_shortcut_gates(truth, shortcuts),
    ]


def frame_limit(preset: str, number: int, realised: dict[str, float] | None = None) -> tuple[float, float]:
    """How much of quality one frame may tell: form's share, in `clinic` half of motion's too, and the figure's error
    over so many clips."""
    shares = realised or dict(zip(COMPONENTS, get_preset(preset).shares, strict=True))
    share = shares["form"] + (shares["motion"] / 2 if preset == "clinic" else 0.0)
    return -np.inf, share + 4 * np.sqrt(share) * (1 - share) / np.sqrt(number)


def _frame_gates(truth, seen, preset) -> list[Gate]:
    q, groups = truth["quality"].to_numpy(), truth["donor"].to_numpy()
    form = truth[[f"score_{part}" for part in PARTS]].to_numpy()
    # what a perfect eye could read from one frame of the tail, were there no blur: its shape, but not what drives it
    tail = truth[["amplitude", "wavelength", "bend", "tail_length", "neck_angle"]].to_numpy()
    tail = np.concatenate([tail, np.abs(tail[:, 2:3])], 1)
    pixels = np.concatenate([seen["frame"], PCA(40, random_state=0).fit_transform(seen["frame_crop"])], 1)
    shares = realised_shares(truth, preset)
    share, limit = shares["form"], frame_limit(preset, len(truth), shares)
    both = np.concatenate([form, tail], 1)
    motion = r_squared(pixels, truth["quality_motion"].to_numpy(), groups)
    return [
        Gate("a", "form's realised share of the variance of quality", share, None),
        Gate("a", "R2 of quality from the first frame's pixels", r_squared(pixels, q, groups), limit),
        Gate("a", "R2 of quality from the true form and the true shape of the tail", r_squared(both, q, groups), limit),
        Gate("a", "R2 of quality from those and the first frame's pixels",
             r_squared(np.concatenate([both, pixels], 1), q, groups), limit),
        Gate("a", "R2 of steady motion from the first frame's pixels", motion, None),
        Gate("a", "form's share and what the first frame tells of motion",
             share + shares["motion"] * max(motion, 0.0), limit),
        Gate("a", "R2 of the event from the first frame's pixels",
             r_squared(pixels, truth["quality_event"].to_numpy(), groups), NO_EVENT),
    ]  # fmt: skip


def _texture_gates(truth, seen) -> list[Gate]:
    groups = truth["donor"].to_numpy()
    form, motion = truth["quality_form"].to_numpy(), truth["quality_motion"].to_numpy()

    def head(suffix):
        pca = PCA(40, random_state=0).fit_transform(seen[f"crop{suffix}"])
        return r_squared(np.concatenate([pca, seen[f"texture{suffix}"]], 1), form, groups)

    sharp, blurred = head(""), head("_blurred")
    motion_sharp, motion_blurred = (r_squared(seen[f"movement{s}"], motion, groups) for s in ("", "_blurred"))
    return [
        Gate("b", "R2 of form from the head's pixels", sharp, (0.4, 1.0)),
        Gate("b", "R2 of form from the head's pixels, low-passed", blurred, (-np.inf, 0.3 * sharp)),
        Gate("b", "R2 of steady motion from movement in the pixels", motion_sharp, (0.4, 1.0)),
        Gate("b", "R2 of steady motion from movement, low-passed", motion_blurred, (0.8 * motion_sharp, 1.0)),
    ]


def _shortcut_gates(truth, shortcuts) -> list[Gate]:
    q, groups = truth["quality"].to_numpy(), truth["donor"].to_numpy()
    speed = truth[["vsl", "vcl", "quality_motion"]].to_numpy()
    model = HistGradientBoostingRegressor(learning_rate=0.05, max_iter=150, max_leaf_nodes=8, random_state=0)
    rest = q - cross_val_predict(model, speed, q, groups=groups, cv=GroupKFold(5))
    gates = []
    for name in shortcuts:
        values = shortcuts[[name]].to_numpy()
        alone = r_squared(values, q, groups)
        gates.append(Gate("e", f"R2 of quality from {name} (alone {alone:.3f}), beyond speed",
                          r_squared(values, rest, groups), (-np.inf, 0.10)))  # fmt: skip
    return gates
