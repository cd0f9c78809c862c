"""The pool: the simulator's clips as a data set would have them, longer on demand, never wrong."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hybrid.data.clip import ClipSpec
from hybrid.data.dataset import load_dataset
from hybrid.errors import UserError
from hybrid.pretraining.attributes import Attributes
from hybrid.pretraining.pool import GrowingEpochs, PoolClips, Request, missing, open_pool, pool_batches
from hybrid.simulator.dataset import simulate_dataset

ATTRIBUTES = Attributes("dense", 16, 16.0)


def test_a_longer_pool_begins_with_the_shorter_one(tmp_path, pool_root, request_made):
    whole = open_pool(pool_root, request_made, 6)
    open_pool(tmp_path, request_made, 2, workers=1)
    longer = open_pool(tmp_path, request_made, 6, workers=1)
    np.testing.assert_array_equal(longer.frames_NTHWC, whole.frames_NTHWC)
    np.testing.assert_array_equal(longer.values_NV, whole.values_NV)
    assert missing(tmp_path, request_made, 6) == 0 and missing(tmp_path, request_made, 7) == 1


def test_what_a_killed_program_began_is_made_again(tmp_path, pool_root, request_made):
    open_pool(tmp_path, request_made, 1, workers=1)
    with open(tmp_path / request_made.name / "frames.u8", "ab") as file:
        file.write(b"half a clip")
    with open(tmp_path / request_made.name / "values.f32", "ab") as file:
        file.write(b"half")
    resumed = open_pool(tmp_path, request_made, 2, workers=1)
    whole = open_pool(pool_root, request_made, 2)
    np.testing.assert_array_equal(resumed.frames_NTHWC, whole.frames_NTHWC)
    np.testing.assert_array_equal(resumed.values_NV, whole.values_NV)


def test_clips_that_went_missing_are_named(tmp_path, request_made):
    open_pool(tmp_path, request_made, 1, workers=1)
    with open(tmp_path / request_made.name / "frames.u8", "r+b") as file:
        file.truncate(1000)
    for number in (1, 2):
        with pytest.raises(UserError, match=request_made.name):
            open_pool(tmp_path, request_made, number, workers=1)


def test_its_clips_are_those_of_a_data_set_of_its_seed(tmp_path, pool_root, request_made):
    made = dict(seed=request_made.seed, preset=request_made.preset)
    root = simulate_dataset(tmp_path / "set", num_clips=2, workers=1, **made)
    dataset = load_dataset(root, request_made.spec)
    pool = open_pool(pool_root, request_made, 2)
    np.testing.assert_array_equal(dataset.frames_NTHWC, pool.frames_NTHWC)
    truth = pd.read_csv(root / "truth.csv")
    values = {name: pool.values_NV[:, column] for column, name in enumerate(ATTRIBUTES.names)}
    np.testing.assert_allclose(values["head_length"], truth["head_length"], rtol=1e-5)
    kinds = next(choice.classes for choice in ATTRIBUTES.choices if choice.name == "event")
    assert [kinds[int(code)] for code in values["class of event"]] == truth["event"].tolist()


def test_grey_clips_of_another_size(tmp_path, request_made):
    request = replace(request_made, spec=ClipSpec(num_frames=8, frame_rate=8, side=96, channels=1))
    pool = open_pool(tmp_path, request, 1, workers=1)
    assert pool.frames_NTHWC.shape == (1, 8, 96, 96, 1)
    assert pool.values_NV.shape == (1, len(Attributes("dense", 8, 8.0).names))
    assert request.name != request_made.name


@pytest.mark.parametrize("seed", [0, 999_999, -1])
def test_seeds_of_data_sets_are_refused(seed):
    with pytest.raises(UserError, match=f"data.seed must be 1000000 or more, not {seed}"):
        Request(seed, "standard", ClipSpec())


def order(clips, **changed) -> GrowingEpochs:
    return GrowingEpochs(clips, **{"first": 4, "grows": 2, "draws": 4, "seed": 0, "epochs": 3, **changed})


def of_epoch(epochs: GrowingEpochs, epoch: int) -> list[tuple[int, int]]:
    epochs.set_epoch(epoch)
    return epochs.drawn()


def test_every_epoch_has_what_is_new_and_some_of_what_was():
    drawn = [of_epoch(order(None), epoch) for epoch in range(3)]
    assert all(len(items) == len(set(items)) == 4 for items in drawn)
    clips = [{clip for clip, _ in items} for items in drawn]
    assert clips[0] == {0, 1, 2, 3} and clips[1] > {4, 5} and clips[2] > {6, 7}
    assert max(clips[1]) == 5 and max(clips[2]) == 7
    assert len({item for items in drawn for item in items}) == 12, "a visit of a clip is shown once"


def test_clips_that_are_all_new_are_a_stream():
    drawn = [of_epoch(order(None, grows=4), epoch) for epoch in range(3)]
    assert [sorted(clip for clip, _ in items) for items in drawn] == [list(range(e * 4, e * 4 + 4)) for e in range(3)]


def test_few_clips_are_shown_again_and_again_in_an_epoch():
    drawn = [item for epoch in range(2) for item in of_epoch(order(None, grows=0, draws=10), epoch)]
    assert len(set(drawn)) == 20 and {clip for clip, _ in drawn} == {0, 1, 2, 3}


def test_the_order_follows_from_seed_and_epoch():
    assert of_epoch(order(None), 1) == of_epoch(order(None), 1)
    assert of_epoch(order(None), 1) != of_epoch(order(None, seed=1), 1) != of_epoch(order(None, seed=1), 2)


def test_the_pool_grows_while_it_is_learned_from(tmp_path, pool_root, request_made):
    whole = open_pool(pool_root, request_made, 6)
    clips = PoolClips(tmp_path, request_made, 2, ATTRIBUTES, workers=1)
    batches = pool_batches(order(clips, first=2, draws=4, epochs=3), 2)
    for epoch in range(3):
        batches.sampler.set_epoch(epoch)
        shown = list(batches)
        for clips_B, _, frames_BTHWC, values_BV in shown:
            for clip, frames_THWC, values_V in zip(clips_B.tolist(), frames_BTHWC, values_BV, strict=True):
                assert clip < 2 + 2 * epoch
                np.testing.assert_array_equal(frames_THWC, whole.frames_NTHWC[clip])
                np.testing.assert_array_equal(values_V, whole.values_NV[clip])
        assert len(shown) == 2 and len(clips) == 2 + 2 * epoch
    assert clips.growing is not None and missing(tmp_path, request_made, 6) == 0
    clips.growing.join()
    assert missing(tmp_path, request_made, 7) == 1, "no more than was asked for"
