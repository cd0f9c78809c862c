"""What is odd about one decoded clip: why an answer to it may mean less than one to a clip like those trained on."""

from dataclasses import dataclass

from hybrid.data.clip import ClipFacts, ClipSpec

OBLONG = 1.02
"""longer over shorter side, from which on a picture is cropped by more than rounding"""
FAR_LARGER = 2.0
"""times the largest clip trained on: the picture is scaled down to the model's, and a cell in it to less than half"""
FLAT = {
    "black": "black in every frame",
    "blank": "of one grey in every frame",
    "still": "still: its frames do not differ",
}
"""`ClipFacts.flat` in words"""


@dataclass(frozen=True)
class Oddities:
    """cropped: only the middle square of the picture is seen. far_larger: than the clips trained on, None where their
    size is not known. flat: as `ClipFacts` has it. used_seconds: of the file, that are seen.
    notes: all that is odd, in words that can be said of several clips.
    """

    cropped: bool
    far_larger: bool | None
    flat: str
    used_seconds: float
    notes: tuple[str, ...]


def oddities(facts: ClipFacts, spec: ClipSpec, largest_side: int | None) -> Oddities:
    """Of one decoded clip; largest_side: the shorter side of the largest clip trained on, where that is known."""
    shorter, longer = sorted((facts.width, facts.height))
    cropped = longer > OBLONG * shorter
    far_larger = None if largest_side is None else shorter > FAR_LARGER * largest_side
    used_seconds = min(facts.seconds, spec.seconds)
    notes = {
        f"shorter than {spec.seconds:g} s, so that the last frame is held": facts.padded > 0,
        f"longer than {spec.seconds:g} s, of which the first {spec.seconds:g} s are seen": (
            facts.seconds - spec.seconds > 1 / spec.frame_rate
        ),
        "not square, so that only the middle is seen": cropped,
        f"far larger than the clips trained on ({largest_side} px at most), so that a cell is far smaller": far_larger,
        FLAT.get(facts.flat, ""): bool(facts.flat),
    }
    told = (*(note for note, true in notes.items() if true), *facts.notes)
    return Oddities(cropped, far_larger, facts.flat, round(used_seconds, 3), told)
