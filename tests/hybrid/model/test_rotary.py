import pytest
import torch

from hybrid.model.positions import apply_rotary, rotary_frequencies


def test_equals_multiplication_by_complex_phases():
    x_NhTD = torch.randn(2, 3, 5, 8)
    time_T = torch.rand(5)
    frequency_P = rotary_frequencies(8)
    phase_TP = torch.polar(torch.ones(5, 4), 2 * torch.pi * time_T[:, None] * frequency_P)
    expected = torch.view_as_real(torch.view_as_complex(x_NhTD.reshape(2, 3, 5, 4, 2)) * phase_TP).flatten(-2)
    torch.testing.assert_close(apply_rotary(x_NhTD, time_T, frequency_P), expected, atol=1e-6, rtol=0)


def test_products_depend_on_the_difference_of_times_alone():
    q, k = torch.randn(2, 1, 1, 1, 16).expand(2, 1, 1, 3, 16)
    frequency_P = rotary_frequencies(16)

    def product(at_q, at_k):
        turned = [apply_rotary(x, torch.tensor(at), frequency_P) for x, at in ((q, at_q), (k, at_k))]
        return (turned[0] * turned[1]).sum(-1)

    here = product([0.0, 0.5, 1.0], [0.25, 0.5, 0.0])
    later = product([0.7, 1.2, 1.7], [0.95, 1.2, 0.7])
    torch.testing.assert_close(here, later, atol=1e-4, rtol=0)
    assert (here - product([0.0, 0.5, 1.0], [0.5, 0.25, 0.5])).abs().min() > 1e-3


def test_a_head_of_odd_width_is_refused():
    with pytest.raises(ValueError, match="even width"):
        rotary_frequencies(7)
