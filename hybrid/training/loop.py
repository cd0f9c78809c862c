"""What every training here shares: Lightning's loop, repeatable to the last step, and the record of what it ran on."""

from __future__ import annotations

import logging
import os
import platform
import sys
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from hybrid import get_entry
from hybrid.config import AugmentConfig, TrainConfig
from hybrid.data.transforms import AugmentParams, draw_view
from hybrid.device import Machine, keep_freed_memory
from hybrid.errors import UserError
from hybrid.files import software_commit
from hybrid.training.checkpoint import save_tensors
from hybrid.training.finite import learning
from hybrid.training.lightning import pl

EPOCHS_OF_A_PROBE = 10
"""from one checkpoint to the next: written every epoch, they would take a seventh of its time"""


class RepeatableModule(pl.LightningModule):
    """Whatever is random in a step (augmentation, dropout, drop path) follows from (seed, epoch, step), so that a run
    continued from the checkpoint of an epoch ends with the numbers of a run that was never interrupted.
    """

    def __init__(self, seed: int, augment: AugmentConfig) -> None:
        super().__init__()
        # Plain: a node of OmegaConf takes longer to read than a clip to turn.
        self.seed, self.augment = seed, AugmentConfig(**augment)
        self.logged: list[dict[str, Tensor]] = []
        self.gradient_norms_P = torch.zeros(0)
        """of the last step, before they were clipped, of each parameter that learns; of none before the first"""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "_current_fx_name":
            # Lightning notes some thirty times a step which hook it is in, and torch would look first, for longer than
            # Lightning takes for the rest of it, whether that is a module or a parameter.
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def on_train_batch_start(self, batch: list[Tensor], step: int) -> None:
        # Every step, for whatever else draws numbers between them (a data loader does when it starts) then does not
        # matter. The rank keeps dropout different between the processes that share a step.
        seed = hash((self.seed, self.current_epoch, step, self.global_rank)) % 2**63
        # torch.manual_seed looks for devices of every kind, which takes half a millisecond where there are none.
        (torch.default_generator if self.device.type == "cpu" else torch).manual_seed(seed)

    def log_at_end(self, values: dict[str, Tensor | float]) -> None:
        """Log the mean of each over the steps of the epoch, whose batches are all of one size.

        Lightning would do so too, but takes a millisecond a step for it and knows the mean only at the end as well.
        """
        self.logged.append({name: torch.as_tensor(value).detach() for name, value in values.items()})
        if self.trainer.is_last_batch:
            means = {name: torch.stack([step[name] for step in self.logged]).mean() for name in values}
            self.log_dict(means, on_step=False, on_epoch=True, batch_size=1, sync_dist=True)
            self.logged.clear()

    def configure_gradient_clipping(self, optimizer, gradient_clip_val=None, gradient_clip_algorithm=None) -> None:
        # What Lightning does, in the same numbers; but the norms it needs are kept.
        gradients = [p.new_zeros(()) if p.grad is None else p.grad for p in learning(self).values()]
        self.gradient_norms_P = torch.stack([torch.linalg.vector_norm(gradient) for gradient in gradients])
        if gradient_clip_val:
            total = torch.linalg.vector_norm(self.gradient_norms_P)
            # A GPU would have to be waited for; elsewhere a factor of one need not go through all gradients.
            if self.device.type != "cpu" or not total + 1e-6 <= gradient_clip_val:
                torch.nn.utils.clip_grads_with_norm_(self.parameters(), gradient_clip_val, total)

    def views(self, clips_B: Tensor, visits_B: Tensor, side: int) -> list[AugmentParams]:
        """How each of these clips is seen on this visit."""
        numbers = zip(clips_B.tolist(), visits_B.tolist(), strict=True)
        return [draw_view(self.augment, side, self.seed, visit, clip) for clip, visit in numbers]


def make_trainer(
    config: TrainConfig, machine: Machine, folder: Path, *, epochs: int, callbacks: list, logger
) -> pl.Trainer:
    """Writes `last.ckpt` into the folder at the end of every epoch, of a probe every tenth, where its numbers are
    finite.
    """
    keep_freed_memory()
    if machine.device.type == "cpu":
        # Every step of an optimiser asks for GPUs, and NVML, Lightning's way, answers slowly.
        os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "0"
    checkpoint = pl.callbacks.ModelCheckpoint(
        folder,
        filename="last",
        every_n_epochs=EPOCHS_OF_A_PROBE if get_entry(config.model.name).family == "frozen" else 1,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    return pl.Trainer(
        accelerator=machine.device.type,
        devices=config.devices,
        num_nodes=config.num_nodes,
        precision=machine.precision,
        max_epochs=epochs,
        accumulate_grad_batches=config.protocol.accumulate,
        gradient_clip_val=config.model.recipe.clip_gradient,
        callbacks=[*callbacks, checkpoint],
        plugins=[WholeCheckpoints()],
        logger=logger or False,
        default_root_dir=folder,
        num_sanity_val_steps=0,
        sync_batchnorm=config.devices * config.num_nodes > 1 and machine.device.type == "cuda",
        use_distributed_sampler=False,  # ours knows of processes
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1,
    )


def environment_info(machine: Machine) -> dict[str, Any]:
    """The machine, the commit and the versions of what computes, for a result."""
    return {
        "machine": {
            "device": machine.name if machine.device.type == "cuda" else machine.device.type,
            "processor": machine.name if machine.device.type == "cpu" else None,
            "precision": machine.precision,
            "layout": machine.layout,
            "threads": torch.get_num_threads(),
            "platform": platform.platform(),
        },
        "commit": software_commit(),
        "versions": {name: version(name) for name in ("torch", "torchvision", "timm", "pytorch-lightning")},
    }


def quiet_libraries() -> None:
    """Lightning's hints (few workers, tensor cores, no logger) are not the user's to act on here."""
    for name in ("pytorch_lightning", "lightning_fabric", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"pytorch_lightning|lightning_fabric")
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    # Decoded clips are mapped from disk, read only; nothing writes into them.
    warnings.filterwarnings("ignore", message="The given NumPy array is not writable")


class WholeCheckpoints(pl.plugins.TorchCheckpointIO):
    """Lightning's own files, but each replaces the one before it only when it is whole and in place.

    Lightning writes into TMPDIR and moves; from another file system that copies over the only good one.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        if wrong := not_finite(checkpoint["state_dict"]):
            raise UserError(f"{path}: not written, for these weights are not finite: {', '.join(wrong)}")
        save_tensors(Path(path), checkpoint)


def to_continue_from(path: Path, module: nn.Module) -> Path | None:
    """The file, if a run of this module can continue from it. If not, a notice says why, and None: it starts anew."""
    if not path.exists():
        return None
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    except Exception as error:  # a damaged pickle can make the unpickler raise anything
        why = f"cannot be read ({type(error).__name__})"
    else:
        wrong, same = not_finite(weights), _shapes(weights) == _shapes(module.state_dict())
        if same and not wrong:
            return path
        why = f"holds weights that are not finite ({wrong[0]})" if same else "is of another model"
    print(f"note: {path} {why}: the run starts anew", file=sys.stderr)
    return None


def _shapes(weights: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in weights.items() if isinstance(value, Tensor)}


def not_finite(weights: dict[str, Any]) -> list[str]:
    """The names of those that are not."""
    return [name for name, value in weights.items() if isinstance(value, Tensor) and not value.isfinite().all()]
