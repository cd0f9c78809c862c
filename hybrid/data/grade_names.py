"""What grades are called: which names are one grade, which are evidently none, and which is the best."""

import math
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence

from hybrid.data.numbers import NUMBER
from hybrid.data.paths import group_name
from hybrid.data.table import SYNONYMS

NO_GRADES = frozenset(
    "n nr no number id index total sum count mean median sd votes voters raters age year date patient donor subject "
    "confidence abstain abstained abstention abstentions unclear unsure missing skipped "
    "gesamt summe anzahl alter patientennummer somme nombre suma".split()
)
"""words for what laboratories count beside grades"""
NO_GRADES_IN_HAN = ("患者", "合計", "総数", "平均", "年齢", "日付", "人数", "合计", "总数", "年龄", "日期")
"""the same in Japanese and Chinese, where such a name begins with them"""
ALPHABETS = tuple(f"{script} {case}" for script in ("LATIN", "CYRILLIC", "GREEK") for case in ("SMALL", "CAPITAL"))
"""how Unicode names letters that have an order"""
LOOK_ALIKE = ("LATIN", "CYRILLIC", "GREEK CAPITAL")
"""how Unicode names the letters that people take for one another"""
SHORT = re.compile(r"[0-9]+|[^\W\d_]|[IVX]+|[ivx]+|[A-Z]{2}|([A-Za-z])\1+")
"""a number or letter, in Roman digits too, two capitals for what lies between two grades, one letter doubled"""


def grade_key(written: str) -> str:
    """Equal of two ways to write one grade: `3`, `3.0`, `03`, and wide letters, accents and spaces as `group_name`."""
    name = group_name(written)
    return str(float(name.replace(",", "."))) if NUMBER.fullmatch(name) else name


def grade_order(grades: Sequence[str]) -> list[str] | None:
    """Single letters or numbers, from A or the lowest number on; None where names have no order of their own."""
    if all(map(_is_letter, grades)):
        return sorted(grades, key=lambda grade: unicodedata.normalize("NFD", grade).casefold())
    if all(map(_is_number, grades)):
        return sorted(grades, key=lambda grade: float(grade_key(grade)))
    return None


def odd_names(grades: Collection[str]) -> list[str]:
    """What alone keeps letters or numbers, which are more, from having an order: `NA`, `-` or `?`, say."""
    ordered = max(list(filter(_is_letter, grades)), list(filter(_is_number, grades)), key=len)
    odd = [grade for grade in grades if grade not in ordered]
    return odd if len(odd) < len(ordered) else []


def _is_letter(grade: str) -> bool:
    return len(grade) == 1 and unicodedata.name(grade, "").startswith(ALPHABETS)


def _is_number(grade: str) -> bool:
    return NUMBER.fullmatch(group_name(grade)) is not None


def not_finite(written: str) -> bool:
    """Of `nan` and `inf`, which programs write where there is no grade, and of what is too large for a number."""
    try:
        return not math.isfinite(float(written))
    except ValueError:
        return False


def strange_names(names: Collection[str]) -> list[str]:
    """Those that are evidently no grade's: words for other things (NO_GRADES), and what breaks a pattern, as a word
    among letters or numbers, or a small letter among capitals.
    """
    found = [name for name in names if counts_something(name)]
    heads = {name: _head(name) for name in names if name not in found}
    if all(any(letter.isalpha() and letter.lower() == letter.upper() for letter in head) for head in heads.values()):
        return found  # of scripts without capitals one letter is a word
    words = [name for name, head in heads.items() if not SHORT.fullmatch(head)]
    letters = [name for name, head in heads.items() if len(head) == 1 and head.isalpha()]
    small = [name for name in letters if heads[name].islower()]
    large = [name for name in letters if name not in small]
    if len(words) < len(heads) - len(words) > 1:
        found += words
    if len(small) != len(large):
        found += min(small, large, key=len)
    return found


def counts_something(name: str) -> bool:
    """Whether a name is a word for what is counted beside grades (NO_GRADES)."""
    if name.startswith(NO_GRADES_IN_HAN):
        return True
    words = re.findall(r"[^\W\d_]+", name.lower())
    return not NO_GRADES.isdisjoint(words) and NO_GRADES.issuperset(words) and words not in (["n"], ["no"])


def in_a_row(names: Collection[str]) -> bool:
    """Whether names are letters or numbers without a gap, as A to E: then each of them is a grade's."""
    heads = [_head(name).casefold() for name in names]
    if not all(head.isdecimal() or len(head) == 1 for head in heads):
        return False
    places = sorted(int(head) if head.isdecimal() else ord(head) for head in heads)
    return len({place - number for number, place in enumerate(places)}) <= 1


def _head(name: str) -> str:
    """The first number or word of a name that is not a word for a grade: of `Grade 2 (good)`, 2."""
    ours = {"grade", *SYNONYMS["grade"].split()}
    parts = re.findall(r"[0-9]+|[^\W\d_]+", group_name(name))
    return next((part for part in parts if part.lower().removesuffix("s") not in ours), "0")


def look_alikes(names: Iterable[str]) -> str:
    """Two letters that people take for one script and Unicode does not, in words, or ''. Looked at are words with both
    inside, and all names of one letter together: a Cyrillic `A` among Latin ones is another grade than their `A`.
    """
    names = [group_name(name) for name in names]
    words = [word for name in names for word in re.findall(r"[^\W\d_]{2,}", name)]
    for text in ("".join(name for name in names if len(name) == 1), *words):
        seen: dict[str, str] = {}
        for letter in text:
            called = unicodedata.name(letter, "")
            if script := next((script for script in LOOK_ALIKE if called.startswith(script)), None):
                seen.setdefault(script, f"{letter!r} is U+{ord(letter):04X} {called}")
        if len(seen) > 1:
            return ", ".join(seen.values())
    return ""
