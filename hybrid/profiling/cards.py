"""Model cards: what the registry knows about a model, as Markdown."""

from collections.abc import Mapping
from typing import Any

from baselines.registry import PretrainedWeights
from hybrid import get_entry

KINDS = {
    "image": "image model: sees the clip's first frame",
    "convolution": "convolutional video model",
    "transformer": "transformer video model",
    "hybrid": "hybrid video model",
    "frozen": "frozen video model: a published network as it is, and an attentive probe that learns, which alone is "
    "counted in parameters",
}


def card(
    name: str,
    paper: Mapping[str, Any],
    tiny: Mapping[str, Any],
    recipe: Mapping[str, Any],
    shipped: Mapping[str, Any] | None = None,
) -> str:
    """One model's card. paper, tiny: its rows of `profile_models` at 16 frames, of 224 and of 64 px. shipped: what is
    known of its weights in this package (`baselines/simulated/index.json`), where there are any."""
    entry = get_entry(name)
    rows = [
        ("name", f"`{name}`"),
        ("kind", KINDS[entry.family]),
        ("reference", entry.reference),
        ("implementation", entry.origin),
        ("licence", entry.licence),
        ("input mean, std", f"{rounded(entry.mean)}, {rounded(entry.std)} (RGB in 0 to 1)"),
        ("size `paper`, five grades", cost(paper, "16 frames of 224x224")),
    ]
    if entry.published is not None:
        there = entry.published
        counted = dict(parameters_M=paper["native_parameters_M"], gmac=paper["native_gmac"])
        gmac = "" if there.gmac is None else f", {there.gmac:g} GMAC"
        rows += [
            ("counted as published", cost(counted, paper["native_input"])),
            ("published figures", f"{there.parameters:g} M parameters{gmac} ({there.source})"),
        ]
        if there.remark:
            rows.append(("difference", there.remark))
    rows.append(("size `tiny`", f"{cost(tiny, '16 frames of 64x64')}: {entry.tiny}"))
    for variant, official in entry.official.items():
        label = "official weights" + (f", `variant={variant}`" if len(entry.official) > 1 else "")
        rows.append((label, weights(official)))
    if shipped:
        rows.append(("`pretrained=simulated`, size `tiny`", simulated(shipped)))
    rows.append(("recipe", ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in recipe.items())))
    if entry.paper_mse is not None:
        mean, sd = entry.paper_mse
        rows.append(("in the paper", f"MSE {mean:.2f} ({sd:.2f}) x 10^-2, on its own private clips"))
    if entry.wacv_mse is not None:
        figure = f"MSE {entry.wacv_mse:.3f} x 10^-2, of the epoch that is best on the held-out fold, so optimistic"
        rows.append(("in its authors' next paper", f"{figure} (T. Fujii et al., WACV 2024)"))
    lines = [f"## {entry.title}", "", "| | |", "|---|---|"]
    return "\n".join(lines + [f"| {key} | {value} |" for key, value in rows]) + "\n"


def cost(row: Mapping[str, Any], clip: str) -> str:
    return f"{row['parameters_M']:.2f} M parameters, {row['gmac']:.3g} GMAC for {clip}"


def weights(official: PretrainedWeights) -> str:
    clip = f"{official.crop}x{official.crop}"
    if official.rate is not None:
        clip = f"{official.frames} frames of {clip} at {official.rate:g} a second"
    text = f"{official.library} `{official.name}`, trained on {official.data}, {clip}, {official.licence}"
    if official.mean_std is not None:
        text += f", mean {rounded(official.mean_std[0])}, std {rounded(official.mean_std[1])}"
    return text


def simulated(shipped: Mapping[str, Any]) -> str:
    errors = ", ".join(f"{group.replace('_', ' ')} {error:.2f}" for group, error in shipped["errors"].items())
    commands = "`, then `".join(shipped["commands"])
    return (
        f"{shipped['bytes'] / 1e6:.1f} MB in half precision, {shipped['licence']}, SHA-256 `{shipped['sha256'][:16]}`; "
        f"`{commands}` at commit {shipped['commit'][:7]}: {shipped['clips_seen']} looks at simulated clips, "
        f"preset {shipped['preset']}, no grades; errors on held-out clips, where 1 is knowing nothing: {errors}"
    )


def rounded(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:.3g}" for value in values)
