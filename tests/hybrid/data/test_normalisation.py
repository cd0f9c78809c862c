import pytest
import torch

from hybrid.config import AugmentConfig
from hybrid.data.augment import STILL, draw_view
from hybrid.data.normalisation import Normalisation

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
CLIP_BCTHW = torch.randint(0, 256, (2, 3, 4, 8, 8), generator=torch.Generator().manual_seed(0)).byte()


def test_published_is_the_formula_and_leaves_its_input():
    before = CLIP_BCTHW.clone()
    views = [STILL, draw_view(AugmentConfig(), 8, 0, 0, 0)]
    out = Normalisation(MEAN, STD)(CLIP_BCTHW, views)
    mean, std = (torch.tensor(values).view(3, 1, 1, 1) for values in (MEAN, STD))
    for b, view in enumerate(views):
        bright = CLIP_BCTHW[b].double() / 255 * view.gain + view.offset
        torch.testing.assert_close(out[b].double(), (bright - mean) / std, rtol=0, atol=1e-5)
    assert torch.equal(CLIP_BCTHW, before)
    assert out.dtype == torch.float32


def test_a_grey_clip_is_measured_by_the_mean_of_the_colours():
    grey = CLIP_BCTHW[:, :1]
    expected = (grey.double() / 255 - 0.5) / 0.25
    torch.testing.assert_close(Normalisation(MEAN, STD)(grey).double(), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_by_its_own_contrast_a_clip_loses_brightness_and_gain_alone(channels):
    clip_BCTHW = CLIP_BCTHW[:, :channels] // 4
    normalise = Normalisation(MEAN, STD, "clip")
    out = normalise(clip_BCTHW)
    torch.testing.assert_close(out.mean(dim=(2, 3, 4)), torch.zeros(2, channels), rtol=0, atol=1e-5)
    torch.testing.assert_close(out.square().mean(dim=(1, 2, 3, 4)), torch.ones(2))
    torch.testing.assert_close(normalise(3 * clip_BCTHW + 20), out, rtol=0, atol=1e-4)
    # one scale for all channels: their proportions are kept
    spread = clip_BCTHW.float().std(dim=(2, 3, 4))
    torch.testing.assert_close(out.std(dim=(2, 3, 4)) / out.std(dim=(2, 3, 4))[:, :1], spread / spread[:, :1])
    assert torch.equal(normalise(clip_BCTHW[1:]), out[1:]), "a clip depends on the others of its batch"


def test_a_clip_without_contrast_stays_flat():
    assert not Normalisation(MEAN, STD, "clip")(torch.full((1, 3, 4, 8, 8), 77, dtype=torch.uint8)).abs().max() > 1e-3


def test_other_ways_are_refused():
    with pytest.raises(ValueError, match="published, clip"):
        Normalisation(MEAN, STD, "batch")
