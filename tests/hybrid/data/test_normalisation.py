import pytest
import torch

from hybrid.config import AugmentConfig
from hybrid.data.loader import as_input
from hybrid.data.transforms import IDENTITY, Normalisation, draw_view

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
FRAMES_BTHWC = torch.randint(0, 256, (2, 4, 8, 8, 3), generator=torch.Generator().manual_seed(0)).byte()
CLIP_BCTHW = FRAMES_BTHWC.permute(0, 4, 1, 2, 3)


def test_published_is_the_formula_and_leaves_its_input():
    before = FRAMES_BTHWC.clone()
    dimmed = draw_view(AugmentConfig(flips_and_turns=False, shift=0), 8, 0, 0, 0)
    out = as_input(FRAMES_BTHWC, Normalisation(MEAN, STD), [IDENTITY, dimmed])
    mean, std = (torch.tensor(values).view(3, 1, 1, 1) for values in (MEAN, STD))
    for b, view in enumerate((IDENTITY, dimmed)):
        bright = CLIP_BCTHW[b].double() / 255 * view.gain + view.offset
        torch.testing.assert_close(out[b].double(), (bright - mean) / std, rtol=0, atol=1e-5)
    assert torch.equal(FRAMES_BTHWC, before)
    assert out.dtype == torch.float32


def test_a_grey_clip_is_measured_by_the_mean_of_the_colours():
    expected = (CLIP_BCTHW[:, :1].double() / 255 - 0.5) / 0.25
    out = as_input(FRAMES_BTHWC[..., :1], Normalisation(MEAN, STD))
    torch.testing.assert_close(out.double(), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_by_its_own_contrast_a_clip_loses_brightness_and_gain_alone(channels):
    frames_BTHWC, normalisation = FRAMES_BTHWC[..., :channels] // 4, Normalisation(MEAN, STD, "clip")
    out = as_input(frames_BTHWC, normalisation)
    torch.testing.assert_close(out.mean(dim=(2, 3, 4)), torch.zeros(2, channels), rtol=0, atol=1e-5)
    torch.testing.assert_close(out.square().mean(dim=(1, 2, 3, 4)), torch.ones(2))
    torch.testing.assert_close(as_input(3 * frames_BTHWC + 20, normalisation), out, rtol=0, atol=1e-4)
    # one scale for all channels: their proportions are kept
    spread = frames_BTHWC.float().std(dim=(1, 2, 3))
    torch.testing.assert_close(out.std(dim=(2, 3, 4)) / out.std(dim=(2, 3, 4))[:, :1], spread / spread[:, :1])
    assert torch.equal(as_input(frames_BTHWC[1:], normalisation), out[1:]), "a clip depends on the others of its batch"


def test_a_clip_without_contrast_stays_flat():
    frames_BTHWC = torch.full((1, 4, 8, 8, 3), 77, dtype=torch.uint8)
    assert not as_input(frames_BTHWC, Normalisation(MEAN, STD, "clip")).abs().max() > 1e-3


def test_other_ways_are_refused():
    with pytest.raises(ValueError, match="published, clip"):
        Normalisation(MEAN, STD, "batch")
