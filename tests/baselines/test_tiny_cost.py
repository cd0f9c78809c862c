"""Tiny models cost alike, so that a benchmark of them compares architectures."""

import math

import pytest
import torch
from fvcore.nn import FlopCountAnalysis

from baselines import create_model, list_models


def fused_attention(inputs, outputs) -> int:
    """fvcore leaves it out: scores and weighted values are a product of N x N x D each, for every head."""
    query, key = inputs[0].type().sizes(), inputs[1].type().sizes()
    return 2 * math.prod(query) * key[-2]


def test_fused_attention_is_counted():
    class Attend(torch.nn.Module):
        def forward(self, x):
            return torch.nn.functional.scaled_dot_product_attention(x, x, x)

    analysis = FlopCountAnalysis(Attend(), torch.zeros(1, 2, 5, 3))
    assert analysis.set_op_handle("aten::scaled_dot_product_attention", fused_attention).total() == 2 * 2 * 5 * 5 * 3


@pytest.mark.parametrize("name", list_models())
def test_tiny_takes_15_to_45_mmac_a_clip(name):
    analysis = FlopCountAnalysis(create_model(name, "tiny").eval(), torch.zeros(1, 3, 16, 64, 64))
    analysis.set_op_handle("aten::scaled_dot_product_attention", fused_attention)
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
    assert 15e6 <= analysis.total() <= 45e6
