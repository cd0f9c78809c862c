"""Whether reduced precision gives this model, at these shapes, on this machine, the gradients that float32 gives.

A library's kernel for bfloat16 or float16 may be wrong at some shapes only, in silence: torch 2.15's bfloat16
convolutions on CPUs with AVX-512 read memory that nobody wrote where a kernel is longer than its input. Comparing the
gradients of two whole passes would not tell: in a deep network they differ by honest rounding alone. So each layer is
asked by itself. It gets what it got in a pass of the whole model, and random gradients of its output, once in float32
and several times in the asked precision, while freed memory is full of NaN. What it then answers for its weights and
inputs may differ by the rounding of one layer, and no more.

Layers are the modules that hold at most MOST_LAYERS modules with parameters, so that attention, which itself has none,
is asked with its projections. Those of one kind and shape are asked once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils._pytree import tree_flatten, tree_map_only, tree_unflatten

from hybrid.device import Machine

TOLERANCE = 0.5
"""of a layer's gradient: its largest error over its largest value, or of several layers together, where ReLU and
pooling may choose another way, the norm of the error over the norm. Over all registered models at size tiny, in
bfloat16 on a CPU and batches of 32, healthy convolutions and linear layers are off by 0.005 at most, several layers
together by 0.14, and layer normalisation, whose sums torch keeps in bfloat16 there, by 0.17. The faulty convolutions
are off by 0.7 or more."""
MOST_LAYERS = 4
"""more of them round too differently for one to be seen"""
ASKED = 3
"""times, for memory that nobody wrote may by chance hold what is harmless"""
SIZES = tuple(4**power for power in range(3, 11))
"""of the blocks filled with NaN beside those of the layer's own sizes, in numbers: for a kernel's scratch memory"""


@dataclass(frozen=True)
class Found:
    """How far off, at worst, a layer's gradient of one of its weights or inputs is; inf where it is not finite."""

    layer: str
    gradient: str
    error: float


def compare_gradients(net: nn.Module, clip_BCTHW: Tensor, machine: Machine) -> list[Found]:
    """The worst gradient of every layer that learns, the worst layer first.

    net: a model in the mode it is trained in; it stays as it is. clip_BCTHW: of the shape it is trained on.
    Random numbers are drawn from a generator of its own.
    """
    net = _without_chance(net).to(machine.device)
    found: list[Found] = []
    _ask_layers(net, machine, found)
    devices = [torch.cuda.current_device()] if machine.device.type == "cuda" else []
    with torch.random.fork_rng(devices), torch.enable_grad():
        torch.manual_seed(0)
        with machine.autocast():
            output = net(clip_BCTHW.to(machine.device))
        (output * _in_range(torch.randn_like(output))).sum().backward()
    if not any(one.error > TOLERANCE for one in found):
        found += [
            Found("of no layer by itself", name, math.inf)
            for name, parameter in net.named_parameters()
            if parameter.grad is not None and not parameter.grad.isfinite().all()
        ]
    return sorted(found, key=lambda one: -one.error)


def _without_chance(net: nn.Module) -> nn.Module:
    """A copy without dropout. Batch normalisation is as it is trained, with its statistics or the batch's."""
    copy = deepcopy(net).eval()
    for module, original in zip(copy.modules(), net.modules(), strict=True):
        if isinstance(module, _BatchNorm):
            module.training = original.training
    return copy


def _ask_layers(net: nn.Module, machine: Machine, found: list[Found]) -> None:
    """From now on, in a pass forward and backward, each layer is asked once the gradient of its output is there."""
    known: set = set()
    asking = False  # which runs the layer again

    def watch(name: str, layer: nn.Module) -> Callable:
        def after_forward(_, arguments: tuple, keywords: dict, output) -> None:
            outputs = [value for value in tree_flatten(output)[0] if isinstance(value, Tensor) and value.requires_grad]
            if asking or not outputs:
                return
            call = _Call(layer, tree_map_only(Tensor, _source, (arguments, keywords)))
            if call.kind in known:
                return
            known.add(call.kind)

            def after_backward(grads: Sequence[Tensor | None]) -> None:
                nonlocal asking
                # Random, for real ones may be zero or cancel; but laid out in memory as the real ones are.
                grads = [_random_like(y if grad is None else grad) for y, grad in zip(outputs, grads, strict=True)]
                asking = True
                found.append(call.worst(name, [_in_range(grad) for grad in grads], machine))
                asking = False

            torch.autograd.graph.register_multi_grad_hook(outputs, after_backward)

        return after_forward

    for name, layer in net.named_modules():
        # What a Sequential does, its layers do.
        if name and 1 <= _layers(layer) <= MOST_LAYERS and not isinstance(layer, nn.Sequential):
            layer.register_forward_hook(watch(name, layer), with_kwargs=True)


@dataclass(frozen=True, eq=False)
class _Call:
    """A layer and what it was called with."""

    layer: nn.Module
    arguments: tuple
    """positional and by name"""

    @property
    def kind(self) -> tuple:
        """What its kernels are chosen by; equal for layers that need be asked once."""
        tensors = [value for value in tree_flatten(self.arguments)[0] if isinstance(value, Tensor)]
        tensors += self.layer.parameters()
        shapes = tuple((tuple(x.shape), x.stride(), x.dtype, x.requires_grad) for x in tensors)
        return type(self.layer), repr(self.layer), self.layer.training, shapes

    @torch.enable_grad()  # autograd calls its hooks without
    def worst(self, name: str, grads: list[Tensor], machine: Machine) -> Found:
        with torch.autocast(machine.device.type, enabled=False):
            wanted = self.gradients(_as_float32(self.arguments), grads)[0]
        with machine.autocast():
            answers = self.gradients(self.arguments, grads, times=ASKED)
        errors = {what: max(self.error(what, answer[what], wanted) for answer in answers) for what in wanted}
        what = max(errors, key=errors.get)
        return Found(name, what, errors[what])

    def error(self, what: str, got: Tensor, wanted: dict[str, Tensor]) -> float:
        """Of one gradient, of its size in float32."""
        right, alone = wanted[what], _layers(self.layer) == 1
        # In float32, whose rounding is far below any tolerance.
        error, size = (float(_largest(x) if alone else x.norm()) for x in (got - right, right))
        if not math.isfinite(error):
            return math.inf
        if not alone and what in self.weights:
            # A bias before a normalisation, or of attention's keys, has no gradient but for rounding: where that of a
            # weight is far smaller than the other weights', it is measured by theirs.
            weights = [float(wanted[name].square().mean().sqrt()) for name in self.weights if name in wanted]
            size = max(size, median(weights) * right.numel() ** 0.5)
        return error / size if size > 0 else 0.0 if error == 0 else math.inf

    @property
    def weights(self) -> dict[str, nn.Parameter]:
        return dict(self.layer.named_parameters())

    def gradients(self, arguments: tuple, grads: list[Tensor], times: int = 1) -> list[dict[str, Tensor]]:
        """Of the weights and inputs, by name, as often as asked, with freed memory full of NaN each time."""
        values, structure = tree_flatten(arguments)
        parameters = {name: _source(parameter) for name, parameter in self.weights.items()}
        inputs = {
            f"input {place + 1}": _source(value) for place, value in enumerate(values) if isinstance(value, Tensor)
        }
        # A clone, for a layer may write into its input; and of the running statistics, which it does write into.
        given = [inputs[key].clone() if (key := f"input {n + 1}") in inputs else v for n, v in enumerate(values)]
        buffers = {name: buffer.clone() for name, buffer in self.layer.named_buffers()}
        positional, named = tree_unflatten(given, structure)
        output = functional_call(self.layer, parameters | buffers, positional, named)
        outputs = [value for value in tree_flatten(output)[0] if isinstance(value, Tensor) and value.requires_grad]
        sources = {name: value for name, value in (parameters | inputs).items() if value.requires_grad}
        cast = [grad.to(value.dtype) for grad, value in zip(grads, outputs, strict=True)]
        found = []
        for time in range(times):
            _dirty_memory([*sources.values(), *outputs])
            last = time == times - 1
            got = torch.autograd.grad(outputs, list(sources.values()), cast, retain_graph=not last, allow_unused=True)
            found.append({name: g for name, g in zip(sources, got, strict=True) if g is not None})
        return found


def _source(value: Tensor) -> Tensor:
    """The same numbers as a leaf of a new graph, where it learns."""
    return value.detach().requires_grad_(value.requires_grad)


def _dirty_memory(sizes_of: list[Tensor]) -> None:
    """Fill memory with NaN and free it, so that the next allocations of these sizes get it."""
    device = sizes_of[0].device
    sizes = {*SIZES, *(x.numel() for x in sizes_of), *(x.numel() // 2 for x in sizes_of)}  # half: 2 bytes a number
    blocks = [torch.full((size,), math.nan, device=device) for size in sizes for _ in range(2)]
    del blocks


def _largest(x: Tensor) -> Tensor:
    """Of its absolute values; NaN where one is. Some have 25 million numbers, and this is one quick pass."""
    return torch.stack(torch.aminmax(x)).abs().max()


def _random_like(x: Tensor) -> Tensor:
    """Normal numbers in the layout of x, which come again after some ten thousand: to draw as many takes seconds."""
    few = torch.randn(65537, device=x.device, dtype=x.dtype)
    many = few.repeat(-(-x.numel() // len(few)))[: x.numel()]
    return torch.empty_like(x).copy_(many.as_strided(x.shape, torch.empty_like(x).stride()))


def _in_range(grad: Tensor) -> Tensor:
    """Small enough for sums over it to stay in the range of float16, large enough for what is multiplied by it."""
    return grad / grad.numel() ** 0.25


def _as_float32(values):
    return tree_map_only(Tensor, lambda x: _source(x).float() if x.is_floating_point() else x, values)


def _layers(module: nn.Module) -> int:
    return sum(any(True for _ in inside.parameters(recurse=False)) for inside in module.modules())
