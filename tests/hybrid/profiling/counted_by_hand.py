"""Multiply-accumulates of the attention and mixer models, counted by hand from their published dimensions.

A check on fvcore: products alone (no normalisation, softmax or activation), one clip, paper size, five grades.
"""

from __future__ import annotations

from collections.abc import Callable


def attention(queries: int, keys: int, width: int) -> int:
    """q, k, v and output projections, scores, and the values they weigh; a kernel saves none of it."""
    return 2 * queries * width**2 + 2 * keys * width**2 + 2 * queries * keys * width


def mlp(tokens: int, width: int, ratio: int = 4) -> int:
    return 2 * ratio * tokens * width**2


def vit(frames: int, crop: int) -> int:
    """Base/16: 12 layers of width 768 over the patches of one frame and a class token."""
    patches = (crop // 16) ** 2
    layer = attention(patches + 1, patches + 1, 768) + mlp(patches + 1, 768)
    return patches * 16**2 * 3 * 768 + 12 * layer + 768 * 5


def convit(frames: int, crop: int) -> int:
    """Base: 10 layers gated by position (16 heads, 3 relative coordinates), then the class token and 2 more layers."""
    patches = (crop // 16) ** 2
    gated = attention(patches, patches, 768) + patches**2 * 3 * 16 + mlp(patches, 768)
    plain = attention(patches + 1, patches + 1, 768) + mlp(patches + 1, 768)
    return patches * 16**2 * 3 * 768 + 10 * gated + 2 * plain + 768 * 5


def mixer(frames: int, crop: int) -> int:
    """Base/16: 12 layers, a perceptron over 196 patches (384 hidden) and one over 768 channels (3072 hidden)."""
    patches = (crop // 16) ** 2
    layer = 2 * 768 * patches * 384 + 2 * patches * 768 * 3072
    return patches * 16**2 * 3 * 768 + 12 * layer + 768 * 5


def swin(frames: int, crop: int) -> int:
    """Base: 2, 2, 18 and 2 layers of width 128 to 1024 in windows of 7x7, four patches merged between stages."""
    total, side, width = (crop // 4) ** 2 * 4**2 * 3 * 128, crop // 4, 128
    for stage, depth in enumerate((2, 2, 18, 2)):
        if stage:
            side, width = side // 2, 2 * width
            total += side**2 * (2 * width) * width
        windows = (side // 7) ** 2
        total += depth * (windows * attention(49, 49, width) + mlp(side**2, width))
    return total + width * 5


def timesformer(frames: int, crop: int) -> int:
    """Base/16: in each of 12 layers attention over time at each place, a projection of its result, attention over
    space in each frame with the class token, and the perceptron."""
    patches, width = (crop // 16) ** 2, 768
    over_time = patches * (attention(frames, frames, width) + frames * width**2)
    over_space = frames * attention(patches + 1, patches + 1, width)
    layer = over_time + over_space + mlp(frames * patches + 1, width)
    return frames * patches * 16**2 * 3 * width + 12 * layer + width * 5


def vivit(frames: int, crop: int) -> int:
    """Base/16x2: 12 layers over all tubelets of 2 frames and a class token, together."""
    tubelets = (frames // 2) * (crop // 16) ** 2
    layer = attention(tubelets + 1, tubelets + 1, 768) + mlp(tubelets + 1, 768)
    return tubelets * 2 * 16**2 * 3 * 768 + 12 * layer + 768 * 5


BY_HAND: dict[str, Callable[[int, int], int]] = {
    count.__name__: count for count in (vit, swin, convit, mixer, timesformer, vivit)
}
"""(frames, crop) -> multiply-accumulates, by the model's name; swin where the crop is a multiple of 224"""
