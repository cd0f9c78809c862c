import pytest

from hybrid import get_entry, list_models
from hybrid.profiling.cards import card

ROW = {"parameters_M": 12.345, "gmac": 6.789}
PAPER = ROW | {"native_input": "8 frames of 256 px, 400 classes", "native_parameters_M": 23.456, "native_gmac": 7.89}


@pytest.mark.parametrize("name", list_models() + list_models("frozen"))
def test_card_tells_what_the_registry_knows(name):
    entry = get_entry(name)
    text = card(name, paper=PAPER, tiny=ROW, recipe={"learning_rate": 0.001})
    assert text.startswith(f"## {entry.title}\n")
    for fact in [entry.reference, entry.licence, entry.tiny, "12.35 M", "learning rate 0.001"]:
        assert fact in text
    assert ("in its authors' next paper" in text) == (entry.wacv_mse is not None)
    assert entry.published is None or entry.published.source in text
    assert ("23.46 M parameters, 7.89 GMAC for 8 frames of 256 px" in text) == (entry.published is not None)
    for variant, official in entry.official.items():
        assert (f"`variant={variant}`" in text) == (len(entry.official) > 1)
        assert official.name in text and official.data in text and official.licence in text
    assert all(line.count("|") == 3 for line in text.splitlines()[2:]), "a cell breaks its table"
