import numpy as np
import pytest
import torch
from torch import nn

from hybrid import create_model
from hybrid.errors import UserError
from hybrid.training.batches import EpochSampler, ResidentClips, evaluation_batches, training_batches
from hybrid.training.machine import choose_machine
from hybrid.training.module import GradeModule, distribution_mse


def test_the_loss_is_the_papers():
    logits_BK = torch.randn(7, 5)
    targets_BK = torch.rand(7, 5).softmax(-1)
    expected = np.mean((logits_BK.double().softmax(-1).numpy() - targets_BK.double().numpy()) ** 2)
    assert float(distribution_mse(logits_BK, targets_BK)) == pytest.approx(expected, rel=1e-5)


def test_the_loss_is_taken_in_float32():
    assert distribution_mse(torch.randn(2, 5).bfloat16(), torch.full((2, 5), 0.2)).dtype == torch.float32


def test_frozen_batch_norm_keeps_its_statistics(config_of):
    model = nn.Sequential(nn.Conv3d(3, 4, 1), nn.BatchNorm3d(4), nn.Dropout())
    for pretrained, asked, frozen in (("none", True, False), ("official", False, False), ("official", True, True)):
        config = config_of(f"model.recipe.frozen_batch_norm={asked}", f"model.pretrained={pretrained}")
        module = GradeModule(model, None, torch.zeros(1, 5), config, seed=0).train()
        assert model[1].training is not frozen
        assert model[2].training
        assert not module.eval().model[1].training


def test_an_epochs_order_is_a_function_of_seed_and_epoch():
    def order(seed, epoch):
        sampler = EpochSampler(20, seed)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert sorted(order(0, 0)) == list(range(20))
    assert order(0, 3) == order(0, 3)
    assert len({tuple(order(seed, epoch)) for seed in (0, 1) for epoch in (0, 1)}) == 4


def test_training_leaves_out_an_incomplete_batch_and_evaluation_nothing():
    clips = np.arange(100, 110)
    assert [len(batch[0]) for batch in training_batches(clips, 4, 0)] == [4, 4]
    assert [len(batch[0]) for batch in training_batches(clips, 32, 0)] == [10]
    assert torch.cat([batch[0] for batch in evaluation_batches(clips, 4)]).tolist() == clips.tolist()


@pytest.mark.parametrize("channels", [1, 3])
def test_a_batch_is_the_clips_asked_for(channels, config_of):
    frames_NTHWC = np.random.default_rng(0).integers(0, 256, (5, 4, 16, 16, channels), dtype=np.uint8)
    clips = ResidentClips(frames_NTHWC, mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3))
    cpu = torch.device("cpu")
    batch = clips.batch(torch.tensor([3, 1]), cpu)
    mean, std = ([0.4, 0.5, 0.6], [0.2, 0.25, 0.3]) if channels == 3 else ([0.5], [0.25])
    expected = (frames_NTHWC[[3, 1]] / 255 - mean) / std
    np.testing.assert_allclose(batch.permute(0, 2, 3, 4, 1).numpy(), expected, atol=1e-5)

    augment = config_of().protocol.augment
    one, again = (clips.batch(torch.tensor([3, 1]), cpu, augment, seed=1, epoch=2) for _ in range(2))
    assert torch.equal(one, again)
    assert not torch.equal(one, clips.batch(torch.tensor([3, 1]), cpu, augment, seed=1, epoch=3))
    # a clip's view does not depend on the batch it is in
    assert torch.equal(one[1:], clips.batch(torch.tensor([1]), cpu, augment, seed=1, epoch=2))


@pytest.mark.parametrize("name", ["vgg16", "vit", "slowfast"])
def test_kernels_are_laid_out_in_2d_and_3d_and_compute_the_same(name):
    torch.manual_seed(0)
    model = create_model(name, "tiny").eval()
    clip_BCTHW = torch.randn(2, 3, 16, 64, 64)
    with torch.no_grad():
        before = model(clip_BCTHW)
        machine = choose_machine("cpu", "bf16-mixed")
        after = machine.lay_out(model)(clip_BCTHW)
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    kernels = [parameter for parameter in model.parameters() if parameter.ndim in formats]
    assert kernels and all(kernel.is_contiguous(memory_format=formats[kernel.ndim]) for kernel in kernels)


def test_the_machine_is_chosen_and_can_be_told():
    chosen = choose_machine("cpu")
    assert chosen.device.type == "cpu" and chosen.precision in ("32-true", "bf16-mixed")
    told = choose_machine("cpu", "bf16-mixed")
    with told.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
    for accelerator, precision in (("tpu", "auto"), ("cpu", "16-tru")):
        with pytest.raises(UserError, match="must be one of"):
            choose_machine(accelerator, precision)
    with choose_machine("cpu", "32-true").autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
