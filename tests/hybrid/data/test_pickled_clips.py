"""Pickles of clips: what is in them arrives, and what is hostile in them does nothing."""

import os
import pickle

import numpy as np
import pytest

from hybrid.data.clip import ClipSpec
from hybrid.data.dataset import load_dataset
from hybrid.data.labels import read_labels
from hybrid.data.pickled_clips import import_pickles
from hybrid.data.unpickling import read_pickle
from hybrid.errors import UserError


@pytest.fixture
def pickled(tmp_path):
    """Writes pickles of these dictionaries; gives their paths."""

    def write(protocol=pickle.DEFAULT_PROTOCOL, **values):
        for name, value in values.items():
            (tmp_path / f"{name}.pkl").write_bytes(pickle.dumps(value, protocol))
        return [tmp_path / f"{name}.pkl" for name in values]

    return write


def three(channels=3, **changes):
    rng = np.random.default_rng(0)
    values = {
        "grades": {7: np.float32([0.1, 0.2, 0.3, 0.4, 0]), "b": [1, 0, 0, 0, 0]},
        "clips": {key: rng.integers(0, 256, (16, 64, 64, channels), dtype=np.uint8) for key in (7, "b")},
        "paths": {7: r"patient 1\a.avi", "b": "patient 2/b.avi"},
    }
    return values | changes


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "array",
    [
        np.arange(24, dtype="u1").reshape(2, 3, 4),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(3, dtype=">f4"),
        np.arange(3, dtype="f2")[::2],
        np.array([True, False]),
        np.zeros((0, 2), "i8"),
        np.array(2.5),
    ],
    ids=str,
)
def test_arrays_of_every_protocol_are_read_as_they_were(array, protocol, tmp_path):
    (tmp_path / "x.pkl").write_bytes(pickle.dumps({"a": array, 1: [array.ravel()[:1].sum(), "text"]}, protocol))
    found = read_pickle(tmp_path / "x.pkl")
    assert found["a"].dtype == array.dtype and np.array_equal(found["a"], array) and found["a"].shape == array.shape
    assert found[1] == [array.ravel()[:1].sum(), "text"]


def test_the_name_numpy_had_before_2_is_known_too(tmp_path):
    new = pickle.dumps(np.arange(3), 2)
    assert b"numpy._core.multiarray" in new
    (tmp_path / "x.pkl").write_bytes(new.replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    assert read_pickle(tmp_path / "x.pkl").tolist() == [0, 1, 2]


class Calls:
    """A pickle that calls something when it is read."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


class Instance:
    pass


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_code_is_not_run(protocol, tmp_path):
    for call in (
        Calls(os.mkdir, str(tmp_path / "ran")),
        Calls(eval, f"__import__('os').mkdir({str(tmp_path / 'ran')!r})"),
    ):
        (tmp_path / "x.pkl").write_bytes(pickle.dumps({"a": [call]}, protocol))
        with pytest.raises(
            UserError, match=r"x.pkl: .* asks for (posix|nt|builtins|__builtin__)\.(mkdir|eval), which could"
        ):
            read_pickle(tmp_path / "x.pkl")
        assert not (tmp_path / "ran").exists()
        pickle.loads((tmp_path / "x.pkl").read_bytes())
        (tmp_path / "ran").rmdir()  # the same pickle would have run


def lying_array(dtype: bytes, state: bytes) -> bytes:
    """An array of one item whose dtype has another state than its name says."""
    return (
        b"cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntC\x01btR(I1\n(I1\nt"
        b"cnumpy\ndtype\n(S'" + dtype + b"'\nI0\nI1\ntR(" + state + b"tbI00\nC\x08AAAAAAAAtb."
    )


@pytest.mark.parametrize(
    "content, complaint",
    [
        (pickle.dumps(np.array([{}, None], dtype=object)), "array of 'O8'"),
        (pickle.dumps(np.zeros(2, [("a", "i4")])), "array of 'V4'"),
        (pickle.dumps(np.array(["text"])), "array of 'U4'"),
        (pickle.dumps({1: Instance()}), "asks for .*Instance"),
        (pickle.dumps({1: np.ma.zeros(2)}), "asks for numpy.ma"),
        (pickle.dumps({1: {2}}), "holds a set"),
        (pickle.dumps({1: 1 + 2j}), "asks for .*complex"),
        (lying_array(b"i8", b"I3\nS'<'\nNNNI-1\nI-1\nI0\n").replace(b"I1\n(I1\nt", b"I1\n(I9\nt"), "shape .9,. in 8"),
        (lying_array(b"i8", b"I3\nS'<'\n(S'a'\nt}NI8\nI1\nI63\n"), "array of records"),
        (b"cnumpy\nndarray\n(I9999999999\ntR.", "takes no arguments"),
        (b"cnumpy\nndarray\n)R.", "array without its numbers"),
        (b"cnumpy\nndarray\n.", "holds a type"),
        (b"(lp0\ng0\na.", "hold themselves"),
        (b"", "Ran out of input"),
        (b"not a pickle", "no pickle of numpy arrays"),
        (pickle.dumps({1: 2})[:-3], "no pickle of numpy arrays"),
        (pickle.dumps({1: 2}) + b"more", "something follows"),
        (b"P12\n.", "persistent"),
    ],
)  # fmt: skip
def test_what_is_damaged_or_more_than_arrays_is_one_clear_message(content, complaint, tmp_path):
    (tmp_path / "x.pkl").write_bytes(content)
    with pytest.raises(UserError, match=complaint) as error:
        read_pickle(tmp_path / "x.pkl")
    assert "x.pkl" in str(error.value) and "\n" not in str(error.value)


def test_a_small_file_that_unfolds_without_end_is_gone_through_once(tmp_path):
    lists = []
    for _ in range(50):
        lists = [lists] * 10
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(lists))
    read_pickle(tmp_path / "x.pkl")


@pytest.mark.parametrize("channels", [1, 3])
def test_a_data_set_holds_what_the_pickles_held(channels, pickled, tmp_path):
    values = three(channels)
    grades, clips, paths = pickled(**values)
    root = import_pickles(grades, clips, tmp_path / "mine", paths, group_by_folder=True)
    labels = read_labels(root)
    assert labels.clips == ("7.mkv", "b.mkv") and labels.groups == ("patient 1", "patient 2")
    np.testing.assert_allclose(labels.targets_NK, [[0.1, 0.2, 0.3, 0.4, 0], [1, 0, 0, 0, 0]], rtol=1e-6)
    dataset = load_dataset(root, ClipSpec(16, 16.0, 64, channels))
    for found, key in zip(dataset.frames_NTHWC, values["clips"], strict=True):
        assert np.array_equal(found, values["clips"][key])
    assert (root / "origins.csv").read_text() == "clip,path\n7.mkv,patient 1/a.avi\nb.mkv,patient 2/b.avi\n"
    with pytest.raises(UserError, match="mine exists and is not empty"):
        import_pickles(grades, clips, root)


@pytest.mark.parametrize(
    "changes, complaint",
    [
        ({"grades": {7: [1, 0]}}, "grades lacks 'b', which that of clips has"),
        ({"grades": {7: [0.5, 0.1], "b": [1, 0]}}, "clip 7: fractions that sum to 0.6"),
        ({"grades": {7: [1, 0], "b": [1, 0, 0]}}, "clip 7 has 2, clip 'b' has 3"),
        ({"grades": {7: [1, float("nan")], "b": [1, -1]}}, "2 problems(.|\n)*1.0, nan. are no votes(.|\n)*clip 'b'"),
        ({"grades": {7: "AB", "b": [[1], [2]]}}, "clip 7: no list of numbers(.|\n)*clip 'b': no list"),
        ({"grades": [1, 2]}, "grades.pkl: holds a list, not a dictionary"),
        ({"clips": {}}, "clips.pkl: holds nothing"),
        ({"clips": {7: np.zeros((16, 64, 64, 3)), "b": np.zeros((1, 64, 64, 3), "u1")}},
         "clip 7: float64, not an array of uint8(.|\n)*clip 'b': of shape .1, 64"),
        ({"paths": {7: "a.avi", "b": None}}, "path of clip 7: 'a.avi' names no folder(.|\n)*clip 'b': a NoneType"),
    ],
)  # fmt: skip
def test_all_that_is_wrong_is_listed_and_nothing_is_written(changes, complaint, pickled, tmp_path):
    grades, clips, paths = pickled(**three(**changes))
    with pytest.raises(UserError, match=complaint):
        import_pickles(grades, clips, tmp_path / "mine", paths, group_by_folder=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clips.pkl", "grades.pkl", "paths.pkl"]


@pytest.mark.parametrize(
    "ids, complaint",
    [
        (("../x", "y"), "'../x' cannot be"),
        ((1, "1"), "would be one file"),
        (("a", "A"), "one file"),
        ((1.5, 2), "1.5 is neither"),
    ],
)
def test_ids_become_names_of_files_or_are_refused(ids, complaint, pickled, tmp_path):
    clip = np.zeros((2, 8, 8, 1), "u1")
    grades, clips = pickled(grades={key: [1, 0] for key in ids}, clips=dict.fromkeys(ids, clip))
    with pytest.raises(UserError, match=complaint):
        import_pickles(grades, clips, tmp_path / "mine")


def test_settings_that_make_no_sense_are_refused(pickled, tmp_path):
    grades, clips, _ = pickled(**three())
    with pytest.raises(UserError, match="frame rate must be above 0"):
        import_pickles(grades, clips, tmp_path / "mine", frame_rate=0)
    with pytest.raises(UserError, match="pickle of paths, which was not given"):
        import_pickles(grades, clips, tmp_path / "mine", group_by_folder=True)
    with pytest.raises(UserError, match="none.pkl cannot be read"):
        import_pickles(tmp_path / "none.pkl", clips, tmp_path / "mine")
