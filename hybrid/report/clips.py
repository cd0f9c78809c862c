"""The clips each model gets most wrong, with the votes, every model's answer and the frames to play."""

from dataclasses import dataclass

import pandas as pd

from hybrid.display.films import Films, film, film_layout
from hybrid.display.pages import Section
from hybrid.evaluation.metrics import squared_error
from hybrid.evaluation.results import ExperimentResults
from hybrid.report.data import ReportData

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


def hardest_clips(data: ReportData) -> Section:
    results = data.results
    arms = list(zip(data.frame["arm"], data.frame["title"], strict=True))
    text = {"clips": hard_clips(data), "films": films_of(results), "no_films": results.missing}
    text |= {"grades": results.grades, "arms": arms}
    return Section("clips", "Hardest clips", layout="clips", text=text)


def films_of(results: ExperimentResults) -> Films | None:
    return None if results.dataset is None else film_layout(results.dataset.spec)


def hard_clips(data: ReportData) -> list[HardClip]:
    """The WORST clips of every arm, the one that is hard for most models first."""
    results, tested = data.results, data.results.predictions
    error_N = squared_error(results.answers(tested), results.targets(tested))
    mean = tested.assign(error=error_N).groupby(["arm", "clip"]).mean(numeric_only=True)
    worst = {arm: set(mean.loc[arm]["error"].nlargest(WORST).index) for arm in data.frame["arm"]}
    chosen = set().union(*worst.values())
    error_of = mean["error"].groupby("clip").mean()
    order = sorted(chosen, key=lambda clip: (-sum(clip in clips for clips in worst.values()), -error_of[clip], clip))
    films = _films(order, results)
    return [
        HardClip(
            clip,
            votes=(100 * results.targets(mean.xs(clip, level="clip").iloc[:1])[0]).tolist(),
            raters=_raters(clip, results),
            answers=[
                Answer(
                    row.arm,
                    row.title,
                    percent=(100 * results.answers(mean.loc[[(row.arm, clip)]])[0]).tolist(),
                    mse=100 * mean.loc[(row.arm, clip), "error"],
                    worst=clip in worst[row.arm],
                )
                for row in data.frame.itertuples()
                if (row.arm, clip) in mean.index
            ],
            film=films.get(clip),
        )
        for clip in order
    ]


def _raters(clip: str, results: ExperimentResults) -> int | None:
    rows = results.predictions
    raters = rows.loc[rows["clip"] == clip, "raters"].max()
    return None if pd.isna(raters) else round(raters)


def _films(clips: list[str], results: ExperimentResults) -> dict[str, str]:
    if results.dataset is None:
        return {}
    films = films_of(results)
    place = {clip: n for n, clip in enumerate(results.dataset.clips)}
    frames = {clip: results.dataset.frames_NTHWC[place[clip]] for clip in clips if clip in place}
    sides = [side for side in SIDES if side < results.dataset.spec.side]
    for side in [min(SIDES[0], results.dataset.spec.side), *sides]:
        made = {clip: film(frames_THWC, films, side) for clip, frames_THWC in frames.items()}
        if sum(map(len, made.values())) <= BUDGET:
            break
    return made
