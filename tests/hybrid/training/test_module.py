import numpy as np
import pytest
import torch

from hybrid import create_model
from hybrid.data.loader import EpochSampler, InMemoryClips, evaluation_batches, training_batches
from hybrid.data.transforms import Normalisation, draw_view
from hybrid.device import choose_machine
from hybrid.errors import UserError


def test_an_epochs_order_is_a_function_of_seed_and_epoch():
    def order(seed, epoch):
        sampler = EpochSampler(20, seed)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert sorted(order(0, 0)) == list(range(20))
    assert order(0, 3) == order(0, 3)
    assert len({tuple(order(seed, epoch)) for seed in (0, 1) for epoch in (0, 1)}) == 4


def test_a_small_share_is_visited_again_and_again_and_seen_anew_each_time():
    clips, seen = np.array([7, 8, 9]), []
    loader = training_batches(clips, 2, seed=0, clips_an_epoch=8)
    for epoch in range(2):
        loader.sampler.set_epoch(epoch)
        seen += [(int(clip), int(visit)) for batch in loader for clip, visit in zip(*batch, strict=True)]
    assert len(seen) == len(set(seen)) == 16  # a view follows from clip and visit
    assert sorted(seen[:3]) == [(7, 0), (8, 0), (9, 0)] and {clip for clip, visit in seen if visit == 2} < {7, 8, 9}
    assert {visit for _, visit in seen[8:]} == {3, 4, 5}


def test_training_leaves_out_an_incomplete_batch_and_evaluation_nothing():
    clips = np.arange(100, 110)
    assert [len(batch[0]) for batch in training_batches(clips, 4, 0)] == [4, 4]
    assert [len(batch[0]) for batch in training_batches(clips, 32, 0)] == [10]
    assert [len(batch[0]) for batch in training_batches(clips[:3], 4, 0, clips_an_epoch=10)] == [4, 4]
    assert torch.cat([batch[0] for batch in evaluation_batches(clips, 4)]).tolist() == clips.tolist()


@pytest.mark.parametrize("channels", [1, 3])
def test_a_batch_is_the_clips_asked_for(channels, config_of):
    frames_NTHWC = np.random.default_rng(0).integers(0, 256, (5, 4, 16, 16, channels), dtype=np.uint8)
    clips = InMemoryClips(frames_NTHWC, Normalisation(mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3)))
    cpu = torch.device("cpu")
    batch = clips.batch(torch.tensor([3, 1]), cpu)
    mean, std = ([0.4, 0.5, 0.6], [0.2, 0.25, 0.3]) if channels == 3 else ([0.5], [0.25])
    expected = (frames_NTHWC[[3, 1]] / 255 - mean) / std
    np.testing.assert_allclose(batch.permute(0, 2, 3, 4, 1).numpy(), expected, atol=1e-5)

    augment = config_of().protocol.augment
    views = [draw_view(augment, clips.side, seed=1, epoch=2, clip=clip) for clip in (3, 1)]
    seen = clips.batch(torch.tensor([3, 1]), cpu, views)
    assert not torch.equal(seen, batch)
    # each clip by its own view, whatever batch it is in
    assert torch.equal(seen[1:], clips.batch(torch.tensor([1]), cpu, views[1:]))


@pytest.mark.parametrize("name", ["vgg16", "vit", "slowfast"])
def test_kernels_are_laid_out_in_2d_and_3d_and_compute_the_same(name):
    torch.manual_seed(0)
    model = create_model(name, "tiny").eval()
    clip_BCTHW = torch.randn(2, 3, 16, 64, 64)
    with torch.no_grad():
        before = model(clip_BCTHW)
        machine = choose_machine("cpu", "bf16-mixed")
        after = machine.to_channels_last(model)(clip_BCTHW)
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    kernels = [parameter for parameter in model.parameters() if parameter.ndim in formats]
    assert kernels and all(kernel.is_contiguous(memory_format=formats[kernel.ndim]) for kernel in kernels)


def test_the_rule_is_the_same_on_every_processor(monkeypatch):
    for there in (True, False):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda there=there: there, raising=False)
        assert choose_machine("cpu").precision == "32-true"


def test_the_machine_is_chosen_and_can_be_told():
    chosen = choose_machine("cpu")
    assert (chosen.device.type, chosen.precision, chosen.layout) == ("cpu", "32-true", "channels last")
    assert choose_machine("cpu", "bf16-mixed").layout == "channels last"
    told = choose_machine("cpu", "bf16-mixed")
    with told.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
    for accelerator, precision in (("tpu", "auto"), ("cpu", "16-tru")):
        with pytest.raises(UserError, match="must be one of"):
            choose_machine(accelerator, precision)
    with choose_machine("cpu", "32-true").autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
