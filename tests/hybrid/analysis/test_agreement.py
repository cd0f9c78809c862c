import numpy as np
import pytest

from hybrid.analysis.agreement import agreement


def test_agreement_is_of_ranks_clip_by_clip():
    a_NT = np.array([[1, 2, 3, 4], [1, 2, 3, 4], [1.0, 3, 2, 4], [2, 2, 2, 2]])
    b_NT = np.array([[1, 10, 100, 1000], [4, 3, 2, 1], [1, 2, 3, 4], [1, 2, 3, 4]])
    found = agreement({"receptive field": a_NT, "occlusion": b_NT, "gradients": b_NT})
    assert list(found) == [
        ("receptive field", "occlusion"),
        ("receptive field", "gradients"),
        ("occlusion", "gradients"),
    ]
    # one exchange of neighbours: 1 - 6 * 2 / (4 * 15)
    np.testing.assert_allclose(found["receptive field", "occlusion"], [1, -1, 0.8, np.nan])
    np.testing.assert_allclose(found["occlusion", "gradients"], 1)


def test_agreement_wants_the_same_frames():
    with pytest.raises(ValueError, match="same clips and frames"):
        agreement({"a": np.zeros((2, 16)), "b": np.zeros((2, 8))})
