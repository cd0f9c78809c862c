"""Starting a model from published weights, from those shipped here or from a checkpoint, with an account of what was
taken."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from baselines.checkpoints import file_digest, read_checkpoint, refuse_non_finite, refuse_other_kinds, under_our_names
from baselines.contract import ClipModel, LoadReport, listed
from baselines.hub import fetch
from baselines.registry import ModelEntry, PretrainedWeights, get_entry, is_shipped

SIMULATED = Path(__file__).with_name("simulated")
"""weights of size tiny that were pretrained on simulated clips, a file a model; `tools/ship_weights.py` writes them"""


def load_pretrained(
    model: ClipModel, entry: ModelEntry, pretrained: str, *, size: str = "paper", variant: str | None = None
) -> LoadReport | None:
    """Fill `model` from its official weights ('official'), from what was pretrained on simulated clips ('simulated', or
    'simulated/<model>' for those of another one), or from a file or folder (its path).

    The classifier is replaced where it is for other classes, position tables are interpolated to the
    model's frames and crop, the input convolution is summed over RGB for one channel. What a model adds
    to the one that a checkpoint is of starts anew. Anything else that is missing or of another shape,
    or not finite, is a ValueError that names the keys, and `model` is as it was.

    A model with a frozen network takes that network's weights, and reads them when it first needs them: None.
    """
    if pretrained != "official":
        shipped = shipped_files(model, entry, pretrained, size)
        if shipped and "" not in shipped:
            return of_parts(model, {path: load_file(model.get_submodule(path), shipped[path]) for path in shipped})
        file = shipped.get("", Path(pretrained))
        if model.learner is model:
            return load_file(model, file)
        return model.freeze_at(f"file of SHA-256 {file_digest(file)}", partial(read_checkpoint, file))
    if size != "paper":
        raise ValueError(
            f"the official weights of {entry.name} are of the paper's size and do not fit size={size!r}, which has "
            "narrower and fewer layers; use pretrained=none or a checkpoint of that size"
        )
    if model.parts:
        return load_parts(model)
    if not entry.official:
        raise ValueError(f"{entry.name} has no official weights; use pretrained=none or the path of a checkpoint")
    weights = entry.weights(variant)
    source = f"{weights.library} {weights.name}"
    if model.learner is not model:
        return model.freeze_at(f"{source} {weights.revision}", partial(fetch, weights))
    return load_state(model, fetch(weights), source)


def shipped_files(model: ClipModel, entry: ModelEntry, pretrained: str, size: str) -> dict[str, Path]:
    """The files that 'simulated' or 'simulated/<model>' stands for, by the path within `model` of what they are of: ''
    is the whole. Of a model that has none itself, those of the one that it extends, or of those that it is made of. Of
    any other `pretrained` none.

    A ValueError where there are none for it.
    """
    if not is_shipped(pretrained):
        return {}
    other = pretrained.partition("/")[2]
    if size != "tiny":
        raise ValueError(
            f"pretrained={pretrained}: what was pretrained on simulated clips is of size tiny, not {size!r}"
        )
    files = {file.stem: file for file in sorted(SIMULATED.glob("*.safetensors"))}
    wanted = {"": other or entry.name}
    if not other and entry.name not in files:
        wanted = dict(model.parts) or {"": entry.extends or entry.name}
    if missing := [name for name in wanted.values() if name not in files]:
        raise ValueError(
            f"pretrained={pretrained}: nothing pretrained on simulated clips is shipped for {missing[0]}; there is for "
            f"{', '.join(files) or 'no model'}, and pretrained=simulated/<one of them> starts a model from that"
        )
    return {path: files[name] for path, name in wanted.items()}


def shipped_index(folder: Path | None = None) -> dict[str, Any]:
    """What is known of each file in the folder (by default SIMULATED), by model: how it was made, its errors."""
    index = (folder or SIMULATED) / "index.json"
    return json.loads(index.read_text(encoding="utf-8")) if index.exists() else {}


def official_weights(model: ClipModel, entry: ModelEntry, variant: str | None = None) -> list[PretrainedWeights]:
    """Those that 'official' stands for: of the model, or of its parts; none where there are none."""
    if model.parts:
        return [get_entry(name).weights() for name in model.parts.values()]
    return [entry.weights(variant)] if entry.official else []


def load_parts(model: ClipModel) -> LoadReport:
    """Each part of a model made of others from its own official weights; what lies between them starts anew."""
    reports = {
        path: load_pretrained(model.get_submodule(path), get_entry(name), "official")
        for path, name in model.parts.items()
    }
    return of_parts(model, reports)


def load_file(model: ClipModel, file: Path) -> LoadReport:
    """From a checkpoint of the whole model or, for a model made of others, of one of these."""
    state = read_checkpoint(file)
    within = tuple(f"{path}." for path in model.parts)
    if not within or any(key.startswith(within) for key in under_our_names(state, model)):
        return load_state(model, state, source=str(file))
    errors = []
    for path in model.parts:
        try:
            return of_parts(model, {path: load_state(model.get_submodule(path), state, source=str(file))})
        except ValueError as error:
            errors.append(str(error))
    raise ValueError("; ".join(errors))


def of_parts(model: ClipModel, reports: dict[str, LoadReport]) -> LoadReport:
    """The report of the whole from those of the parts, by path, that were loaded."""
    whole = LoadReport(" and ".join(report.source for report in reports.values()))
    for path, report in reports.items():
        for kind in ("loaded", "reshaped", "missing", "unexpected"):
            getattr(whole, kind).extend(f"{path}.{key}" for key in getattr(report, kind))
    rest = [key for key in model.state_dict() if not key.startswith(tuple(f"{path}." for path in reports))]
    whole.dropped_head = [key for key in rest if key.startswith(f"{model.classifier}.")]
    whole.new = [key for key in rest if key not in whole.dropped_head]
    return whole


def load_state(model: ClipModel, state: dict[str, Tensor], source: str) -> LoadReport:
    """Fill `model` from tensors under any of the names they are published by; see `load_pretrained`."""
    state = under_our_names(state, model)
    own = model.state_dict()
    refuse_other_kinds(state, own, source)
    report = LoadReport(source, unexpected=[key for key in state if key not in own])
    fitted, wrong_shapes = {}, []
    # a network's own checkpoint has none of what a model adds to it; a checkpoint of the model has all
    absent = tuple(p for p in model.new_module_prefixes if not any(key.startswith(p) for key in state))
    for key, target in own.items():
        value = state.get(key)
        if value is not None and value.shape != target.shape:
            value = fit(model, key, value, target)
            report.reshaped.append(key)
        if value is not None and value.shape == target.shape:
            fitted[key] = value.to(target.dtype) if target.is_floating_point() else value
            report.loaded.append(key)
        elif key.startswith(model.classifier + "."):
            report.dropped_head.append(key)
        elif key in state:
            wrong_shapes.append(f"{key} ({tuple(state[key].shape)} in the checkpoint, {tuple(target.shape)} here)")
        elif absent and key.startswith(absent):
            report.new.append(key)
        else:
            report.missing.append(key)
    report.reshaped = [key for key in report.reshaped if key in fitted]
    report.dropped_head = drop_whole_head(model, report, fitted)
    if strange := [key for key in report.unexpected if key.startswith(model.new_module_prefixes)]:
        raise ValueError(
            f"{source} holds {listed(strange)}, which this {type(model).__name__} has not; {model.other_weights}"
        )
    refuse_misfits(model, state, report, wrong_shapes)
    refuse_non_finite(fitted, source)
    model.load_state_dict(own | fitted)
    return report


def fit(model: ClipModel, key: str, value: Tensor, target: Tensor) -> Tensor | None:
    """`value` at the model's clip size and channels, or None where its shape is no matter of these."""
    if key in {f"{path}.weight" for path in model.first_convs} and value.shape[2:] == target.shape[2:]:
        if (value.shape[1], target.shape[1]) == (3, 1):  # the same as showing it three equal channels
            return value.sum(dim=1, keepdim=True)
        if (value.shape[1], target.shape[1]) == (1, 3):
            return value.expand(-1, 3, *value.shape[2:]) / 3
        return None
    return model.resize_table(key, value) if value.ndim == target.ndim else None


def drop_whole_head(model: ClipModel, report: LoadReport, fitted: dict[str, Tensor]) -> list[str]:
    """A classifier is taken whole or not at all."""
    head = [key for key in model.state_dict() if key.startswith(model.classifier + ".")]
    if not report.dropped_head:
        return []
    for key in head:
        if fitted.pop(key, None) is not None:
            report.loaded.remove(key)
    return head


def refuse_misfits(model: ClipModel, state: dict[str, Tensor], report: LoadReport, wrong_shapes: list[str]) -> None:
    missing = [key for key in report.missing if not key.endswith("num_batches_tracked")]
    body = [key for key in report.loaded if not key.startswith(model.classifier + ".")]
    if not body:
        raise ValueError(
            f"{report.source} is no checkpoint of {type(model).__name__}: none of its {len(state)} tensors fits "
            f"({listed(list(state))})"
        )
    if missing or wrong_shapes:
        complaints = [f"missing: {listed(missing)}"] if missing else []
        complaints += [f"of another shape: {listed(wrong_shapes)}"] if wrong_shapes else []
        raise ValueError(f"{report.source} does not fit {type(model).__name__}; " + "; ".join(complaints))
