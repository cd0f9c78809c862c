"""Networks of Hugging Face's transformers, built and filled by it: the package comes with the extra `frozen`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from einops import rearrange
from torch import Tensor, nn

from baselines.contract import listed
from baselines.frozen import State


@dataclass(frozen=True)
class TransformersBackbone:
    """A `baselines.frozen.Backbone`.

    model, config: the names of its classes. settings: of the configuration, where they differ from the published
    network's. tokens: of a network and a clip (B, T, C, H, W) its last layer's tokens (B, N, D), moment by moment.
    """

    model: str
    config: str
    settings: dict[str, Any] = field(hash=False)
    tokens: Callable[[nn.Module, Tensor], Tensor]
    frames: int
    crop: int
    steps: int
    side: int
    width: int
    heads: int

    def __post_init__(self):
        if find_spec("transformers") is None:
            raise ValueError(f"{self.model} needs the package transformers: pip install 'sperm-video-hybrid[frozen]'")

    def build(self, state: State | None) -> nn.Module:
        library = import_module("transformers")
        if not hasattr(library, self.model):
            raise ValueError(f"transformers {library.__version__} has no {self.model}: install a later version")
        kind, config = getattr(library, self.model), getattr(library, self.config)(**self.settings)
        if state is None:
            return kind(config)
        library.utils.logging.disable_progress_bar()
        level = library.utils.logging.get_verbosity()
        library.utils.logging.set_verbosity_error()  # it tells what a file has besides, such as a decoder
        try:
            net, found = kind.from_pretrained(None, config=config, state_dict=state, output_loading_info=True)
        except (RuntimeError, ValueError) as error:
            raise ValueError(f"the weights do not fit {self.model}: {error}") from error
        finally:
            library.utils.logging.set_verbosity(level)
        if lacking := sorted(found["missing_keys"]):
            raise ValueError(f"the weights do not fit {self.model}; missing: {listed(lacking)}")
        return net

    def features(self, net: nn.Module, clip_BCTHW: Tensor) -> Tensor:
        tokens_BND = self.tokens(net, rearrange(clip_BCTHW, "b c t h w -> b t c h w"))
        return rearrange(tokens_BND, "b (t h w) d -> b d t h w", t=self.steps, h=self.side)
