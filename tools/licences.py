"""Print the licence of every package that this program needs, and of all published weights that it can fetch.

    python tools/licences.py

Of packages: those of pyproject.toml that are installed here and what they need in turn, as their own metadata tell it
or, where these say nothing, as it was looked up, and which extra asks for them. Of weights: what the registry of models
holds. Nothing is fetched. What forbids some use, asks for something in return, or says nothing is listed once more at
the end.
"""

import argparse
import re
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from hybrid.errors import explained

with explained():
    from packaging.requirements import Requirement

PROJECT = tomllib.loads((Path(__file__).resolve().parent.parent / "pyproject.toml").read_text(encoding="utf-8"))[
    "project"
]
UNTOLD = "not told"
LOOKED_UP = {"cuda-toolkit": "NVIDIA EULA, by its conda package (holds no files, only asks for others)"}
"""licences that a package's own metadata do not tell"""
CONDITIONS = re.compile(r"GPL|MPL|EUPL|CC-BY-NC|non-?commercial|proprietary|nvidia|" + UNTOLD, re.IGNORECASE)
"""licences to be read before anything is passed on or sold"""


def packages() -> dict[str, tuple[str, str, str]]:
    """By name: version, licence, and the extra that asks for it ('' for what is always needed)."""
    found: dict[str, tuple[str, str, str]] = {}
    for extra, lines in {"": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}.items():
        waiting = [(Requirement(line), {""}) for line in lines]
        while waiting:
            needed, asked = waiting.pop()
            if needed.marker and not any(needed.marker.evaluate({"extra": of}) for of in asked):
                continue
            name = re.sub(r"[-_.]+", "-", needed.name).lower()
            try:
                package = distribution(name)
            except PackageNotFoundError:
                continue  # of another system, or of an extra that is not installed
            if name not in found:
                found[name] = (package.version, licence_of(package), extra)
                waiting += [(Requirement(line), {"", *needed.extras}) for line in package.requires or []]
    return found


def licence_of(package: Distribution) -> str:
    """As the package's metadata tell it: by expression, classifier, a short text, or its file's first words."""
    metadata = package.metadata
    classifiers = [
        line.split(" :: ")[-1] for line in metadata.get_all("Classifier") or [] if line.startswith("License")
    ]
    texts = [metadata.get("License-Expression"), " and ".join(classifiers), metadata.get("License")]
    files = [file for file in package.files or [] if re.match(r"(licen[cs]e|copying)", file.name, re.IGNORECASE)]
    texts += [file.read_text(encoding="utf-8") for file in files[:1]]
    for text in texts:
        if text and "Redistribution and use in source and binary forms" in text:
            return "BSD, by its text"
        if text and text.strip() and text.strip().upper() not in ("UNKNOWN", "OSI APPROVED"):
            return " ".join(text.split())[:60]
    return LOOKED_UP.get(metadata["Name"], UNTOLD)


def ffmpeg() -> str:
    """The licence of the FFmpeg that PyAV holds, which depends on how it was built, and of what was built into it."""
    from av._core import library_meta

    codec = library_meta["libavcodec"]
    # PyAV's own builds take these in and say LGPL all the same: github.com/PyAV-Org/PyAV/issues/2408
    copyleft = [name for name in ("x264", "x265") if f"--enable-lib{name}" in codec["configuration"].split()]
    return codec["license"] + (f"; {' and '.join(copyleft)} in it: GPL version 2 or later" if copyleft else "")


def weights() -> list[tuple[str, str, str]]:
    """(model, where they come from, licence) of all published weights."""
    from hybrid import get_entry, list_models

    entries = [get_entry(name) for name in [*list_models(), *list_models("frozen")]]
    return [
        (f"{entry.name} {variant}".strip(), f"{official.library} {official.name}", official.licence or UNTOLD)
        for entry in entries
        for variant, official in entry.official.items()
    ]


def columns(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    needed = [(name, *facts) for name, facts in sorted(packages().items())]
    needed.append(("FFmpeg, in av", "", ffmpeg(), ""))
    fetched = weights()
    print(columns([("package", "version", "licence", "extra"), *needed]))
    print("\n" + columns([("weights", "from", "licence"), *fetched]))
    conditions = [f"{name}: {licence}" for name, _, licence, *_ in (*needed, *fetched) if CONDITIONS.search(licence)]
    print("\nto be read before anything is passed on or sold:", *conditions, sep="\n  ")


if __name__ == "__main__":
    with explained():
        main()
