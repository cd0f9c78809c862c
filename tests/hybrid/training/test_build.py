import pytest

from hybrid.training.build import input_normalisation

TORCHVISION = ((0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989))
PYTORCHVIDEO = ((0.45,) * 3, (0.225,) * 3)


@pytest.mark.parametrize(
    "words, mean_std",
    [
        ((), TORCHVISION),
        (("+model.options.variant=r2plus1d_18",), TORCHVISION),
        (("+model.options.variant=r2plus1d_r50",), PYTORCHVIDEO),
    ],
    ids=str,
)
def test_clips_are_normalised_as_the_variants_own_weights_were_trained(words, mean_std, config_of):
    """R(2+1)D's two variants are of two libraries, which normalise differently."""
    normalisation = input_normalisation(
        config_of("model=r2plus1d", "model.size=paper", "protocol.normalise=published", *words)
    )
    assert (normalisation.mean, normalisation.std, normalisation.way) == (*mean_std, "published")
