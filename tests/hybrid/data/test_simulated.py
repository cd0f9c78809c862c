"""What the simulator writes beside a data set, as it is read back."""

import numpy as np

from hybrid.data.simulated import HEAD, MIDPIECE, SIMULATION, TAIL, TRUTH, is_simulated, mask_path, read_truth


def test_a_plain_data_set_has_no_truth(tmp_path):
    assert read_truth(tmp_path) is None and not is_simulated(tmp_path)
    (tmp_path / SIMULATION).write_text("{}")
    assert is_simulated(tmp_path)


def test_names_stay_text_and_what_is_absent_is_no_number(tmp_path):
    (tmp_path / TRUTH).write_text("clip,event,alh\n007,none,1.5\nNA,None,\n")
    truth = read_truth(tmp_path)
    assert list(truth.index) == ["007", "NA"] and list(truth["event"]) == ["none", "None"]
    np.testing.assert_array_equal(truth["alh"].to_numpy(), [1.5, np.nan])


def test_masks_lie_beside_the_clips_under_their_names(tmp_path):
    assert mask_path(tmp_path, "day 1/a.b.mkv") == tmp_path / "masks" / "day 1" / "a.b.npz"
    assert (HEAD, MIDPIECE, TAIL) == (1, 2, 3)
