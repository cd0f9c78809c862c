"""Names that a user gives: whether there is such a one, and which may be meant."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from hybrid.errors import UserError


def check_names(what: str, names: Iterable[str], known: Collection[str]) -> None:
    """A UserError for the first of these names that is none of the known ones. what: a model, a preset, ..."""
    if unknown := [name for name in names if name not in known]:
        meant = did_you_mean(unknown[0], known, "")
        raise UserError(f"no {what} is named {unknown[0]!r}; there are: {', '.join(known)}{meant}")


def did_you_mean(name: str, known: Collection[str], else_: str = "--help lists them") -> str:
    """What to add to a message about a name that does not exist: `; did you mean ...?`, or `else_`, if any."""
    near = nearly(name, known)
    told = f"did you mean {' or '.join(near)}?" if near else else_
    return told and f"; {told}"


def mistyped(name: str, known: Collection[str]) -> list[str]:
    """The known name that this is but for a letter or two; none, where none is as close as that."""
    return get_close_matches(name, known, 1, 0.8)


def nearly(name: str, known: Collection[str]) -> list[str]:
    """The known names that may be meant.

    Compared are whole names, their last parts and the initials of these: `lr` is model.recipe.learning_rate. All of
    ours are in small letters.
    """
    name = name.lower()
    by_last: dict[str, list[str]] = {}
    for candidate in sorted(known):
        last = candidate.rpartition(".")[2]
        initials = "".join(word[0] for word in last.split("_") if word)
        for spelling in {last, initials if "_" in last else last}:
            by_last.setdefault(spelling, []).append(candidate)
    last = name.rpartition(".")[2]
    near = by_last.get(last) or [
        *mistyped(name, known),
        *(key for spelling in get_close_matches(last, by_last, 2, 0.7) for key in by_last[spelling]),
    ]
    return list(dict.fromkeys(near))
