"""Parameters, multiply-accumulates and activations of one clip's forward pass, by fvcore.

fvcore's "flops" are multiply-accumulates (plus, small beside them, 2 to 5 operations an element for normalisations).
Left alone it drops fused attention, and its counts of matrix products of unusual shape are rough or crash;
the handlers here mend that, and whatever is still left out is named in the result.
"""

from collections import Counter
from dataclasses import dataclass, field
from math import prod

import torch
from fvcore.nn import FlopCountAnalysis
from fvcore.nn.jit_handles import (
    batchnorm_flop_jit,
    conv_flop_jit,
    einsum_flop_jit,
    get_shape,
    linear_flop_jit,
    norm_flop_counter,
)
from torch import Tensor, nn

from baselines.frozen import FrozenModel

NEGLIGIBLE = frozenset(
    f"aten::{name}"
    for names in (
        # a few operations an element, hundreds of times fewer than the products around them; fvcore ignores relu too
        "abs add add_ clamp_min cos cumsum div div_ erf exp expm1 floor gelu hardswish linalg_vector_norm log",
        "log_sigmoid logsumexp mul mul_ neg pow reciprocal rsqrt rsub sigmoid sigmoid_ sign silu silu_ sin log_softmax",
        "softmax softplus sqrt square sub sub_ tanh",
        # sums and pools of what was computed
        "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d avg_pool2d avg_pool3d max_pool2d max_pool3d",
        "mean sum",
        # resizing of position tables and clips, as large as one activation
        "_upsample_bilinear2d_aa upsample_bicubic2d upsample_bilinear2d upsample_linear1d upsample_nearest1d",
        "upsample_nearest2d",
        # moving, making and comparing
        "alias clone expand_as fill_ feature_dropout flip index_select le linspace logical_and logical_not lt",
        "masked_fill_ ne new_ones ones_like pad repeat repeat_interleave scalar_tensor tensor_split topk unflatten",
        "where",
    )
    for name in names.split()
) | {"prim::PythonOp.SwishFunction"}  # pytorchvideo's x * sigmoid(x)
"""operators whose work is left out on purpose"""


@dataclass(frozen=True)
class ModuleCost:
    """The same three figures of one module, with all that is inside it."""

    parameters: int
    gmac: float
    activations: int


@dataclass(frozen=True)
class Profile:
    """What one clip costs."""

    parameters: int
    """numbers that are learned, each counted once; buffers are not"""
    gmac: float
    """multiply-accumulates of a forward pass of one clip / 1e9"""
    activations: int
    """numbers put out by convolutions and matrix products (Radosavovic et al., Designing network design spaces,
    2020)"""
    uncounted: dict[str, int]
    """calls of operators whose work is in no count, and is not known to be negligible; empty for a right count"""
    modules: dict[str, ModuleCost] = field(default_factory=dict)
    """by the name of each module, in the model's order; work between modules is in the one around them alone"""


def profile_model(model: nn.Module, clip_shape: tuple[int, ...]) -> Profile:
    """Count one forward pass, in eval mode, of one clip of `clip_shape` (C, T, H, W).

    The pass runs once, traced, on the model's own device. The model is left in the mode it was in.
    """
    if len(clip_shape) != 4:
        raise ValueError(f"expected the shape of one clip (channels, frames, height, width), got {tuple(clip_shape)}")
    parameter = next(model.parameters())
    clip = torch.zeros(1, *clip_shape, device=parameter.device, dtype=parameter.dtype)
    was_training = model.training
    if isinstance(model, FrozenModel):
        model.net.to(parameter.device)  # built now, which is no work of a clip
    try:
        with torch.no_grad():
            analysis = FlopCountAnalysis(AllItsWork(model.eval()), clip).set_op_handle(**HANDLERS)
            analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
            counts = analysis.by_operator()
            of_module = analysis.by_module_and_operator()
            uncounted = {name: n for name, n in analysis.unsupported_ops().items() if name not in NEGLIGIBLE}
    finally:
        model.train(was_training)
    return Profile(
        parameters=sum(p.numel() for p in model.parameters()),
        gmac=counts["macs"] / 1e9,
        activations=int(counts["activations"]),
        uncounted=uncounted,
        modules={
            name: ModuleCost(
                parameters=sum(p.numel() for p in module.parameters()),
                gmac=of_module[f"model.{name}"]["macs"] / 1e9,
                activations=int(of_module[f"model.{name}"]["activations"]),
            )
            for name, module in model.named_modules()
            if name
        },
    )


class AllItsWork(nn.Module):
    """A model whose output depends on the output of each of its modules.

    A trace keeps only what the output depends on, but a model also pays for what it throws away: TimeSformer's last
    layer updates patches that no one reads, a twenty-sixth of its work.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, clip_BCTHW: Tensor) -> list[Tensor]:
        witnesses = []

        def keep_one_number(module, inputs, output):
            for x in output if isinstance(output, (tuple, list)) else [output]:
                if isinstance(x, Tensor):
                    witnesses.append(x[(0,) * x.ndim].clone())

        hooks = [module.register_forward_hook(keep_one_number) for module in self.model.modules()]
        try:
            self.model(clip_BCTHW)
        finally:
            for hook in hooks:
                hook.remove()
        return witnesses


def matrix_product(inputs, outputs) -> float:
    """Each number put out sums over the last dimension of the first factor."""
    return prod(get_shape(outputs[0])) * get_shape(inputs[0])[-1]


def matrix_product_onto(inputs, outputs) -> float:
    """addmm, baddbmm: the first input is what the product is added to."""
    return matrix_product(inputs[1:], outputs)


def convolution(inputs, outputs) -> float:
    return conv_flop_jit(inputs, outputs)["conv"]


def einsum(inputs, outputs) -> float:
    """Of two factors: the product of the sizes of all letters. fvcore's own rounds to four digits; it does the rest."""
    equation = inputs[0].toIValue().replace(" ", "")
    terms = equation.split("->")[0].split(",")
    if len(terms) != 2 or "." in equation:
        return einsum_flop_jit(inputs, outputs)
    shapes = [get_shape(factor) for factor in inputs[1].node().inputs()]
    sizes = {
        letter: size
        for term, shape in zip(terms, shapes, strict=True)
        for letter, size in zip(term, shape, strict=True)
    }
    return prod(sizes.values())


def attention(inputs, outputs) -> Counter:
    """softmax(q k) v as its two products, whatever kernel computes it; a mask saves nothing."""
    query, key, value = (get_shape(x) for x in inputs[:3])
    scores = prod(query[:-1]) * key[-2]
    return Counter(macs=scores * (query[-1] + value[-1]), activations=scores + prod(get_shape(outputs[0])))


def with_activations(count):
    """A handler of an operator whose output counts as activations."""

    def handler(inputs, outputs) -> Counter:
        return Counter(macs=count(inputs, outputs), activations=prod(get_shape(outputs[0])))

    return handler


def without_activations(count):
    """A handler of an operator that only rescales: its work counts, its output does not."""

    def handler(inputs, outputs) -> Counter:
        return Counter(macs=count(inputs, outputs))

    return handler


HANDLERS = {
    "aten::_convolution": with_activations(convolution),
    "aten::linear": with_activations(linear_flop_jit),
    "aten::addmm": with_activations(matrix_product_onto),
    "aten::baddbmm": with_activations(matrix_product_onto),
    "aten::matmul": with_activations(matrix_product),
    "aten::bmm": with_activations(matrix_product),
    "aten::mm": with_activations(matrix_product),
    "aten::einsum": with_activations(einsum),
    "aten::scaled_dot_product_attention": attention,
    "aten::batch_norm": without_activations(batchnorm_flop_jit),
    "aten::layer_norm": without_activations(norm_flop_counter(2)),
    "aten::group_norm": without_activations(norm_flop_counter(2)),
    "aten::instance_norm": without_activations(norm_flop_counter(1)),
    # fvcore counts these few operations an element by default, which would mix with ours
    "aten::upsample_nearest2d": None,
    "aten::upsample_bilinear2d": None,
    "aten::adaptive_avg_pool2d": None,
    "aten::grid_sampler": None,
}
