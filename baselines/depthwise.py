"""Depthwise 3D convolutions, equal to torch's and several times faster to train on a CPU.

oneDNN has fast kernels, channels last, for their forward pass and for everything of depthwise 2D convolutions, but
none for the two gradients in 3D. Both can be written in terms of those:

- the gradient of the input is a forward pass over the gradient of the output, with the kernel turned round. Where the
  convolution strides, each input pixel meets every s-th tap alone: one pass for each of the s x s phases;
- the gradient of the weight is, for each tap in time, that of a 2D convolution of the frames shifted by this tap.

A kernel that reaches over time alone is a 2D one, over time x places.
"""

from itertools import product

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class DepthwiseConv3d(nn.Conv3d):
    """nn.Conv3d with one kernel a channel, odd, padded by half its size, with strides in space alone."""

    def forward(self, x_BCTHW: Tensor) -> Tensor:
        # Where this was not measured torch's own is left alone: on a GPU, and in reduced precision.
        if x_BCTHW.device.type != "cpu" or x_BCTHW.dtype.itemsize < 4 or torch.is_autocast_enabled("cpu"):
            return super().forward(x_BCTHW)
        if self.kernel_size[1:] == self.stride[1:] == (1, 1):
            weight, padding = self.weight.flatten(3), (self.padding[0], 0)
            y_BCTN = F.conv2d(x_BCTHW.flatten(3), weight, padding=padding, groups=self.groups)
            return y_BCTN.unflatten(3, x_BCTHW.shape[3:])
        if not torch.is_grad_enabled():
            return super().forward(x_BCTHW)
        return _Convolution.apply(x_BCTHW, self.weight, self.stride[1:])


def train_fast(net: nn.Module) -> nn.Module:
    """The net itself, its depthwise convolutions replaced by those here; the parameters and their names stay."""
    for name, conv in list(net.named_modules()):
        if isinstance(conv, nn.Conv3d) and _is_one(conv):
            with torch.device("meta"):
                fast = DepthwiseConv3d(
                    conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding,
                    groups=conv.groups, bias=False,
                )  # fmt: skip
            fast.weight = conv.weight
            net.set_submodule(name, fast)
    return net


def _is_one(conv: nn.Conv3d) -> bool:
    depthwise = conv.groups == conv.in_channels == conv.out_channels > 1 and conv.bias is None
    same = conv.padding == tuple(side // 2 for side in conv.kernel_size) and all(side % 2 for side in conv.kernel_size)
    return depthwise and same and conv.stride[0] == 1 and conv.dilation == (1, 1, 1) and conv.padding_mode == "zeros"


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x_BCTHW: Tensor, weight: Tensor, stride: tuple[int, int]) -> Tensor:
        x_BCTHW = x_BCTHW.contiguous(memory_format=torch.channels_last_3d)
        ctx.save_for_backward(x_BCTHW, weight)
        ctx.stride = stride
        padding = [side // 2 for side in weight.shape[2:]]
        return F.conv3d(x_BCTHW, weight, stride=(1, *stride), padding=padding, groups=len(weight))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad_BCTHW: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x_BCTHW, weight = ctx.saved_tensors
        grad_BCTHW = grad_BCTHW.contiguous(memory_format=torch.channels_last_3d)
        of_input, of_weight, _ = ctx.needs_input_grad
        return (
            gradient_of_input(grad_BCTHW, x_BCTHW, weight, ctx.stride) if of_input else None,
            gradient_of_weight(grad_BCTHW, x_BCTHW, weight, ctx.stride) if of_weight else None,
            None,
        )


def gradient_of_input(grad_BCTHW: Tensor, x_BCTHW: Tensor, weight: Tensor, stride: tuple[int, int]) -> Tensor:
    out_BCTHW = torch.empty_like(x_BCTHW)
    for row, column in product(range(stride[0]), range(stride[1])):
        phase_BCTHW = out_BCTHW[..., row :: stride[0], column :: stride[1]]
        rows, pad_rows, top = phase(row, weight.shape[3], stride[0])
        columns, pad_columns, left = phase(column, weight.shape[4], stride[1])
        kernel = weight.flip(2)[:, :, :, rows][..., columns]
        padding = (weight.shape[2] // 2, pad_rows, pad_columns)
        y_BCTHW = F.conv3d(grad_BCTHW, kernel, padding=padding, groups=len(weight))
        height, width = phase_BCTHW.shape[3:]
        phase_BCTHW.copy_(y_BCTHW[..., top : top + height, left : left + width])
    return out_BCTHW


def phase(first: int, side: int, stride: int) -> tuple[list[int], int, int]:
    """How the input's pixels first, first + stride, ... get their gradient along an axis, from a kernel of `side` taps.

    The taps that they meet, turned round; the padding of the output's gradient; and where the result begins.
    """
    first += side // 2
    taps = list(range(first % stride, side, stride))[::-1]
    before, after = (taps[0] - first) // stride, (first - taps[-1]) // stride
    padding = max(before, after)
    return taps, padding, padding - before


def gradient_of_weight(grad_BCTHW: Tensor, x_BCTHW: Tensor, weight: Tensor, stride: tuple[int, int]) -> Tensor:
    padding = [side // 2 for side in weight.shape[3:]]
    if min(x_BCTHW.shape[3:]) < max(weight.shape[3:]):  # oneDNN is slow where a kernel is larger than what it is on
        x_BCTHW, padding = F.pad(x_BCTHW, (padding[1], padding[1], padding[0], padding[0])), [0, 0]
    x_BTCHW, grad_BTCHW = x_BCTHW.transpose(1, 2), grad_BCTHW.transpose(1, 2)
    # All frames in a row, clip after clip: a view, as channels last keeps them.
    x_NCHW, (frames, reach), taps = x_BTCHW.flatten(0, 1), (x_BTCHW.shape[1], weight.shape[2] // 2), []
    for shift in range(-reach, reach + 1):
        met_BTCHW, ahead, behind = grad_BTCHW, max(0, shift), max(0, -shift)
        if shift:  # the frame it would meet is another clip's
            met_BTCHW = grad_BTCHW.clone()
            met_BTCHW[:, frames - ahead :] = 0
            met_BTCHW[:, :behind] = 0
        met_NCHW, number = met_BTCHW.flatten(0, 1), len(x_NCHW)
        taps.append(
            torch.ops.aten.convolution_backward(
                met_NCHW[behind : number - ahead], x_NCHW[ahead : number - behind],
                weight[:, :, 0], None, stride, padding, (1, 1), False, (0, 0), len(weight), (False, True, False),
            )[1]
        )  # fmt: skip
    return torch.stack(taps, dim=2)
