"""An update is as large as its scale, whatever comes in."""

import pytest
import torch

from hybrid.model.branch import OutputProjection


@torch.no_grad()
@pytest.mark.parametrize("size", [1e-1, 1e3])
def test_the_scale_alone_says_how_large_an_update_is(size):
    landing = OutputProjection(16, 64, gain=0.25)
    landing.project.weight.mul_(size)
    update = landing(torch.randn(5, 7, 16))
    assert update.shape == (5, 7, 64)
    torch.testing.assert_close(update.square().mean(-1).sqrt(), torch.full((5, 7), 0.25), atol=0.01, rtol=0)
