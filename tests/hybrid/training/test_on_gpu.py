"""On a GPU: the same numbers, from clips that lie there, and no step waits for it; what can be asked without, is."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from hybrid import create_model, get_entry, list_models
from hybrid.data.loader import InMemoryClips
from hybrid.data.transforms import IDENTITY, Normalisation
from hybrid.device import choose_machine
from hybrid.errors import UserError
from hybrid.experiment.prepare import prepare
from hybrid.folders import run_folder
from hybrid.training.build import build_model
from hybrid.training.finite import StopAtNonFinite
from hybrid.training.gradient_check import TOLERANCE, compare_gradients
from hybrid.training.module import GradeModule
from hybrid.training.run import train_run

FRAMES_NTHWC = np.random.default_rng(0).integers(0, 256, (4, 16, 64, 64, 3), dtype=np.uint8)
BATCH = [torch.tensor([2, 0, 3]), torch.tensor([5, 5, 5])]
"""numbers of clips, and which visit each is"""


def resident_clips(name: str, used: range | None = None) -> InMemoryClips:
    return InMemoryClips(FRAMES_NTHWC, Normalisation(get_entry(name).mean, get_entry(name).std, "clip"), used)


def module_of(name: str, config_of) -> GradeModule:
    config = config_of(f"model={name}")
    torch.manual_seed(0)
    model = build_model(config, 5)
    module = GradeModule(model, resident_clips(name, model.used_frames(16)), torch.full((4, 5), 0.2), config, seed=0)
    module.log_at_end = lambda values: None  # which is the trainer's, as its optimiser is
    module.optimizers = lambda: SimpleNamespace(param_groups=[{"lr": 0.1}])
    return module


def whole_step(module: GradeModule, batch: list[torch.Tensor]) -> torch.Tensor:
    loss = module.training_step(module.transfer_batch_to_device(batch, module.device, 0), 0)
    loss.backward()
    module.configure_gradient_clipping(None, 1.0)
    return loss


@pytest.mark.parametrize("name", list_models())
def test_no_step_reads_a_number_from_the_device(name, config_of):
    """Of torch's device 'meta' nobody can: it has shapes alone."""
    module = module_of(name, config_of).to("meta").train()
    module.clips.on_device = torch.from_numpy(FRAMES_NTHWC).to("meta")
    assert whole_step(module, BATCH).is_meta and module.gradient_norms_P.is_meta
    with pytest.raises((RuntimeError, NotImplementedError)):
        whole_step(module, [numbers.to("meta") for numbers in BATCH])


def test_a_step_on_a_gpu_is_looked_at_a_step_later():
    recipe = SimpleNamespace(learning_rate=1e-3, clip_gradient=1.0)
    module = SimpleNamespace(
        device=torch.device("cuda"),
        gradient_norms_P=torch.ones(1),
        named_parameters=lambda: [("weight", torch.nn.Parameter(torch.ones(2)))],
        config=SimpleNamespace(model=SimpleNamespace(recipe=recipe)),
    )
    trainer, watching = SimpleNamespace(current_epoch=3, precision="32-true"), StopAtNonFinite("a run", str)
    for number, loss in enumerate((0.5, float("nan"), 0.5)):
        watching.on_train_batch_start(trainer, module, BATCH, number)
        watching.on_train_batch_end(trainer, module, {"loss": torch.tensor(loss)}, BATCH, number)
    with pytest.raises(UserError, match="epoch 3, step 1"):
        watching.on_train_batch_start(trainer, module, BATCH, 3)
    watching.on_train_batch_end(trainer, module, {"loss": torch.tensor(float("inf"))}, BATCH, 9)
    with pytest.raises(UserError, match="epoch 3, step 9"):  # the last is not left out
        watching.on_validation_start(trainer, module)


@pytest.mark.cuda
def test_clips_are_kept_on_the_gpu_and_seen_there_as_here(config_of):
    here, there = module_of("slowfast", config_of), module_of("slowfast", config_of).to("cuda")
    there.on_fit_start()
    assert there.clips.on_device.is_cuda
    views = here.views(*BATCH, side=64)
    assert views != [IDENTITY] * 3
    shown = [module.clips.batch(BATCH[0], module.device, views).cpu() for module in (here, there)]
    assert_close(*shown)


@pytest.mark.cuda
@pytest.mark.parametrize("name", list_models())
def test_no_step_waits_for_the_gpu(name, config_of):
    module = module_of(name, config_of).to("cuda").train()
    module.on_fit_start()
    whole_step(module, BATCH)  # libraries choose their kernels
    torch.cuda.set_sync_debug_mode("error")
    try:
        whole_step(module, BATCH)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.cuda
@pytest.mark.parametrize("name", list_models())
def test_a_gpu_says_what_the_cpu_says(name, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    torch.manual_seed(0)
    model, clip_BCTHW = create_model(name, "tiny").eval(), torch.randn(2, 3, 16, 64, 64)
    with torch.no_grad():
        assert_close(model(clip_BCTHW), model.to("cuda")(clip_BCTHW.to("cuda")).cpu(), rtol=1e-3, atol=1e-4)


@pytest.mark.cuda
@pytest.mark.parametrize("name", ["r3d", "swin", "vivit", "hybrid"])
def test_gradients_in_half_precision_are_right(name):
    machine = choose_machine("gpu")
    assert machine.reduced is not None
    net = machine.to_channels_last(create_model(name, "tiny").to("cuda")).train()
    found = compare_gradients(net, torch.randn(4, 3, 16, 64, 64, device="cuda"), machine)
    assert len(found) > 5 and found[0].error < TOLERANCE, found[0]


@pytest.mark.cuda
def test_a_run_on_a_gpu_ends_near_that_on_the_cpu(config_of):
    errors = {}
    for accelerator in ("cpu", "gpu"):
        words = (f"accelerator={accelerator}", f"experiment={accelerator}", "protocol.precision=32-true")
        config = config_of("model=slowfast", *words)
        dataset, folds_RN = prepare(config)
        errors[accelerator] = train_run(config, dataset, folds_RN[0])["metrics"]["mse"]
        assert run_folder(config).done
    assert errors["gpu"] == pytest.approx(errors["cpu"], rel=0.05)
