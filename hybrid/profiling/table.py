"""Profiles as people read them: few digits, headings with units, a dash for what is not known."""

from __future__ import annotations

import pandas as pd

HEADINGS = {
    "model": ("model", "{}"),
    "module": ("module", "{}"),
    "parameters_M": ("params M", "{:.2f}"),
    "gmac": ("GMAC", "{:.4g}"),
    "gmac_percent": ("of GMAC", "{:.1f} %"),
    "activations_M": ("activ. M", "{:.4g}"),
    "latency_ms": ("latency ms", "{:.1f}"),
    "inference_clips_s": ("infer clips/s", "{:.3g}"),
    "train_clips_s": ("train clips/s", "{:.3g}"),
    "inference_gb": ("infer GB", "{:.2f}"),
    "train_gb": ("train GB", "{:.2f}"),
    "uncounted": ("not counted", "{}"),
}
PUBLISHED = {
    "model": ("model", "{}"),
    "native_input": ("published at", "{}"),
    "published_parameters_M": ("params M", "{:g}"),
    "native_parameters_M": ("ours", "{:.2f}"),
    "parameters_off_percent": ("off", "{:+.2f} %"),
    "published_gmac": ("GMAC", "{:g}"),
    "native_gmac": ("ours", "{:.2f}"),
    "gmac_off_percent": ("off", "{:+.2f} %"),
    "published_by": ("source", "{}"),
    "why": ("why they differ", "{}"),
}
TEXT = ("model", "module", "setting", "native_input", "uncounted", "published_by", "why")


def as_terminal(table: pd.DataFrame, headings: dict[str, tuple[str, str]] = HEADINGS) -> str:
    lines, left = _cells(table, headings)
    widths = [max(len(line[column]) for line in lines) for column in range(len(left))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "  ".join(
            cell.ljust(width) if is_left else cell.rjust(width)
            for cell, width, is_left in zip(line, widths, left, strict=True)
        ).rstrip()
        for line in lines
    )


def as_markdown(table: pd.DataFrame, headings: dict[str, tuple[str, str]] = HEADINGS) -> str:
    lines, left = _cells(table, headings)
    lines.insert(1, [":--" if is_left else "--:" for is_left in left])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(table: pd.DataFrame, headings: dict[str, tuple[str, str]]) -> tuple[list[list[str]], list[bool]]:
    """The lines with the heading first, of the columns that hold anything; and which stand to the left."""
    shown = [name for name in headings if name in table and any(map(_known, table[name]))]
    lines = [[headings[name][0] for name in shown]]
    lines += [
        [headings[name][1].format(row[name]) if _known(row[name]) else "-" for name in shown]
        for row in table.to_dict("records")
    ]
    return lines, [name in TEXT for name in shown]


def _known(value) -> bool:
    return value is not None and value == value and value != ""
