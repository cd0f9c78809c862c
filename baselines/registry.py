"""The models by name: what each is, where it comes from, and how it is built."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from baselines.contract import ClipModel

FAMILIES = ("image", "convolution", "transformer", "hybrid")
SIZES = ("paper", "tiny")

IMAGENET_MEAN_STD = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
INCEPTION_MEAN_STD = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
TORCHVISION_VIDEO_MEAN_STD = ((0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989))
KINETICS_MEAN_STD = ((0.45, 0.45, 0.45), (0.225, 0.225, 0.225))


@dataclass(frozen=True)
class Official:
    """Published weights, and what they were trained on."""

    library: str
    """who hands them out: 'timm', 'torchvision', 'pytorchvideo' or 'huggingface_hub'"""
    name: str
    """their name there"""
    data: str
    licence: str
    frames: int = 1
    rate: float | None = None
    """frames a second, None for single images"""
    crop: int = 224
    mean_std: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    """of the inputs, RGB in [0, 1], where they are not the entry's"""


@dataclass(frozen=True)
class Published:
    """The figures others print for the default variant at its native input and classes."""

    parameters: float
    """millions"""
    gmac: float | None
    source: str
    frames: int = 1
    crop: int = 224
    classes: int = 400
    """what they were counted at"""
    remark: str = ""
    """why ours differ, where they do by more than 1 %"""


@dataclass(frozen=True)
class ModelEntry:
    """One model. `build(size, num_grades=, num_frames=, crop_size=, in_channels=, **options)`."""

    name: str
    title: str
    """as the paper prints it"""
    family: str
    """one of FAMILIES; 'convolution' and 'transformer' are the paper's two kinds of video model"""
    build: Callable[..., ClipModel]
    reference: str
    """authors, title, venue, year"""
    origin: str
    """the library and name of the implementation"""
    licence: str
    """of the code and of the official weights"""
    mean: tuple[float, ...]
    std: tuple[float, ...]
    """of the inputs the official weights were trained on, RGB in [0, 1]"""
    tiny: str
    """how the tiny size was scaled down from the paper's"""
    paper_mse: tuple[float, float] | None = None
    """mean and sd of MSE x 10^-2 in the paper, on its own private clips"""
    parameters: int | None = None
    """at paper size with the default options and five grades"""
    published: Published | None = None
    official: dict[str, Official] = field(default_factory=dict)
    """by variant, the default one first"""
    control: bool = False
    """a model that exists to be compared with in ablations, and is none of the fourteen"""


_entries: dict[str, ModelEntry] = {}


def register(entry: ModelEntry) -> None:
    """Add a model; its name must be new."""
    if entry.name in _entries:
        raise ValueError(f"a model named {entry.name!r} is registered already")
    if entry.family not in FAMILIES:
        raise ValueError(f"family of {entry.name!r} must be one of {FAMILIES}, not {entry.family!r}")
    _entries[entry.name] = entry


def get_entry(name: str) -> ModelEntry:
    """The entry of a model, or a ValueError that lists the names there are."""
    if name not in _entries:
        raise ValueError(f"no model is named {name!r}; there are: {', '.join(_entries)}")
    return _entries[name]


def list_models(family: str | None = None, *, controls: bool = False) -> list[str]:
    """Names of the models, of one family where given, in the order of the paper's tables.

    controls: those of ablations too, after the others.
    """
    if family is not None and family not in FAMILIES:
        raise ValueError(f"no family is named {family!r}; there are: {', '.join(FAMILIES)}")
    entries = [entry for entry in _entries.values() if family in (None, entry.family)]
    own, extra = ([entry.name for entry in entries if entry.control == control] for control in (False, True))
    return own + extra if controls else own


def create_model(
    name: str,
    size: str = "paper",
    *,
    num_grades: int = 5,
    num_frames: int = 16,
    crop_size: int | None = None,
    in_channels: int = 3,
    pretrained: str = "none",
    **options,
) -> ClipModel:
    """Build a model.

    name: one of `list_models()`.
    size: 'paper' (the published architecture) or 'tiny' (the same, scaled to 15-45 MMAC a clip).
    num_frames, crop_size: what position tables are made for (default 224 at 'paper', 64 at 'tiny').
    in_channels: 1 (grey) or 3.
    pretrained: 'none', 'official' or the path of a checkpoint (`baselines.weights`). What was loaded is
        printed to stderr and kept as `model.load_report`.
    options: the model's own, such as `variant=`; an unknown one is a TypeError.
    """
    entry = get_entry(name)
    if size not in SIZES:
        raise ValueError(f"size must be one of {SIZES}, not {size!r}")
    if in_channels not in (1, 3):
        raise ValueError(f"in_channels must be 1 or 3, not {in_channels}")
    if num_grades < 2:
        raise ValueError(f"num_grades must be 2 or more, not {num_grades}")
    crop_size = crop_size or (224 if size == "paper" else 64)
    model = entry.build(
        size,
        num_grades=num_grades,
        num_frames=num_frames,
        crop_size=crop_size,
        in_channels=in_channels,
        **options,
    )
    if pretrained != "none":
        from baselines.weights import load_pretrained

        model.load_report = load_pretrained(model, entry, pretrained, size=size, variant=options.get("variant"))
        print(model.load_report, file=sys.stderr)
    return model
