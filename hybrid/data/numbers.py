"""Numbers as people and spreadsheets write them: `0.5`, `0,5`, `1,200`.

One mark can part decimals in one country and thousands in the next. Of `1,200` the rest of the file tells which: where
other numbers have a decimal point, it is 1200, and where they have a decimal comma, 1.2. Where none has either, or both
occur, it is neither.
"""

import argparse
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

NUMBER = re.compile(r"[+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)([eE][+-]?[0-9]+)?")
TWO_MEANINGS = re.compile(r"[+-]?[1-9][0-9]{0,2}([.,])[0-9]{3}")
"""of a lone group of three digits a comma may be either mark; a point is one of thousands where commas are decimal"""


@dataclass(frozen=True)
class Numbers:
    """How the numbers of one file are to be read. marks: those that part decimals for certain, of '.' and ','."""

    marks: frozenset[str]

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        sure = (text for text in texts if NUMBER.fullmatch(text) and not TWO_MEANINGS.fullmatch(text))
        return cls(frozenset(mark for text in sure for mark in ".," if mark in text))

    def read(self, text: str) -> float | None:
        """A finite number, or None where the text is none or may be two."""
        if not self.is_number(text) or self.meanings(text):
            return None
        both = TWO_MEANINGS.fullmatch(text)
        thousands = both is not None and bool(self.marks) and both[1] not in self.marks
        number = float(re.sub("[.,]", "", text) if thousands else text.replace(",", "."))
        return number if math.isfinite(number) else None

    def meanings(self, text: str) -> str:
        """'1200 or 1.2' where the file does not tell which; a point is decimal where nothing says otherwise."""
        both = TWO_MEANINGS.fullmatch(text)
        if both is None or len(self.marks) == 1 or (not self.marks and both[1] == "."):
            return ""
        return f"{int(re.sub('[.,]', '', text))} or {float(text.replace(',', '.')):g}"

    @staticmethod
    def is_number(text: str) -> bool:
        return NUMBER.fullmatch(text) is not None


def mended_comma(text: str) -> str:
    """`0.38` of `0,38`; '' of what is no number with a decimal comma."""
    return text.replace(",", ".") if NUMBER.fullmatch(text) and "," in text else ""


def typed_number(text: str) -> float:
    """A number of a command line, where nothing beside it says whether a comma parts decimals: it has a point."""
    if told := mended_comma(text):
        raise argparse.ArgumentTypeError(f"write {told}, with a point, not {text}")
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None


def typed_seed(text: str) -> int:
    """A seed of a command line, as every generator of random numbers takes it."""
    if not (text.isdecimal() and int(text) < 2**32):
        raise argparse.ArgumentTypeError(f"a seed is a whole number from 0 to {2**32 - 1}, not {text!r}")
    return int(text)
