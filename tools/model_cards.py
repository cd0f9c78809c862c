"""Print a card of every model, or of those named, as Markdown; costs are counted, not copied.

    python tools/model_cards.py [model ...] > cards.md

Begins with a table of the counted costs beside the published ones. Takes about five minutes for all.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from torch import Tensor, nn

from baselines.cards import Cost, card, comparison
from hybrid import create_model, get_entry, list_models
from hybrid.config import register_schemas
from hybrid.profiling.cost import profile_model


class AnyCrop(nn.Module):
    """A model without its check of the clip: R3D was published at 112 px, which is no multiple of 32."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, clip_BCTHW: Tensor) -> Tensor:
        return self.model.forward_head(self.model.forward_features(clip_BCTHW))


def cost(name: str, size: str, frames: int, crop: int, classes: int = 5) -> Cost:
    model = create_model(name, size, num_grades=classes, num_frames=frames, crop_size=crop)
    profile = profile_model(AnyCrop(model), (3, frames, crop, crop))
    return Cost(profile.parameters / 1e6, profile.gmac, frames, crop)


def native_cost(name: str) -> Cost | None:
    """At the input and classes of the published figures."""
    figures = get_entry(name).published
    return None if figures is None else cost(name, "paper", figures.frames, figures.crop, figures.classes)


def recipe(name: str) -> dict:
    """As configs/ has it, for the paper's protocol."""
    with initialize_config_dir(str(Path(__file__).resolve().parent.parent / "configs"), version_base="1.3"):
        config = compose("train", overrides=[f"model={name}", "protocol=paper"])
    return OmegaConf.to_container(config.model.recipe)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="model", help=f"of {', '.join(list_models())}; default: all")
    names = parser.parse_args().models or list_models()
    unknown = [name for name in names if name not in list_models()]
    if unknown:
        parser.error(f"no model is named {', '.join(unknown)}; there are: {', '.join(list_models())}")
    register_schemas()
    native = {name: native_cost(name) for name in names}
    print("# Models\n")
    print(comparison({name: cost for name, cost in native.items() if cost is not None}))
    for name in names:
        print(card(name, cost(name, "paper", 16, 224), cost(name, "tiny", 16, 64), native[name], recipe(name)))


if __name__ == "__main__":
    main()
