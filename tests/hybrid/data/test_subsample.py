import numpy as np
import pytest

from hybrid.data.folds import subsample
from hybrid.errors import UserError

SHARES = (0.12, 0.25, 0.5, 1.0)
GROUPS = [f"donor{n % 20:02d}" for n in range(300)]
CLIPS = np.flatnonzero(np.arange(300) % 7 != 2)


@pytest.mark.parametrize("groups", [None, GROUPS])
@pytest.mark.parametrize("seed", [0, (0, 1, 2)])
def test_smaller_shares_lie_inside_larger_ones(groups, seed):
    taken = [set(subsample(CLIPS, groups, share, seed)) for share in SHARES]
    assert [len(clips) for clips in taken] == [round(share * len(CLIPS)) for share in SHARES]
    assert all(small < large for small, large in zip(taken, taken[1:], strict=False))
    assert taken[-1] == set(CLIPS)


def test_whole_groups_are_taken_but_for_the_last():
    taken = subsample(CLIPS, GROUPS, 0.25, seed=0)
    parts = []
    for group in set(GROUPS):
        of_group = {clip for clip in CLIPS if GROUPS[clip] == group}
        parts.append(len(of_group & set(taken)) / len(of_group))
    assert sum(0 < part < 1 for part in parts) <= 1
    assert 0.2 <= np.mean([part > 0 for part in parts]) <= 0.35


@pytest.mark.parametrize("groups", [None, GROUPS])
def test_it_follows_from_the_seed(groups):
    one, again, other = (set(subsample(CLIPS, groups, 0.25, seed)) for seed in (1, 1, 2))
    assert one == again != other


def test_too_little_is_refused():
    with pytest.raises(UserError, match="model.recipe.train_share=0.05 of 20 training clips leaves 1; 2 or more"):
        subsample(np.arange(20), None, 0.05, 0)
