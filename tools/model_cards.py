"""Print a card of every model, or of those named, as Markdown; costs are counted, not copied.

    python tools/model_cards.py [model ...] > cards.md

Begins with a table of the counted costs beside the published ones. Takes about five minutes for all.
"""

import argparse
from pathlib import Path

from hybrid.errors import explained

with explained():
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    from baselines.weights import shipped_index
    from hybrid import list_models
    from hybrid.config import register_schemas
    from hybrid.display.tables import as_markdown, formatted
    from hybrid.names import check_names
    from hybrid.profiling.cards import card
    from hybrid.profiling.models import PUBLISHED, Setting, profile_models


def recipe(name: str) -> dict:
    """As configs/ has it, for the paper's protocol."""
    with initialize_config_dir(str(Path(__file__).resolve().parent.parent / "configs"), version_base="1.3"):
        config = compose("train", overrides=[f"model={name}", "protocol=paper"])
    return OmegaConf.to_container(config.model.recipe)


def main() -> None:
    known = [*list_models(), *list_models("frozen")]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "models", nargs="*", metavar="model", help=f"of {', '.join(known)}; default: all but the frozen"
    )
    names = parser.parse_args().models or list_models()
    check_names("model", names, known)
    register_schemas()
    paper, _ = profile_models(names, Setting())
    tiny, _ = profile_models(names, Setting("tiny", crop_size=64))
    shipped = shipped_index()
    print("# Models\n")
    if "native_gmac" in paper:
        print(as_markdown(formatted(paper[paper["native_gmac"].notna()], PUBLISHED)) + "\n")
    for name, paper_row, tiny_row in zip(names, paper.to_dict("records"), tiny.to_dict("records"), strict=True):
        print(card(name, paper_row, tiny_row, recipe(name), shipped.get(name)))


if __name__ == "__main__":
    with explained():
        main()
