"""Counts by hand of whole published models, against fvcore's and against what their authors print."""

import pytest
from counted_by_hand import BY_HAND

from hybrid import create_model, get_entry
from hybrid.profiling import profile_model


# The others take minutes on a slow machine.
@pytest.mark.parametrize("name", ["convit", "mixer", "swin"])
def test_fvcore_agrees_with_the_count_by_hand(name):
    profile = profile_model(create_model(name, num_frames=8), (3, 8, 224, 224))
    by_hand = BY_HAND[name](8, 224) / 1e9
    # fvcore adds normalisations, 2 to 5 operations an element
    assert by_hand < profile.gmac < 1.005 * by_hand
    assert profile.uncounted == {}


@pytest.mark.parametrize("name", ["vit", "swin", "timesformer", "vivit"])
def test_counts_by_hand_are_the_published_ones(name):
    published = get_entry(name).published
    assert BY_HAND[name](published.frames, published.crop) / 1e9 == pytest.approx(published.gmac, rel=0.01)


def test_a_vit_on_four_patches_worked_by_hand():
    # 4 patches of 16x16x3 in a crop of 32, each against 768; 5 tokens; 768 x 5 at the end
    layer = 5 * 4 * 768**2 + 2 * 25 * 768 + 5 * 8 * 768**2
    assert BY_HAND["vit"](8, 32) == 4 * 768 * 768 + 12 * layer + 3840
