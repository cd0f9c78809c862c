import pytest

from baselines import get_entry, list_models
from baselines.cards import Cost, card, comparison

COST = Cost(parameters=12.345, gmac=6.789, frames=16, crop=224)


@pytest.mark.parametrize("name", list_models())
def test_card_tells_what_the_registry_knows(name):
    entry = get_entry(name)
    text = card(name, paper=COST, tiny=COST, native=COST, recipe={"learning_rate": 0.001})
    assert text.startswith(f"## {entry.title}\n")
    for fact in [entry.reference, entry.licence, entry.tiny, "12.35 M", "learning rate 0.001"]:
        assert fact in text
    assert entry.published is None or entry.published.source in text
    for variant, official in entry.official.items():
        assert (f"`variant={variant}`" in text) == (len(entry.official) > 1)
        assert official.name in text and official.data in text and official.licence in text
    assert all(line.count("|") == 3 for line in text.splitlines()[2:]), "a cell breaks its table"


def test_comparison_gives_the_difference_to_the_published_count():
    lines = comparison({"vgg16": Cost(138.36, 15.47 * 1.1, 1, 224), "mixer": Cost(60, 12.6, 1, 224)}).splitlines()
    assert lines[2] == "| vgg16 | 1x224x224 | 138.36 | 138.36 | 17.02 | 15.47 | +10.0 % |"
    assert lines[3].endswith(f"| 12.60 |  | {get_entry('mixer').published.remark} |")
