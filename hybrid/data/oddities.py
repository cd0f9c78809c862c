"""What is odd about one decoded clip: why an answer to it may mean less than one to a clip like those trained on."""

from dataclasses import dataclass

from hybrid.data.clip import ClipFacts, ClipSpec

OBLONG = 1.02
"""longer over shorter side, from which on a picture is cropped by more than rounding"""
FAR_LARGER = 2.0
"""times the largest clip trained on, or smaller than the smallest: scaled to the model's size, a cell is less than half
as large as those learned from, or more than twice"""
FLAT = {
    "black": "black in every frame",
    "blank": "of one grey in every frame",
    "still": "still: its frames do not differ",
}
"""`ClipFacts.flat` in words"""


@dataclass(frozen=True)
class Oddities:
    """cropped: only the middle square of the picture is seen. far_larger, far_smaller: than the clips trained on, None
    where their size is not known. flat: as `ClipFacts` has it. used_seconds: of the file, that are seen.
    notes: all that is odd, in words that can be said of several clips.
    """

    cropped: bool
    far_larger: bool | None
    far_smaller: bool | None
    flat: str
    used_seconds: float
    notes: tuple[str, ...]


def oddities(facts: ClipFacts, spec: ClipSpec, sides: tuple[int, int] | None) -> Oddities:
    """Of one decoded clip; sides: the shorter side of the smallest and largest clip trained on, where that is known."""
    shorter, longer = sorted((facts.width, facts.height))
    cropped = longer > OBLONG * shorter
    smallest, largest = sides or (0, 0)
    far_larger = None if sides is None else shorter > FAR_LARGER * largest
    far_smaller = None if sides is None else FAR_LARGER * shorter < smallest
    used_seconds = min(facts.seconds, spec.seconds)
    notes = {
        f"shorter than {spec.seconds:g} s, so that the last frame is held": facts.padded > 0,
        f"longer than {spec.seconds:g} s, of which the first {spec.seconds:g} s are seen": (
            facts.seconds - spec.seconds > 1 / spec.frame_rate
        ),
        "not square, so that only the middle is seen": cropped,
        f"far larger than the clips trained on ({largest} px at most), so that a cell is far smaller": far_larger,
        f"far smaller than the clips trained on ({smallest} px at least), so that a cell is far larger": far_smaller,
        FLAT.get(facts.flat, ""): bool(facts.flat),
    }
    told = (*(note for note, true in notes.items() if true), *facts.notes)
    return Oddities(cropped, far_larger, far_smaller, facts.flat, round(used_seconds, 3), told)
