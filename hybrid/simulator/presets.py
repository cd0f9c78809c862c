"""What makes a clip good: the shares of the variance of quality, and the data sets built on them.

The shares were fixed before any model was trained and are not for tuning; `standard` and `clinic` are frozen.
"""

from dataclasses import dataclass

from hybrid.names import check_names
from hybrid.simulator.look import CLINIC, STANDARD, Look
from hybrid.simulator.motion import CLASSES, Families

COMPONENTS = ("form", "motion", "event", "interaction")


@dataclass(frozen=True)
class Preset:
    """`shares` of the variance of quality, in the order of COMPONENTS, adding up to 1."""

    name: str
    shares: tuple[float, float, float, float]
    about: str
    lags: tuple[int, ...] = ()
    """frames between the two moments whose relation is the event, drawn for each clip; none: events of every kind"""
    look: Look = STANDARD

    @property
    def families(self) -> Families:
        """Families of tail shapes; where a bend must stand out, tails that are else straight."""
        return self.look.families if not self.lags else {"plain": self.look.families["plain"]}

    @property
    def kinds(self) -> tuple[str, ...]:
        """Classes of motion; where only events count, every cell must be able to show one."""
        return CLASSES if not self.lags else ("rapid", "slow")


LAGS = (2, 4, 8, 12)
_SHARES = (0.30, 0.35, 0.25, 0.10)
_REST = 0.30 + 0.35 + 0.10


def _built_on(base: str, look: Look) -> list[Preset]:
    """The controls and probes whose clips look as those of `base`."""
    before = "" if base == "clinic" else f"{base}_"
    return [
        Preset(
            f"{before}no_event",
            (0.30 / _REST, 0.35 / _REST, 0.0, 0.10 / _REST),
            f"the clips of {base}, pixel for pixel, graded without regard to events: the negative control",
            look=look,
        ),
        *(
            Preset(
                f"{before}lag{lag}",
                (0.0, 0.0, 1.0, 0.0),
                f"two bends of the tail {lag} frames apart, good to opposite sides, bad to the same side; "
                "each half of a clip alone carries nothing",
                (lag,),
                look,
            )
            for lag in LAGS
        ),
        Preset(f"{before}lags", (0.0, 0.0, 1.0, 0.0), "those four mixed, as many clips of each on average", LAGS, look),
    ]


PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            "clinic", _SHARES, "form, steady motion, an event in time, form x motion, all plain to see", look=CLINIC
        ),
        *_built_on("clinic", CLINIC),
        Preset("standard", _SHARES, "the same, but form hardly shows at 64 px and events are hard to learn"),
        *_built_on("standard", STANDARD),
        Preset("form_only", (1.0, 0.0, 0.0, 0.0), "the clips of standard, graded on form alone"),
        Preset("motion_only", (0.0, 1.0, 0.0, 0.0), "the clips of standard, graded on steady motion alone"),
    )
}


def get_preset(name: str) -> Preset:
    """The preset of this name, or a UserError that says which there are."""
    check_names("preset", [name], PRESETS)
    return PRESETS[name]
