"""The text of a table that a spreadsheet saved in some encoding, read only where it can be told which one.

A file in the wrong encoding mostly decodes without an error, to other names: a Japanese patient's in cp932 is `Š³ŽÒ`
in Windows-1252. So a file is read where

- a byte order mark says it is UTF-8 or UTF-16, or it is valid UTF-8, which text in other encodings hardly ever is;
- under one encoding of LEGACY alone it names a file of clips/ whose name is not plain ASCII;
- it can be nothing but cp932 (see `_surely_japanese`), as a Japanese Excel writes it;

and refused otherwise. Nothing is concluded from what is merely likely.
"""

import codecs
import unicodedata
from collections.abc import Collection

from hybrid.data.problems import Problems

LEGACY = ("cp932", "cp1252")
"""what Excel's plain 'CSV' writes on Japanese and on Western Windows"""

SAVE = "save it as UTF-8 (in Excel: 'CSV UTF-8')"


def decoded(data: bytes, name: str, problems: Problems, clips: Collection[str] = ()) -> tuple[str, str] | None:
    """(text, notice or '') of a file called `name`, or None with a problem added where it cannot be told.

    clips: names of the files that the table may mention.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text, notice = _strict(data, "utf-16"), ""
    elif (text := _strict(data, "utf-8-sig")) is not None:
        notice = ""
    elif b"\0" not in data:
        encoding = _told(data, clips)
        if encoding is None:
            problems.add(f"{name}: is not UTF-8, and its letters can be read in several ways; {SAVE}")
            return None
        text, notice = data.decode(encoding), f"{name} is not UTF-8; it was read as {encoding}, as its content shows"
    if text is None or "\0" in text:
        problems.add(f"{name}: is not a text file")
        return None
    return text, notice


def _told(data: bytes, clips: Collection[str]) -> str | None:
    """The encoding of LEGACY that the content proves."""
    texts = {encoding: text for encoding in LEGACY if (text := _strict(data, encoding)) is not None}
    names = {_composed(clip) for clip in clips if not clip.isascii()}
    naming = [encoding for encoding, text in texts.items() if any(name in _composed(text) for name in names)]
    if len(naming) == 1:
        return naming[0]
    return "cp932" if not naming and _surely_japanese(texts.get("cp932", "")) else None


def _surely_japanese(text: str) -> bool:
    """Whether text that decodes as cp932 can have been nothing else.

    Accented letters of Western encodings, and the two-byte letters of Chinese, Korean and EUC-JP, decode as cp932 too,
    mostly to half-width katakana, or to a kanji that also takes an ASCII letter: so there must be none of the former,
    and somewhere two characters in a row that are kana or the common kanji (lead bytes 81 to 97) and of no ASCII byte.
    Four bytes like these in a row are no word of any other encoding.
    """
    if not all(character.isascii() or _full_width(character) for character in text):
        return False
    pairs = [character.encode("cp932") for character in text]
    common = [len(pair) == 2 and 0x81 <= pair[0] <= 0x97 and pair[1] >= 0x80 for pair in pairs]
    return any(one and next_one for one, next_one in zip(common, common[1:], strict=False))


def _full_width(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF" or character in "　、。・ー「」‐―…○◎●△▲□■×"


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)
