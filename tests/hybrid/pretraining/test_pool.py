"""The pool: the simulator's clips as a data set would have them, longer on demand, never wrong."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from torch.utils.data import default_collate

from hybrid.data.clip import ClipSpec
from hybrid.data.dataset import load_dataset
from hybrid.errors import UserError
from hybrid.pretraining.attributes import Attributes
from hybrid.pretraining.pool import EndlessClips, InOrder, PoolClips, Request, missing, open_pool, pool_batches
from hybrid.simulator import simulate_dataset

ATTRIBUTES = Attributes("physics+events", 16, 16.0)


def test_a_longer_pool_begins_with_the_shorter_one(tmp_path, pool_root, request_made):
    whole = open_pool(pool_root, request_made, 6)
    open_pool(tmp_path, request_made, 2, workers=1)
    longer = open_pool(tmp_path, request_made, 6, workers=1)
    np.testing.assert_array_equal(longer.frames_NTHWC, whole.frames_NTHWC)
    pd.testing.assert_frame_equal(longer.known, whole.known)
    assert missing(tmp_path, request_made, 6) == 0 and missing(tmp_path, request_made, 7) == 1


def test_what_a_killed_program_began_is_made_again(tmp_path, pool_root, request_made):
    open_pool(tmp_path, request_made, 1, workers=1)
    with open(tmp_path / request_made.name / "frames.u8", "ab") as file:
        file.write(b"half a clip")
    resumed = open_pool(tmp_path, request_made, 2, workers=1)
    np.testing.assert_array_equal(resumed.frames_NTHWC, open_pool(pool_root, request_made, 2).frames_NTHWC)


def test_clips_that_went_missing_are_named(tmp_path, request_made):
    open_pool(tmp_path, request_made, 1, workers=1)
    with open(tmp_path / request_made.name / "frames.u8", "r+b") as file:
        file.truncate(1000)
    for number in (1, 2):
        with pytest.raises(UserError, match=request_made.name):
            open_pool(tmp_path, request_made, number, workers=1)


def test_its_clips_are_those_of_a_data_set_of_its_seed(tmp_path, pool_root, request_made):
    root = simulate_dataset(tmp_path / "set", num_clips=2, seed=request_made.seed, workers=1)
    dataset = load_dataset(root, request_made.spec)
    pool = open_pool(pool_root, request_made, 2)
    np.testing.assert_array_equal(dataset.frames_NTHWC, pool.frames_NTHWC)
    truth = pd.read_csv(root / "truth.csv")
    np.testing.assert_allclose(pool.known["head_length"], truth["head_length"], rtol=1e-5)
    assert pool.known["event"].tolist() == truth["event"].tolist()


def test_grey_clips_of_another_size(tmp_path, request_made):
    request = replace(request_made, spec=ClipSpec(num_frames=8, frame_rate=8, side=96, channels=1))
    pool = open_pool(tmp_path, request, 1, workers=1)
    assert pool.frames_NTHWC.shape == (1, 8, 96, 96, 1) and "dx7" in pool.known and "dx8" not in pool.known
    assert request.name != request_made.name


@pytest.mark.parametrize("seed", [0, 999_999, -1])
def test_seeds_of_data_sets_are_refused(seed):
    with pytest.raises(UserError, match=f"data.seed must be 1000000 or more, not {seed}"):
        Request(seed, "standard", ClipSpec())


def test_the_endless_clips_are_the_pools(pool_root, request_made):
    pool = PoolClips(open_pool(pool_root, request_made, 3), ATTRIBUTES)
    number, visit, frames_THWC, values_V = EndlessClips(request_made, ATTRIBUTES)[2]
    assert (number, visit) == (2, 0)
    np.testing.assert_array_equal(frames_THWC, pool[2][2])
    np.testing.assert_array_equal(values_V, pool[2][3])
    assert pool[2 + 3 * 5][:2] == (2, 5)  # the same clip, when the pool was gone through five times


def test_the_endless_order_goes_on_from_epoch_to_epoch():
    sampler, items = InOrder(4), []
    for epoch in range(3):
        sampler.set_epoch(epoch)
        items += list(sampler)
    assert items == list(range(12))


def test_every_batch_follows_from_seed_and_epoch(pool_root, request_made):
    clips = PoolClips(open_pool(pool_root, request_made, 8), ATTRIBUTES)

    def numbers(seed, epoch):
        loader = pool_batches(clips, 4, seed, clips_an_epoch=12)
        loader.sampler.set_epoch(epoch)
        batches = list(loader)
        assert [len(batch[0]) for batch in batches] == [4, 4, 4]
        assert batches[0][2].shape == (4, 16, 64, 64, 3)
        np.testing.assert_array_equal(batches[0][3][0], default_collate([clips.values_NV[batches[0][0][0]]])[0])
        return [item for batch in batches for item in zip(batch[0].tolist(), batch[1].tolist(), strict=True)]

    assert numbers(0, 1) == numbers(0, 1) != numbers(1, 1)
    seen = numbers(0, 0) + numbers(0, 1)
    assert len(set(seen)) == len(seen) == 24
