"""What is typed behind a tool's name, before Hydra reads it: free text is quoted, mistakes are told in plain words.

Hydra has a grammar of its own for values, in which `~/clips` is an error, `2024_05` a number and `a,b` two values. That
is what is wanted of `protocol.epochs=20` and `model=vgg16,slowfast`, and not of the name of a folder. So whatever the
schema calls text is taken as it is typed.
"""

import os
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import is_dataclass
from pathlib import Path
from shlex import quote
from typing import Any, get_args, get_origin, get_type_hints

from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from hybrid.data.numbers import mended_comma
from hybrid.errors import UserError
from hybrid.names import did_you_mean, mistyped, nearly

QUOTED = re.compile(r"""'(\\.|[^'\\])*'|"(\\.|[^"\\])*\"""")
"""a value that Hydra reads as text already"""
PLAIN, NOT_TEXT = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*"), ("true", "false", "null", "nan", "inf")
"""what Hydra takes for the same text without quotes, but for a few words"""
VALUED = ("-c", "--cfg", "-p", "--package", "-cp", "--config-path", "-cn", "--config-name", "-cd", "--config-dir")
FLAGS = {*VALUED, "-h", "--help", "--hydra-help", "--version", "--resolve", "-r", "--run", "-m", "--multirun", "-i"}
FLAGS |= {"--info", "-sc", "--shell-completion", "--experimental-rerun"}
"""Hydra's; VALUED: those that the next word is the value of"""
WORDS = {
    "Value '(.*)' of .* could not be converted to Integer": "{key} must be a whole number, not {}",
    "Value '(.*)' of .* could not be converted to Float": "{key} must be a number, not {}",
    "Value '(.*)' of type .* is incompatible": "{key} cannot be {}",
    "Value '(.*)' is not a valid bool": "{key} must be true or false, not {}",
    "Invalid type assigned: .* value: (.*)": "{key} holds settings of its own, and cannot be {}",
    "Key '(.*)' is not in struct": "{key}: is given by itself: {key}=...",
    "field '(.*)' is not Optional": "{} must have a value",
    "Missing mandatory value: (.*)": "{0} must be given: {0}=...",
    "(?:Sweep parameters|Ambiguous value for argument) '(.*)'": "{}: one value at a time here",
    "Could not override '([^'@]*)'": "{}=... chooses nothing in this program; --help lists what it takes",
    "Interpolation key '(.*)' not found": "{key}: ${{{}}} names no setting",
    "(?:no viable alternative|mismatched input|token recognition error)(.*)": "{key}: cannot be read{}",
    "LexerNoViableAlt": "{key}: cannot be read",
}
"""what OmegaConf and Hydra say of a setting, and what we say"""


def typed(overrides: Sequence[str], schema: type, config_dir: Path) -> list[str]:
    """The overrides of a command line as Hydra is to read them; a UserError for a setting or a choice there is not.

    schema: the dataclass of the tool's settings; config_dir: its folders are the groups one chooses from. Text becomes
    quoted where it must be, with `~` for one's home. It may hold commas, unless `-m` asks for a sweep: then they stand
    between values. Text that is quoted already, references `${...}`, flags and Hydra's own settings stay as they are.
    """
    kinds, groups, overrides = settings_of(schema), groups_of(config_dir), _with_values(overrides)
    check_dashes(overrides, {*kinds, *groups}, FLAGS)
    many = sweeps(overrides)
    return [override if override.startswith("-") else _typed(override, kinds, groups, many) for override in overrides]


def _with_values(words: Sequence[str]) -> list[str]:
    """A flag and the word that is its value, `--cfg job`, as one."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] in VALUED:
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def groups_of(config_dir: Path) -> dict[str, list[str]]:
    """The choices that the files there are, by what is chosen."""
    files = {path.name: sorted(file.stem for file in path.glob("*.yaml")) for path in config_dir.iterdir()}
    return {name: stems for name, stems in files.items() if stems}


def check_dashes(words: Sequence[str], known: Collection[str], flags: Collection[str]) -> None:
    """Refuse a setting that is written as a flag, in words that say how it is written.

    known: the settings. flags: those that there are.
    """
    for word, after in zip(words, [*words, ""][1:], strict=True):
        flag, equals, value = word.partition("=")
        if not word.startswith("-") or flag in flags:
            continue
        long = [name for name in flags if name.startswith("--")]
        if meant := mistyped(f"--{flag.strip('-')}", long):
            raise UserError(f"{word}: did you mean {meant[0]}?")
        if not equals and not after.startswith("-") and "=" not in after:
            value = after
        name = flag.strip("-").replace("-", "_")
        near = [name] if name in known else nearly(name, known)
        how = " or ".join(f"{key}={value or '...'}" for key in near) or "key=value; --help lists them"
        raise UserError(f"{word}: settings are written without dashes: {how}")


def sweeps(overrides: Sequence[str]) -> bool:
    """Whether Hydra's flag for several values at once is among them."""
    return not {"-m", "--multirun"}.isdisjoint(overrides)


def settings_of(schema: type, prefix: str = "") -> dict[str, Any]:
    """Every key of a dataclass and of those inside it, down to single values, with the type of its value."""
    found: dict[str, Any] = {}
    for name, kind in get_type_hints(schema).items():
        inner = next((part for part in (kind, *get_args(kind)) if is_dataclass(part)), None)  # of `Inner | None`
        found |= settings_of(inner, f"{prefix}{name}.") if inner else {f"{prefix}{name}": kind}
    return found


def _typed(override: str, kinds: dict[str, Any], groups: dict[str, list[str]], many: bool) -> str:
    written, equals, value = override.partition("=")
    key = written.lstrip("+~")
    if key.startswith("hydra") or set(key) & set("@/"):
        return override
    if not equals and not written.startswith("~"):
        raise UserError(
            f"{override!r}: a setting is given as key=value; a value with spaces needs quotes around it, and several "
            "values are written without spaces between them: key=a,b"
        )
    owner = key.rpartition(".")[0]
    if get_origin(kinds.get(owner)) is dict:  # its keys are not known here
        return override if written.startswith(("+", "~")) else f"++{override}"
    if written.startswith("~"):
        raise UserError(f"{override}: no setting can be taken away; give it another value: {key}=...")
    if written.startswith("+") and key in groups:
        raise UserError(f"{override}: {key} is chosen without a +: {key}={value}")
    branches = {name.rsplit(".", depth)[0] for name in kinds for depth in range(1, name.count(".") + 1)}
    if key not in {*kinds, *groups, *branches}:
        raise UserError(f"{override}: there is no setting {key!r}" + did_you_mean(key, {*kinds, *groups}))
    if value in ("", "''", '""'):
        raise UserError(f"{key} is empty: was a variable of the shell not set?")
    if key == "model.name":
        raise UserError(f"{override}: a model is chosen with its recipe, by model={value}")
    if value.endswith(",") and kinds.get(key) is not str:
        raise UserError(
            f"{override}: ends in a comma; several values are written without spaces between them: {key}=a,b"
        )
    if key in groups and "(" not in value:
        for choice in value.split(","):
            if choice not in groups[key]:
                raise UserError(f"{override}: there is no {key} {choice!r}" + _choices(key, choice, groups[key]))
    elif key == "arm":  # a choice, too, of Hydra's, and of any label
        return f"{written}={','.join(map(_quoted, value.split(',')))}"
    elif kinds.get(key) in (float, float | None) and not many and (told := mended_comma(value)):
        raise UserError(f"{override}: write {key}={told}, with a point")
    elif kinds.get(key) is str or (kinds.get(key) == str | None and value != "null"):
        return f"{written}=" + (",".join(map(_quoted, value.split(","))) if many else _quoted(value))
    return override


def _choices(group: str, choice: str, there: list[str]) -> str:
    """What to add to a message about a choice that does not exist."""
    if group == "data" and (os.sep in choice or os.path.exists(os.path.expanduser(choice))):
        return f"; a data set of your own is data=folder {quote(f'data.root={choice}')}"
    known = f"there are {', '.join(there)}"
    if group == "weights" and (choice in ("none", "official") or os.sep in choice):
        return f"; {known}; {quote(f'model.pretrained={choice}')} takes any other"
    return did_you_mean(choice, there, known)


def _quoted(text: str) -> str:
    if QUOTED.fullmatch(text) or (PLAIN.fullmatch(text) and text.lower() not in NOT_TEXT):
        return text
    return QuotedString(os.path.expanduser(text), Quote.single).with_quotes()


def unquoted(text: str) -> str:
    """What of `arm='1e3'` is the label."""
    return text[1:-1] if QUOTED.fullmatch(text) else text


@contextmanager
def plainly_told() -> Iterator[None]:
    """What is wrong with a configuration, of which Hydra and OmegaConf say more than one can use, as a UserError."""
    try:
        yield
    except (HydraException, OmegaConfBaseException) as error:
        cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else error
        raise UserError(_in_our_words(cause)) from error
    except ValueError as error:
        if "Config group override" not in str(error):  # as of hydra/launcher=4
            raise
        raise UserError("a choice of Hydra's (hydra/...=, or with @) must be a name, and is a number here") from error


def _in_our_words(error: Exception) -> str:
    said, key = str(error), getattr(error, "full_key", None) or getattr(error, "override", None)
    for pattern, words in WORDS.items():
        if match := re.search(pattern, said):
            return words.format(*match.groups(), key=key)
    told = said.partition("Config search path")[0].partition("See https")[0].partition("full_key")[0].strip()
    return f"{key}: {told}" if key else told
