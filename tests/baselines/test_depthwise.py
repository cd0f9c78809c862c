import pytest
import torch
from torch import nn

from baselines.depthwise import DepthwiseConv3d, train_fast
from hybrid import create_model

CASES = [
    # kernel, stride, shape
    ((3, 3, 3), (1, 1, 1), (2, 6, 4, 9, 8)),
    ((3, 3, 3), (1, 2, 2), (2, 6, 4, 8, 8)),
    ((3, 3, 3), (1, 2, 2), (2, 6, 4, 9, 7)),
    ((3, 3, 3), (1, 1, 1), (3, 20, 8, 2, 2)),
    ((3, 3, 3), (1, 2, 2), (1, 18, 8, 2, 2)),
    ((3, 3, 3), (1, 2, 2), (4, 18, 16, 16, 16)),
    ((5, 3, 5), (1, 3, 2), (2, 4, 6, 10, 11)),
    ((5, 1, 1), (1, 1, 1), (2, 8, 8, 6, 5)),
    ((3, 3, 3), (1, 1, 1), (2, 6, 1, 5, 5)),
]


@pytest.mark.parametrize(("kernel", "stride", "shape"), CASES)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last_3d])
def test_output_and_gradients_are_torchs(kernel, stride, shape, layout):
    torch.manual_seed(0)
    padding = tuple(side // 2 for side in kernel)
    plain = nn.Conv3d(shape[1], shape[1], kernel, stride, padding, groups=shape[1], bias=False)
    (fast,) = train_fast(nn.Sequential(plain))
    assert type(fast) is DepthwiseConv3d and fast.weight is plain.weight
    plain = nn.Conv3d(shape[1], shape[1], kernel, stride, padding, groups=shape[1], bias=False).double()
    plain.load_state_dict(fast.state_dict())

    x = torch.randn(shape).contiguous(memory_format=layout).requires_grad_()
    exact_x = x.detach().double().requires_grad_()
    y, exact_y = fast(x), plain(exact_x)
    gradient = torch.randn(y.shape)
    y.backward(gradient)
    exact_y.backward(gradient.double())
    for got, exact in ((y, exact_y), (x.grad, exact_x.grad), (fast.weight.grad, plain.weight.grad)):
        assert got.shape == exact.shape
        assert (got - exact).abs().max() < 1e-5 * exact.abs().max()
    with torch.no_grad():
        torch.testing.assert_close(fast(x), y.detach())


def test_x3d_has_pytorchvideos_parameters_and_gradients():
    torch.manual_seed(0)
    model = create_model("x3d", "tiny").double().train()
    assert sum(isinstance(module, DepthwiseConv3d) for module in model.modules()) == 8
    clip_BCTHW = torch.randn(2, 3, 8, 64, 64, dtype=torch.float64)

    def gradients():
        model.zero_grad()
        torch.manual_seed(1)  # dropout
        model(clip_BCTHW).square().sum().backward()
        return {name: parameter.grad.clone() for name, parameter in model.named_parameters()}

    ours = gradients()
    names = list(model.state_dict())
    for module in list(model.modules()):
        if isinstance(module, DepthwiseConv3d):
            module.__class__ = nn.Conv3d
    assert list(model.state_dict()) == names
    theirs = gradients()
    largest = max(gradient.abs().max() for gradient in theirs.values())
    for name, gradient in theirs.items():
        torch.testing.assert_close(ours[name], gradient, rtol=0, atol=1e-9 * largest.item())


def test_reduced_precision_and_other_convolutions_are_left_to_torch():
    kept = [
        nn.Conv3d(4, 4, 3, padding=1, bias=False),
        nn.Conv3d(4, 4, 3, groups=4, bias=False),
        nn.Conv3d(4, 4, 3, padding=1, groups=4),
        nn.Conv3d(4, 4, 3, stride=2, padding=1, groups=4, bias=False),
    ]
    assert list(train_fast(nn.Sequential(*kept))) == kept
    (fast,) = train_fast(nn.Sequential(nn.Conv3d(4, 4, 3, padding=1, groups=4, bias=False)))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = fast(torch.randn(1, 4, 4, 8, 8))
    assert out.dtype == torch.bfloat16 and "ConvolutionBackward" in type(out.grad_fn).__name__
