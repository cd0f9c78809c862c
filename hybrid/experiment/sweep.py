"""Which runs a command line asks for, before Hydra launches them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from hybrid.errors import UserError

SWEPT = ("model", "repeat", "fold")


@contextmanager
def _in_plain_words() -> Iterator[None]:
    """Hydra says well what is wrong with a configuration, but in a traceback."""
    try:
        yield
    except HydraException as error:
        causes = [str(error), str(error.__cause__ or "")]
        raise UserError("\n".join(cause for cause in causes if cause)) from error


@_in_plain_words()
def asked_runs(config_dir: Path, config_name: str, overrides: Sequence[str]) -> list[DictConfig]:
    """The configuration of every run: the product over model x repeat x fold, each composed and checked once a model.

    A sweep over anything else is refused: its runs would share a folder. So would those of models that are one arm.
    """
    fixed, swept = split_sweep(overrides)
    parser = OverridesParser.create()
    base = composed(config_dir, config_name, fixed, hydra=True)
    with initialize_config_dir(str(config_dir), version_base="1.3"):
        for key, value in base.hydra.sweeper.params.items():
            (override,) = parser.parse_overrides([f"{key}={value}"])
            swept.setdefault(key, _values(override))
        of_model = {model: compose(config_name, [*fixed, f"model={model}"]) for model in swept["model"]}
    if len({config.arm for config in of_model.values()}) < len(of_model):
        raise UserError(f"arm is a label of one model's runs; {', '.join(of_model)} cannot share it")
    return [
        of_run(of_model[model], int(repeat), int(fold))
        for model, repeat, fold in product(swept["model"], swept["repeat"], swept["fold"])
    ]


def of_run(config: DictConfig, repeat: int, fold: int) -> DictConfig:
    return OmegaConf.merge(config, {"repeat": repeat, "fold": fold})


@_in_plain_words()
def composed(config_dir: Path, config_name: str, overrides: Sequence[str], *, hydra: bool = False) -> DictConfig:
    """One configuration. hydra: with Hydra's part, too."""
    with initialize_config_dir(str(config_dir), version_base="1.3"):
        return compose(config_name, list(overrides), return_hydra_config=hydra)


@_in_plain_words()
def split_sweep(overrides: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """The words that all runs share, and the values that the others ask for of the keys in SWEPT."""
    fixed: list[str] = []
    swept: dict[str, list[str]] = {}
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        key = override.get_key_element()
        if key in swept:
            raise UserError(f"{override.input_line}: {key} is given twice")
        if key in SWEPT:
            swept[key] = _values(override)
        elif override.is_sweep_override():
            raise UserError(
                f"{override.input_line}: runs are swept over {', '.join(SWEPT)} alone; "
                "give each other setting one value, and an experiment=... or arm=... of its own"
            )
        else:
            fixed.append(override.input_line)
    return fixed, swept


def _values(override: Override) -> list[str]:
    if override.is_sweep_override():
        return [str(value) for value in override.sweep_string_iterator()]
    return [override.get_value_element_as_str()]
