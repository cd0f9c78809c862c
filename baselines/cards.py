"""Model cards: what the registry knows about a model, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from baselines.registry import ModelEntry, Official, get_entry

KINDS = {
    "image": "image model: sees the clip's first frame",
    "convolution": "convolutional video model",
    "transformer": "transformer video model",
    "hybrid": "hybrid video model",
}


@dataclass(frozen=True)
class Cost:
    """Parameters, and multiply-accumulates of one clip, of a model as it was built and counted."""

    parameters: float
    """millions"""
    gmac: float
    frames: int
    crop: int

    def __str__(self) -> str:
        clip = f"{self.frames} frames of {self.crop}x{self.crop}"
        return f"{self.parameters:.2f} M parameters, {self.gmac:.3g} GMAC for {clip}"


def card(name: str, paper: Cost, tiny: Cost, native: Cost | None, recipe: Mapping[str, Any]) -> str:
    """One model's card. `native` is what `entry.published` counts, with the published classes and input."""
    entry = get_entry(name)
    rows = [
        ("name", f"`{name}`"),
        ("kind", KINDS[entry.family]),
        ("reference", entry.reference),
        ("implementation", entry.origin),
        ("licence", entry.licence),
        ("input mean, std", f"{rounded(entry.mean)}, {rounded(entry.std)} (RGB in 0 to 1)"),
        ("size `paper`, five grades", str(paper)),
    ]
    if entry.published is not None and native is not None:
        rows += [
            (f"as published, {entry.published.classes} classes", str(native)),
            ("published figures", published(entry)),
        ]
        if entry.published.remark:
            rows.append(("difference", entry.published.remark))
    rows.append(("size `tiny`", f"{tiny}: {entry.tiny}"))
    for variant, official in entry.official.items():
        label = "official weights" + (f", `variant={variant}`" if len(entry.official) > 1 else "")
        rows.append((label, weights(official)))
    rows.append(("recipe", ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in recipe.items())))
    if entry.paper_mse is not None:
        mean, sd = entry.paper_mse
        rows.append(("in the paper", f"MSE {mean:.2f} ({sd:.2f}) x 10^-2, on its own private clips"))
    lines = [f"## {entry.title}", "", "| | |", "|---|---|"]
    return "\n".join(lines + [f"| {key} | {value} |" for key, value in rows]) + "\n"


def published(entry: ModelEntry) -> str:
    gmac = "" if entry.published.gmac is None else f", {entry.published.gmac:g} GMAC"
    return f"{entry.published.parameters:g} M parameters{gmac} ({entry.published.source})"


def weights(official: Official) -> str:
    clip = f"{official.crop}x{official.crop}"
    if official.rate is not None:
        clip = f"{official.frames} frames of {clip} at {official.rate:g} a second"
    text = f"{official.library} `{official.name}`, trained on {official.data}, {clip}, {official.licence}"
    if official.mean_std is not None:
        text += f", mean {rounded(official.mean_std[0])}, std {rounded(official.mean_std[1])}"
    return text


def rounded(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:.3g}" for value in values)


def comparison(rows: Mapping[str, Cost]) -> str:
    """Table of the counted costs beside the published ones, by model name."""
    lines = [
        "| model | input | parameters (M) | published | GMAC | published | difference |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, cost in rows.items():
        figures = get_entry(name).published
        gmac, difference = "", ""
        if figures.gmac is not None:
            gmac, difference = f"{figures.gmac:g}", f"{100 * (cost.gmac / figures.gmac - 1):+.1f} %"
        difference = "; ".join(part for part in (difference, figures.remark) if part)
        lines.append(
            f"| {name} | {cost.frames}x{cost.crop}x{cost.crop} | {cost.parameters:.2f} | {figures.parameters:g} "
            f"| {cost.gmac:.2f} | {gmac} | {difference} |"
        )
    return "\n".join(lines) + "\n"
