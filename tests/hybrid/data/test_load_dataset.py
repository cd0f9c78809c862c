"""The whole: everything checked, everything said at once."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from hybrid.data.cache import CACHE_VARIABLE, cache_folder
from hybrid.data.clip import ClipSpec
from hybrid.data.dataset import load_dataset
from hybrid.data.problems import DatasetError
from hybrid.errors import UserError

SMALL = ClipSpec(side=16, channels=1)


def test_loads(make_dataset):
    root = make_dataset("clip;A;B;group\nb.mkv;1;3;p1\na.mkv;0;2;p2\n", clips=("a.mkv", "b.mkv"))
    (root / "ratings.csv").write_text(
        "clip,rater,grade\nb.mkv,r1,A\nb.mkv,r2,B\nb.mkv,r3,B\nb.mkv,r4,B\na.mkv,r1,B\na.mkv,r2,B\n"
    )
    data = load_dataset(root, SMALL)
    assert len(data) == 2 and data.clips == ("b.mkv", "a.mkv") and data.groups == ("p1", "p2")
    assert data.frames_NTHWC.shape == (2, 16, 16, 16, 1)
    assert data.frames_NTHWC[:, 0, 0, 0, 0].tolist() == [25, 5]
    np.testing.assert_allclose(data.targets_NK, [[0.25, 0.75], [0, 1]])
    assert data.ratings.ratings_NR.tolist() == [[0, 1, 1, 1], [1, 1, -1, -1]] and data.raters_N.tolist() == [4, 2]
    assert data.told == "grades, best first: A, B; groups: 2; raters a clip: 2 to 4"
    assert data.notices == (
        "1 of 2 clips are black in every frame: 'a.mkv'",
        "1 of 2 clips are of one grey in every frame: 'b.mkv'",
    )
    assert sorted(path.name for path in root.iterdir()) == ["clips", "labels.csv", "ratings.csv"]


@pytest.mark.parametrize(
    "votes, raters",
    [
        ("20,20\nb.mkv,0,40", "40"),
        ("1,0\nb.mkv,0,3", "1 to 3"),
        ("1,0\nb.mkv,0,1", "not known, so there is no noise ceiling; numbers of votes would tell"),
        ("30.5,69.5\nb.mkv,0,100", "not known, so there is no noise ceiling; numbers of votes would tell"),
        ("0.3,0.7\nb.mkv,0,1", "not known, so there is no noise ceiling; numbers of votes would tell"),
    ],
)
def test_numbers_that_are_no_votes_tell_of_no_raters(make_dataset, votes, raters):
    data = load_dataset(make_dataset(f"clip,A,B\na.mkv,{votes}\n", clips=("a.mkv", "b.mkv")), SMALL)
    assert data.told == f"grades, best first: A, B; groups: none, so each clip is its own; raters a clip: {raters}"
    assert np.isnan(data.raters_N).all() == raters.startswith("not")


def test_every_problem_of_every_kind_at_once(make_dataset):
    clips = tuple(f"{name}.mkv" for name in "abcde")
    root = make_dataset("clip,A,B\na.mkv,1,2\nb.mkv,1,-2\nc.mkv,1,2\nd.mkv,1,2\nx.mkv,1,2\n", clips=clips)
    (root / "clips" / "c.mkv").write_bytes(b"")
    (root / "clips" / "d.mkv").write_text("no video" * 100)
    (root / "ratings.csv").write_text("clip,rater,grade\na.mkv,r1,Z\nx.mkv,r1,A\nb.mkv,r1,A\nc.mkv,r1,A\nd.mkv,r1,A\n")
    with pytest.raises(DatasetError) as error:
        load_dataset(root, SMALL)
    expected = [
        "labels.csv row 3: 'B' of clip 'b.mkv' is negative (-2)",
        "labels.csv row 6: clip 'x.mkv': there is no such file in clips/",
        "ratings.csv row 2: rater 'r1' gives clip 'a.mkv' the unknown grade 'Z'; grades: A, B",
        "ratings.csv: has no ratings of 1 of the clips of labels.csv: 'a.mkv'",
        "ratings.csv: clip 'c.mkv' has 1/0 here but 1/2 in labels.csv row 4",
        "ratings.csv: clip 'd.mkv' has 1/0 here but 1/2 in labels.csv row 5",
        "labels.csv row 4: clip 'c.mkv' is empty (0 bytes)",
        "labels.csv row 5: clip 'd.mkv' is no video that FFmpeg can read, or was cut off while it was written or "
        "copied",
    ]
    assert sorted(error.value.problems) == sorted(expected)
    assert isinstance(error.value, UserError)
    assert str(error.value).splitlines()[0] == f"data set {root}: 8 problems"


@pytest.mark.parametrize("table", ["labels.csv", "ratings.csv"])
def test_faults_of_tables_are_told_before_clips_are_decoded(make_dataset, monkeypatch, table):
    root = make_dataset("clip,A,B\na.mkv,0,2\nb.mkv,1,0\n", clips=("a.mkv", "b.mkv"))
    (root / "ratings.csv").write_text("clip,rater,grade\na.mkv,r1,B\na.mkv,r2,B\nb.mkv,r1,A\n")
    load_dataset(root, SMALL)
    monkeypatch.setattr("hybrid.data.dataset.decode_clips", None)
    (root / table).write_text((root / table).read_text() + "x.mkv,2,2\n")
    with pytest.raises(DatasetError, match="'x.mkv'"):
        load_dataset(root, SMALL)


def test_no_table_is_said_at_once(tmp_path):
    with pytest.raises(DatasetError, match="1 problem\n  there is no folder"):
        load_dataset(tmp_path / "nowhere", SMALL)


def test_what_is_odd_is_noticed(make_dataset, video, grey):
    clips = ("short.mkv", "shorter.mkv", "slow.mkv", "wide.mkv", "copy1.mkv", "copy2.mkv")
    root = make_dataset("clip,A,B\n" + "".join(f"{clip},1,2\n" for clip in clips), clips=())
    video(root / "clips" / "short.mkv", grey(12))
    video(root / "clips" / "shorter.mkv", grey(5))
    video(root / "clips" / "slow.mkv", grey(8), rate=8)
    video(root / "clips" / "wide.mkv", grey(16, (16, 24)))
    video(
        root / "clips" / "copy1.mkv",
        [17 * frame.astype("uint16") for frame in grey(16, step=3)],
        pix_fmt="gray16le",
        source="gray16le",
    )
    (root / "clips" / "copy2.mkv").write_bytes((root / "clips" / "copy1.mkv").read_bytes())
    (root / "clips" / "extra.mkv").touch()
    assert load_dataset(root, SMALL).notices == (
        "labels.csv does not mention 1 of the files in clips/: 'extra.mkv'",
        "2 of 6 clips are shorter than 1 s: their last frame is held (the shortest is 'shorter.mkv', 0.31 s: "
        "11 of 16 frames)",
        "1 of 6 clips show some frame twice because they have fewer than 16 frames a second: 'slow.mkv'",
        "1 of 6 clips are not square: only the centre is seen ('wide.mkv' is 24x16)",
        "6 of 6 clips are of one grey in every frame: 'short.mkv', 'shorter.mkv', 'slow.mkv' and 3 more",
        "only the lower 10 of 16 bits are used: made 64 times brighter: 2 of 6 clips: 'copy1.mkv', 'copy2.mkv'",
        "1 clips are there more than once under other names, and count as often: 'copy1.mkv and copy2.mkv'",
    )


def test_fingerprint_tells_content_from_spelling(make_dataset):
    root = make_dataset("clip,A,B\na.mkv,1,3\nb.mkv,1,2\n")

    def fingerprint(labels, spec=SMALL):
        (root / "labels.csv").write_text(labels)  # the clips stay: Matroska files written twice differ in an id
        return load_dataset(root, spec).fingerprint

    plain = "clip,A,B\na.mkv,1,3\nb.mkv,1,2\n"
    first = fingerprint(plain)
    assert len(first) == 12 and fingerprint(plain) == first
    assert fingerprint("clip;A;B\n a.mkv;1,0;3\nb.mkv;1;2,0\n") == first
    others = {
        fingerprint(plain, ClipSpec(side=24, channels=1)),
        fingerprint("clip,A,B\na.mkv,1,3\nb.mkv,2,1\n"),
        fingerprint("clip,A,B\nb.mkv,1,2\na.mkv,1,3\n"),
        fingerprint("clip,A,B\na.mkv,1,3\n"),
        fingerprint("clip,A,X\na.mkv,1,3\nb.mkv,1,2\n"),
        fingerprint("clip,A,B,group\na.mkv,1,3,p\nb.mkv,1,2,p\n"),
    }
    (root / "clips" / "b.mkv").write_bytes((root / "clips" / "c.mkv").read_bytes())
    others.add(fingerprint(plain))
    assert len(others) == 7 and first not in others


def test_each_data_set_has_its_place_in_the_cache_which_is_named_when_it_is_made(
    make_dataset, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    one, two = make_dataset(name="one"), make_dataset(name="two", clips=("x.mkv",))
    for root in (one, two):
        load_dataset(root, SMALL)
        (folder,) = (tmp_path / "cache").glob(f"{root.name}-*")
        assert cache_folder(root) == folder and list(folder.glob("*.npy"))
        (said,) = capsys.readouterr().err.splitlines()
        assert f"kept decoded in {folder} (" in said and CACHE_VARIABLE in said
    load_dataset(one, SMALL)
    assert capsys.readouterr().err == ""


def test_by_default_the_cache_is_the_platforms(monkeypatch, tmp_path):
    monkeypatch.delenv(CACHE_VARIABLE)
    assert cache_folder(tmp_path).parent == Path(platformdirs.user_cache_dir("sperm-video-hybrid", appauthor=False))


def test_a_former_cache_may_be_deleted(make_dataset):
    root = make_dataset()
    (root / ".cache").mkdir()
    (root / ".cache" / "frames-16x16fps-64px-3ch-0.npy").write_bytes(bytes(3_000_000))
    (notice,) = (notice for notice in load_dataset(root, SMALL).notices if ".cache" in notice)
    assert notice == f"{root / '.cache'} is not used any more and may be deleted (3 MB)"


def test_start_is_light():
    """What cached data do not need is not imported: no decoder, no torch, no scikit-learn."""
    code = (
        "import sys, hybrid.data.dataset, hybrid.data.folds;"
        "print([name for name in ('av', 'torch', 'sklearn', 'pandas', 'scipy') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_panels_of_another_size_than_usual_are_named(make_dataset):
    root = make_dataset("clip,A,B\na.mkv,2,1\nb.mkv,1,2\nc.mkv,30,2\n")
    (notice,) = (n for n in load_dataset(root, SMALL).notices if "votes than" in n)
    assert notice == "1 of 3 clips have far more or fewer votes than the usual 3: 'c.mkv 32'"
