"""A clip that was encoded anew is found; other clips of the same microscope are not."""

from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest
from support import ROOT, quick_overrides

from hybrid.config import register_schemas
from hybrid.data import near_duplicates as of_near_duplicates
from hybrid.data.cache import decode_clips
from hybrid.data.clip import ClipSpec
from hybrid.data.near_duplicates import AT_ONCE, VERSION, kept_near_duplicates, near_duplicates, split_twins
from hybrid.data.video import decode_clip
from hybrid.experiment.benchmark import check_all
from hybrid.experiment.hydra_jobs import composed
from hybrid.simulator.dataset import simulate_dataset

SPEC = ClipSpec(16, 16, 64, 3)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    return simulate_dataset(tmp_path_factory.mktemp("simulated") / "set", num_clips=16, workers=1)


def encoded_anew(path, out, codec, pix_fmt, options, side=None):
    """The same pictures in another file."""
    with av.open(str(path)) as old, av.open(str(out), "w") as new:
        stream = new.add_stream(codec, rate=16, options=options)
        stream.width = stream.height = side or old.streams.video[0].width
        stream.pix_fmt = pix_fmt
        for number, image in enumerate(old.decode(video=0)):
            frame = image.reformat(stream.width, stream.height, pix_fmt)
            frame.pts, frame.time_base = number, Fraction(1, 16)
            new.mux(stream.encode(frame))
        new.mux(stream.encode())
    return out


WAYS = {
    "again.mp4": ("libx264", "yuv420p", {"crf": "23"}, None),
    "jpeg.avi": ("mjpeg", "yuvj420p", {}, None),
    "smaller.mkv": ("ffv1", "gray", {}, 100),
}


@pytest.mark.parametrize("name", WAYS)
def test_a_clip_that_was_encoded_anew_is_found_and_no_other(name, simulated, tmp_path):
    paths = sorted((simulated / "clips").iterdir())
    paths.append(encoded_anew(paths[5], tmp_path / name, *WAYS[name]))
    frames_NTHWC = np.stack([decode_clip(path, SPEC).frames_THWC for path in paths])
    assert near_duplicates(frames_NTHWC, list(map(str, paths))).tolist() == [[5, 16]]
    brighter_NTHWC = np.minimum(frames_NTHWC[:16] * 1.2, 255).astype(np.uint8)
    both = np.concatenate([frames_NTHWC[:16], brighter_NTHWC])
    assert near_duplicates(both, list(map(str, range(32)))).tolist() == [[n, n + 16] for n in range(16)]
    assert near_duplicates(both, ["the same"] * 32).tolist() == []


def test_clips_in_which_nothing_moves_are_like_none():
    assert near_duplicates(np.full((3, 8, 32, 32, 1), 90, np.uint8), "abc").tolist() == []
    assert near_duplicates(np.empty((0, 8, 32, 32, 1), np.uint8), "").tolist() == []


def test_pairs_are_found_across_what_is_compared_at_a_time():
    some_NTHWC = np.random.default_rng(0).integers(0, 255, (AT_ONCE + 9, 4, 8, 8, 1), np.uint8)
    frames_NTHWC = np.concatenate([some_NTHWC, some_NTHWC[[3, AT_ONCE + 1]]])
    pairs_P2 = near_duplicates(frames_NTHWC, list(map(str, range(AT_ONCE + 11))))
    assert pairs_P2.tolist() == [[3, AT_ONCE + 9], [AT_ONCE + 1, AT_ONCE + 10]]


def test_what_was_compared_is_kept_beside_the_frames(simulated, tmp_path, monkeypatch):
    path = encoded_anew(simulated / "clips" / "clip00003.mp4", tmp_path / "again.mp4", *WAYS["again.mp4"])
    paths = [*sorted((simulated / "clips").iterdir()), path]
    clips = decode_clips(paths, SPEC, tmp_path / "kept")

    def found():
        return kept_near_duplicates(clips.frames_NTHWC, clips.digests).tolist()

    assert found() == [[3, 16]]
    (kept,) = (tmp_path / "kept").glob("*.alike*")
    for damaged in (b"", kept.read_bytes()[:-3], b"of other clips"):
        kept.write_bytes(damaged)
        assert found() == [[3, 16]]
    monkeypatch.setattr(of_near_duplicates, "near_duplicates", None)  # nothing is compared again
    assert found() == [[3, 16]]
    clips = decode_clips(paths[:4], SPEC, tmp_path / "kept")  # other clips: it goes with the frames
    assert not kept.exists()


def test_what_cannot_be_kept_is_found_all_the_same_and_said(simulated, tmp_path, capsys):
    clips = decode_clips(sorted((simulated / "clips").iterdir()), SPEC, tmp_path / "kept")
    taken = next((tmp_path / "kept").glob("*.npy")).with_suffix(f".alike{VERSION}")
    taken.mkdir()
    (taken / "file").touch()  # so that nothing can take its name
    capsys.readouterr()
    assert kept_near_duplicates(clips.frames_NTHWC, clips.digests).tolist() == []
    said = capsys.readouterr().err
    assert said.startswith("note: which clips show the same is found anew at each start") and "directory" in said
    assert str(tmp_path / "kept") in said and said.count("\n") == 1
    assert not list((tmp_path / "kept").glob("*.tmp"))


def test_only_what_is_split_is_told():
    seen_NTHWC = np.random.default_rng(0).integers(0, 255, (5, 4, 8, 8, 1), np.uint8)[[0, 0, 0, 1, 2, 2]]
    dataset = SimpleNamespace(frames_NTHWC=seen_NTHWC, digests=list("aabcdd"), clips=[f"clip{n}" for n in range(6)])
    assert split_twins(dataset, np.array([[0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0]])) == []
    equal, alike = split_twins(dataset, np.array([[0, 0, 1, 1, 0, 1]]))
    assert equal.startswith("1 sets of clips are the same file under other names") and "'clip4 and clip5'" in equal
    assert alike.startswith("2 pairs of clips show the same") and "'clip0 and clip2', 'clip1 and clip2'" in alike
    assert len(split_twins(dataset, np.array([[0, 0, 0, 1, 1, 1], [0, 1, 1, 0, 0, 0]]))) == 2, "in any repeat"


def test_a_benchmark_names_the_pair(simulated, tmp_path, capsys):
    root = tmp_path / "set"
    (root / "clips").mkdir(parents=True)
    header, *rows = (simulated / "labels.csv").read_text().splitlines()
    for number, row in enumerate(rows):
        name = row.split(",")[0]
        (root / "clips" / name).symlink_to(simulated / "clips" / name)
        rows[number] = ",".join([*row.split(",")[:-1], f"donor{number // 4}"])
    encoded_anew(simulated / "clips" / "clip00000.mp4", root / "clips" / "again.mp4", *WAYS["again.mp4"])
    rows.append("again.mp4," + rows[0].partition(",")[2].replace("donor0", "someone else"))
    (root / "labels.csv").write_text("\n".join([header, *rows]))
    split = [f"{row.split(',')[0]},{row.split(',')[-1]},{int(not row.endswith('donor0'))}" for row in rows]
    folder = tmp_path / "runs" / "smoke-set"
    folder.mkdir(parents=True)
    (folder / "folds.csv").write_text("\n".join(["clip,group,repeat0", *split]))
    register_schemas()
    check_all([composed(ROOT / "configs", "train", [*quick_overrides(root, tmp_path), "model=x3d"])])
    assert "clip00000.mp4 and again.mp4" in capsys.readouterr().err
