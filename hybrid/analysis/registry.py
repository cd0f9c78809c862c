"""All that models can be asked, by the names that options and files use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from hybrid.analysis.attribution import Attribution
from hybrid.analysis.measure import Measure
from hybrid.errors import UserError

One = TypeVar("One")


def all_measures() -> dict[str, Measure]:
    from hybrid.analysis.measures import MEASURES

    return MEASURES


def all_attributions() -> dict[str, Attribution]:
    from hybrid.analysis.attributions import ATTRIBUTIONS

    return ATTRIBUTIONS


def chosen(known: Mapping[str, One], names: Sequence[str], what: str) -> dict[str, One]:
    """Those of these names, in the order of all; all without names, none of the name 'none'."""
    if list(names) == ["none"]:
        return {}
    if unknown := [name for name in names if name not in known]:
        raise UserError(f"no {what} is named {unknown[0]!r}; there are: {', '.join(known)}")
    return {name: one for name, one in known.items() if not names or name in names}
