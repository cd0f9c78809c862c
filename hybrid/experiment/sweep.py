"""Which runs a benchmark's command line asks for, before Hydra launches them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
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
    parser = OverridesParser.create()
    swept: dict[str, list[str]] = {}
    fixed: list[str] = []
    for override in parser.parse_overrides(list(overrides)):
        key = override.get_key_element()
        if key in SWEPT:
            swept[key] = list(override.sweep_string_iterator()) if override.is_sweep_override() else [_value(override)]
        elif override.is_sweep_override():
            raise UserError(
                f"{override.input_line}: a benchmark sweeps over {', '.join(SWEPT)} alone; "
                "give each other setting one value, and an experiment=... of its own"
            )
        else:
            fixed.append(override.input_line)
    with initialize_config_dir(str(config_dir), version_base="1.3"):
        base = compose(config_name, fixed, return_hydra_config=True)
        for key, value in base.hydra.sweeper.params.items():
            (override,) = parser.parse_overrides([f"{key}={value}"])
            swept.setdefault(key, [str(v) for v in override.sweep_string_iterator()])
        of_model = {model: compose(config_name, [*fixed, f"model={model}"]) for model in swept["model"]}
    if len({config.arm for config in of_model.values()}) < len(of_model):
        raise UserError(f"arm is a label of one model's runs; {', '.join(of_model)} cannot share it")
    return [
        OmegaConf.merge(of_model[model], {"repeat": int(repeat), "fold": int(fold)})
        for model, repeat, fold in product(swept["model"], swept["repeat"], swept["fold"])
    ]


def _value(override) -> str:
    return override.get_value_element_as_str()
