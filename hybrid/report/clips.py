"""The clips each model gets most wrong, with the votes, every model's answer and the frames to play."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from hybrid.display.films import Films, film, film_layout
from hybrid.evaluation.metrics import squared_error
from hybrid.report.evidence import Evidence

WORST = 3
"""clips of each model"""
SIDES = (128, 96, 64, 48)
"""pixels of a frame; the first at which all clips together keep within BUDGET"""
BUDGET = 1_400_000
"""characters of all films in the page"""


@dataclass(frozen=True)
class Answer:
    """What a model says, mean over repeats, in percent; mse x 10^-2, mean over repeats."""

    arm: str
    title: str
    percent: list[float]
    mse: float
    worst: bool
    """one of the clips this model gets most wrong"""


@dataclass(frozen=True)
class HardClip:
    clip: str
    votes: list[float]
    """percent"""
    raters: int | None
    answers: list[Answer]
    film: str | None
    """data URI of a picture of all frames, row by row, `columns` in a row"""

    @property
    def worst_of(self) -> list[str]:
        return [answer.arm for answer in self.answers if answer.worst]


def films_of(evidence: Evidence) -> Films | None:
    return None if evidence.dataset is None else film_layout(evidence.dataset.spec)


def hard_clips(results: pd.DataFrame, evidence: Evidence) -> list[HardClip]:
    """The WORST clips of every arm, the one that is hard for most models first."""
    tested = evidence.predictions
    error_N = squared_error(evidence.answers(tested), evidence.targets(tested))
    mean = tested.assign(error=error_N).groupby(["arm", "clip"]).mean(numeric_only=True)
    worst = {arm: set(mean.loc[arm]["error"].nlargest(WORST).index) for arm in results["arm"]}
    chosen = set().union(*worst.values())
    error_of = mean["error"].groupby("clip").mean()
    order = sorted(chosen, key=lambda clip: (-sum(clip in clips for clips in worst.values()), -error_of[clip], clip))
    films = _films(order, evidence)
    return [
        HardClip(
            clip,
            votes=(100 * evidence.targets(mean.xs(clip, level="clip").iloc[:1])[0]).tolist(),
            raters=_raters(clip, evidence),
            answers=[
                Answer(
                    row.arm,
                    row.title,
                    percent=(100 * evidence.answers(mean.loc[[(row.arm, clip)]])[0]).tolist(),
                    mse=100 * mean.loc[(row.arm, clip), "error"],
                    worst=clip in worst[row.arm],
                )
                for row in results.itertuples()
                if (row.arm, clip) in mean.index
            ],
            film=films.get(clip),
        )
        for clip in order
    ]


def _raters(clip: str, evidence: Evidence) -> int | None:
    rows = evidence.predictions
    if "raters" not in rows:
        return None
    raters = rows.loc[rows["clip"] == clip, "raters"].max()
    return None if pd.isna(raters) else round(raters)


def _films(clips: list[str], evidence: Evidence) -> dict[str, str]:
    if evidence.dataset is None:
        return {}
    films = films_of(evidence)
    place = {clip: n for n, clip in enumerate(evidence.dataset.clips)}
    frames = {clip: evidence.dataset.frames_NTHWC[place[clip]] for clip in clips if clip in place}
    sides = [side for side in SIDES if side < evidence.dataset.spec.side]
    for side in [min(SIDES[0], evidence.dataset.spec.side), *sides]:
        made = {clip: film(frames_THWC, films, side) for clip, frames_THWC in frames.items()}
        if sum(map(len, made.values())) <= BUDGET:
            break
    return made
