"""Compare every baseline with its reference implementation on the same random weights.

    python tools/parity.py [model ...]

The reference network is built at its native input with all weights, biases and batch statistics drawn at
random, its state dict goes through the loader that reads official files, and both see one random clip in
eval. Printed is, for each model, the largest difference of the logits over the largest logit; for
TimeSformer and ViViT also of every parameter's gradient (each over the largest entry of its reference) and
of every attention map that transformers returns (which are at most 1). Exits with status 1 if any is above
1e-5. Takes about eight minutes of one processor core and 14 GB of memory for all models, most of it for
ViViT's attention maps; needs transformers.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from hybrid.errors import explained

with explained("starts anew"):
    import timm
    import torch
    from einops import rearrange
    from pytorchvideo.models import hub
    from torch import Tensor, nn
    from torchvision.models import video

    from baselines import create_model, get_entry
    from baselines.checkpoints import under_our_names
    from baselines.weights import load_state
    from hybrid.names import check_names

TOLERANCE = 1e-5


@dataclass(frozen=True)
class Reference:
    """A published implementation, as it is used by those who published it."""

    implementation: str
    build: Callable[[], nn.Module]
    logits: Callable[[nn.Module, Tensor], Tensor]
    frames: int = 16
    crop: int = 224
    classes: int = 400


def from_timm(name: str) -> Reference:
    build = partial(timm.create_model, name)
    return Reference(f"timm {name}", build, lambda net, clip: net(clip[:, :, 0]), classes=1000)


def from_torchvision(name: str) -> Reference:
    return Reference(f"torchvision {name}", getattr(video, name), lambda net, clip: net(clip), crop=112)


def from_pytorchvideo(name: str, frames: int, **options) -> Reference:
    def logits(net: nn.Module, clip_BCTHW: Tensor) -> Tensor:
        if not name.startswith("slowfast"):
            return net(clip_BCTHW)
        slow = clip_BCTHW[:, :, torch.linspace(0, frames - 1, frames // 4).long()]
        return net([slow, clip_BCTHW.clone()])  # it overwrites its list

    return Reference(f"pytorchvideo {name}", partial(getattr(hub, name), **options), logits, frames)


def from_transformers(name: str, frames: int) -> Reference:
    def build() -> nn.Module:
        import transformers

        config = getattr(transformers, f"{name}Config")(num_labels=400, attn_implementation="eager")
        return getattr(transformers, f"{name}ForVideoClassification")(config)

    return Reference(
        f"transformers {name}ForVideoClassification",
        build,
        logits=lambda net, clip: net(rearrange(clip, "b c t h w -> b t c h w")).logits,
        frames=frames,
    )


REFERENCES = {
    "vgg16": from_timm("vgg16"),
    "resnet50": from_timm("resnet50"),
    "vit": from_timm("vit_base_patch16_224"),
    "swin": from_timm("swin_base_patch4_window7_224"),
    "convit": from_timm("convit_base"),
    "mixer": from_timm("mixer_b16_224"),
    "r3d": from_torchvision("r3d_18"),
    "r2plus1d": from_torchvision("r2plus1d_18"),
    "i3d": from_pytorchvideo("i3d_r50", frames=8),
    "slowfast": from_pytorchvideo("slowfast_r50", frames=32),
    "x3d": from_pytorchvideo("x3d_m", frames=16, head_activation=None),  # before its softmax
    "timesformer": from_transformers("Timesformer", frames=8),
    "vivit": from_transformers("Vivit", frames=32),
}


def randomise(net: nn.Module) -> nn.Module:
    """The network in eval, with nothing at a default: no branch is zero, no batch statistic 0 or 1."""
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
        for module in net.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.running_mean.normal_(std=0.1)
                module.running_var.uniform_(0.5, 1.5)
    return net.eval()


def relative(ours: Tensor, theirs: Tensor) -> float:
    return ((ours - theirs).abs().max() / theirs.abs().max()).item()


def our_logits(model: nn.Module, clip_BCTHW: Tensor) -> Tensor:
    """Without the check of the crop: references are asked at their native sizes."""
    return model.forward_head(model.forward_features(clip_BCTHW))


def gradients(model: nn.Module, theirs: nn.Module, reference: Reference, clip: Tensor) -> float:
    """Largest relative difference over all parameters of the gradient of a random sum of logits."""
    weights = torch.randn(1, reference.classes)
    (our_logits(model, clip) * weights).sum().backward()
    (reference.logits(theirs, clip) * weights).sum().backward()
    expected = under_our_names({name: p.grad for name, p in theirs.named_parameters()}, model)
    return max(relative(parameter.grad, expected[name]) for name, parameter in model.named_parameters())


@torch.no_grad()
def attention_maps(model: nn.Module, theirs: nn.Module, clip: Tensor) -> tuple[float, int]:
    """Largest difference over all maps that transformers returns, and how many these are."""
    reference = theirs(rearrange(clip, "b c t h w -> b t c h w"), output_attentions=True).attentions
    _, seen = model.forward_intermediates(clip)
    ours = [rearrange(weights, "b t h q k -> (b t) h q k") for weights in seen.spatial_attention.values()]
    ours = ours or list(seen.joint_attention.values())
    worst = max((a - b).abs().max().item() for a, b in zip(ours, reference, strict=True))
    return worst, len(reference)


def compare(name: str) -> tuple[str, list[float]]:
    """One line of the table, and the differences in it."""
    reference = REFERENCES[name]
    torch.manual_seed(0)
    theirs = randomise(reference.build())
    model = create_model(
        name, num_grades=reference.classes, num_frames=max(reference.frames, 8), crop_size=reference.crop
    ).eval()
    report = load_state(model, theirs.state_dict(), reference.implementation)
    if report.dropped_head or report.reshaped or report.unexpected:
        raise RuntimeError(f"the reference's weights do not fit {name} as they are: {report}")
    clip = torch.randn(1, 3, reference.frames, reference.crop, reference.crop)
    with torch.no_grad():
        found = [relative(our_logits(model, clip), reference.logits(theirs, clip))]
    cells = [f"{found[0]:.1e}", "", ""]
    if get_entry(name).family == "transformer":
        difference, maps = attention_maps(model, theirs, clip)
        found += [gradients(model, theirs, reference, clip), difference]
        cells[1:] = [f"{found[1]:.1e}", f"{found[2]:.1e} ({maps} maps)"]
    shape = f"{reference.frames}x{reference.crop}x{reference.crop}"
    return f"| {name} | {reference.implementation} | {shape} | " + " | ".join(cells) + " |", found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="model", help=f"of {', '.join(REFERENCES)}; default: all")
    names = parser.parse_args().models or list(REFERENCES)
    check_names("reference", names, REFERENCES)
    print("| model | reference | native input | logits | gradients | attention maps |")
    print("|---|---|---|---|---|---|")
    worst = 0.0
    for name in names:
        line, found = compare(name)
        worst = max(worst, *found)
        print(line, flush=True)
    print(f"\nlargest difference {worst:.1e}, tolerance {TOLERANCE:.0e}, torch {torch.__version__}")
    return int(worst > TOLERANCE)


if __name__ == "__main__":
    with explained("starts anew"):
        sys.exit(main())
