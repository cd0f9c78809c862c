"""The models by name: what each is, where it comes from, and how it is built.

Importing this imports no model and not torch, which takes seconds: a model's module is imported when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import import_module
from inspect import formatannotation, signature
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from baselines.contract import ClipModel

FAMILIES = ("image", "convolution", "transformer", "hybrid", "frozen")
SIZES = ("paper", "tiny")
SHAPE = ("size", "num_grades", "num_frames", "crop_size", "in_channels")
"""what every builder takes"""

IMAGENET_MEAN_STD = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
INCEPTION_MEAN_STD = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
TORCHVISION_VIDEO_MEAN_STD = ((0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989))
KINETICS_MEAN_STD = ((0.45, 0.45, 0.45), (0.225, 0.225, 0.225))


@dataclass(frozen=True)
class PretrainedWeights:
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
    file: str = "pytorch_model.bin"
    """of huggingface_hub's, what to download by hand"""
    revision: str = "main"
    """of its repository"""


@dataclass(frozen=True)
class PublishedFigures:
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
    """one of FAMILIES; 'convolution' and 'transformer' are the paper's two kinds of video model, 'frozen' is a
    published network that stays as it is, with a probe that learns (`baselines.frozen`)"""
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
    wacv_mse: float | None = None
    """MSE x 10^-2 in the authors' next paper (T. Fujii et al., WACV 2024), most likely on the same clips, of the epoch
    that is best on the held-out fold; its R3D and R(2+1)D are other networks of 50 layers"""
    parameters: int | None = None
    """that learn, at paper size with the default options and five grades"""
    published: PublishedFigures | None = None
    official: dict[str, PretrainedWeights] = field(default_factory=dict)
    """by variant, the default one first"""
    after_paper: bool = False
    """a baseline that was published after the paper, and is none of its thirteen"""
    hands_on_to: tuple[Callable[..., Any], ...] = ()
    """what else takes the options that `build` does not name itself"""
    extends: str = ""
    """the model that this one adds to, whose weights fit it"""
    control: bool = False
    """a model that exists to be compared with in ablations, and that `list_models` names only when asked to"""

    def options(self) -> dict[str, set[str]]:
        """What `build` can be told beside the size, the grades and the shape of clips: names, and types by theirs."""
        parameters = [p for taker in (self.build, *self.hands_on_to) for p in signature(taker).parameters.values()]
        named = {p.name: p.annotation for p in parameters if p.kind is not p.VAR_KEYWORD and p.name not in SHAPE}
        return {name: set(formatannotation(kind).strip("'").split(" | ")) for name, kind in named.items()}

    def weights(self, variant: str | None = None) -> PretrainedWeights:
        """The official weights of a variant, by default of the first."""
        return self.official[variant or next(iter(self.official))]

    def mean_std(self, variant: str | None = None) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Of the inputs that a variant's official weights were trained on: a number a channel, RGB in [0, 1]."""
        own = self.weights(variant).mean_std if self.official else None
        return own or (self.mean, self.std)


_entries: dict[str, ModelEntry | str] = {}
"""by name, in the order of the paper's tables; of a model that nobody has asked for yet, the module that has it"""


def register_module(module: str, *names: str) -> None:
    """Name the models that a module registers once it is imported, which is done when one of them is asked for."""
    if taken := _entries.keys() & set(names):
        raise ValueError(f"a model named {min(taken)!r} is registered already")
    _entries.update(dict.fromkeys(names, module))


def register(entry: ModelEntry) -> None:
    """Add a model; its name must be new."""
    if isinstance(_entries.get(entry.name), ModelEntry):
        raise ValueError(f"a model named {entry.name!r} is registered already")
    if entry.family not in FAMILIES:
        raise ValueError(f"family of {entry.name!r} must be one of {FAMILIES}, not {entry.family!r}")
    _entries[entry.name] = entry


def get_entry(name: str) -> ModelEntry:
    """The entry of a model, or a ValueError that lists the names there are."""
    if name not in _entries:
        raise ValueError(f"no model is named {name!r}; there are: {', '.join(_entries)}")
    entry = _entries[name]
    if isinstance(entry, str):
        import_module(entry)
        return _entries[name]
    return entry


def list_models(family: str | None = None, *, controls: bool = False) -> list[str]:
    """Names of the models, of one family where given, in the order of the paper's tables.

    Frozen models are named when their family is asked for. controls: those of ablations too, after the others.
    """
    if family is not None and family not in FAMILIES:
        raise ValueError(f"no family is named {family!r}; there are: {', '.join(FAMILIES)}")
    families = FAMILIES[:-1] if family is None else (family,)
    entries = [entry for entry in map(get_entry, list(_entries)) if entry.family in families]
    own, extra = ([entry.name for entry in entries if entry.control == control] for control in (False, True))
    return own + extra if controls else own


def is_shipped(pretrained: str) -> bool:
    """Whether this names weights of `baselines/simulated`: 'simulated' or 'simulated/<model>'."""
    return pretrained.partition("/")[0] == "simulated"


def check_variant(model: str, variants: Iterable[str], variant: str, size: str) -> None:
    """A ValueError for an unknown variant, or one asked of the tiny size, which has but one form."""
    variants = tuple(variants)
    if variant not in variants:
        raise ValueError(f"variant of {model} must be one of {variants}, not {variant!r}")
    if size == "tiny" and variant != variants[0]:
        raise ValueError(f"variant={variant!r} of {model} has no tiny size")
