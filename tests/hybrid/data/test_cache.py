"""The decoded array on disk: whole, current, and nobody's leftovers."""

import json
import multiprocessing
import os
import shutil
import signal
import sys
import threading
import time

import numpy as np
import pytest
from filelock import FileLock

from hybrid.data import cache as cache_module
from hybrid.data import video as video_module
from hybrid.data.cache import BadClips, decode_clips
from hybrid.data.clip import ClipError, ClipSpec
from hybrid.errors import UserError

SMALL = ClipSpec(side=16, channels=1)


@pytest.fixture
def paths(tmp_path, video, grey):
    """Three clips; clip i is all grey level 20 i + 5."""
    return [video(tmp_path / f"{name}.mkv", grey(16, step=0, start=20 * i + 5)) for i, name in enumerate("abc")]


@pytest.fixture
def decoded_names(monkeypatch):
    """Names of the files that were really decoded."""
    names, decode = [], video_module.decode_clip

    def count(path, spec):
        names.append(path.name)
        return decode(path, spec)

    monkeypatch.setattr(video_module, "decode_clip", count)
    return names


def arrays(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != "lock")


def levels(clips):
    return clips.frames_NTHWC[:, 0, 0, 0, 0].tolist()


def test_decodes_once(tmp_path, paths, decoded_names):
    folder = tmp_path / "cache"
    first = decode_clips(paths, SMALL, folder)
    assert first.frames_NTHWC.shape == (3, 16, 16, 16, 1) and levels(first) == [5, 25, 45]
    assert isinstance(first.frames_NTHWC, np.memmap) and not first.frames_NTHWC.flags.writeable
    assert sorted(decoded_names) == ["a.mkv", "b.mkv", "c.mkv"]
    again = decode_clips(paths, SMALL, folder)
    np.testing.assert_array_equal(again.frames_NTHWC, first.frames_NTHWC)
    assert again.facts == first.facts and again.digests == first.digests
    assert len(decoded_names) == 3
    assert len(arrays(folder)) == 2


def test_order_of_clips_is_kept_whatever_the_threads_do(tmp_path, paths, monkeypatch):
    decode = video_module.decode_clip

    def slow_first(path, spec):
        time.sleep(0.2 if path.name == "a.mkv" else 0)
        return decode(path, spec)

    monkeypatch.setattr(video_module, "decode_clip", slow_first)
    assert levels(decode_clips(paths, SMALL, tmp_path / "cache", workers=3)) == [5, 25, 45]


def test_a_changed_clip_alone_is_decoded_again(tmp_path, paths, decoded_names, video, grey):
    decode_clips(paths, SMALL, tmp_path / "cache")
    stat = paths[1].stat()
    video(paths[1], grey(16, step=0, start=99))
    os.utime(paths[1], ns=(stat.st_atime_ns, stat.st_mtime_ns))  # content counts, not dates
    decoded_names.clear()
    assert levels(decode_clips(paths, SMALL, tmp_path / "cache")) == [5, 99, 45]
    assert decoded_names == ["b.mkv"]
    assert len(arrays(tmp_path / "cache")) == 2, "the old array is gone"


def test_added_removed_and_reordered_clips(tmp_path, paths, decoded_names, video, grey):
    decode_clips(paths, SMALL, tmp_path / "cache")
    decoded_names.clear()
    assert levels(decode_clips(paths[1:], SMALL, tmp_path / "cache")) == [25, 45]
    assert decoded_names == []
    more = [*paths[1:], video(tmp_path / "d.mkv", grey(16, step=0, start=77))]
    assert levels(decode_clips(more, SMALL, tmp_path / "cache")) == [25, 45, 77]
    assert decoded_names == ["d.mkv"]
    assert levels(decode_clips(more[::-1], SMALL, tmp_path / "cache")) == [77, 45, 25]
    assert decoded_names == ["d.mkv"]


def test_a_renamed_clip_needs_no_decoding(tmp_path, paths, decoded_names):
    decode_clips(paths, SMALL, tmp_path / "cache")
    paths[0] = paths[0].rename(tmp_path / "z.mkv")
    decoded_names.clear()
    assert levels(decode_clips(paths, SMALL, tmp_path / "cache")) == [5, 25, 45]
    assert decoded_names == []


@pytest.mark.parametrize(
    "spec", [ClipSpec(8, 16, 16, 1), ClipSpec(16, 8.5, 16, 1), ClipSpec(16, 16, 24, 1), ClipSpec(16, 16, 16, 3)]
)
def test_each_way_of_decoding_has_its_own_array(tmp_path, paths, spec):
    decode_clips(paths, SMALL, tmp_path / "cache")
    assert decode_clips(paths, spec, tmp_path / "cache").frames_NTHWC.shape[1:] == spec.shape
    assert len(arrays(tmp_path / "cache")) == 4


def test_another_decoder_version_decodes_anew(tmp_path, paths, decoded_names, monkeypatch):
    decode_clips(paths, SMALL, tmp_path / "cache")
    monkeypatch.setattr(cache_module, "DECODER_VERSION", 999)
    decode_clips(paths, SMALL, tmp_path / "cache")
    assert len(decoded_names) == 6
    assert len(arrays(tmp_path / "cache")) == 2


def spoil(folder, how):
    (npy,) = folder.glob("*.npy")
    (about,) = folder.glob("*.json")
    if how == "array cut off":
        npy.write_bytes(npy.read_bytes()[:-1000])
    elif how == "array empty":
        npy.write_bytes(b"")
    elif how == "array of another shape":
        np.save(npy, np.zeros((2, *SMALL.shape), np.uint8))
    elif how == "array missing":
        npy.unlink()
    elif how == "facts missing":
        about.unlink()
    elif how == "facts cut off":
        about.write_text(about.read_text()[:-20])
    elif how == "facts of another program":
        about.write_text(json.dumps({"version": 1}))


SPOILED = ["array cut off", "array empty", "array of another shape", "array missing", "facts missing", "facts cut off"]


@pytest.mark.parametrize("how", [*SPOILED, "facts of another program"])
def test_a_spoiled_cache_is_made_again(tmp_path, paths, decoded_names, how):
    decode_clips(paths, SMALL, tmp_path / "cache")
    spoil(tmp_path / "cache", how)
    decoded_names.clear()
    assert levels(decode_clips(paths, SMALL, tmp_path / "cache")) == [5, 25, 45]
    assert len(decoded_names) == 3


def damage(folder, clip):
    """One byte of a clip's frames, as another program leaves it."""
    (npy,) = folder.glob("*.npy")
    frames_NTHWC = np.load(npy, mmap_mode="r+")
    frames_NTHWC[clip, 7, 3, 2] ^= 16
    frames_NTHWC.flush()


@pytest.mark.parametrize("others", [False, True])
def test_damaged_frames_are_neither_used_nor_inherited_but_decoded_anew(tmp_path, paths, decoded_names, capsys, others):
    first = decode_clips(paths, SMALL, tmp_path / "cache").frames_NTHWC.copy()
    damage(tmp_path / "cache", 1)
    decoded_names.clear()
    capsys.readouterr()
    wanted = paths[1:] if others else paths
    again = decode_clips(wanted, SMALL, tmp_path / "cache")
    np.testing.assert_array_equal(again.frames_NTHWC, first[1:] if others else first)
    assert decoded_names == ["b.mkv"]
    said = capsys.readouterr().err
    assert said.count("1 of 3 clips decoded in") == 1 and "are no longer what was written there and are decoded" in said
    decode_clips(wanted, SMALL, tmp_path / "cache")
    assert decoded_names == ["b.mkv"] and not capsys.readouterr().err


def test_another_caches_files_under_this_ones_name_are_not_believed(tmp_path, paths, decoded_names):
    folder = tmp_path / "cache"
    decode_clips(paths, SMALL, folder)
    shutil.copytree(folder, tmp_path / "kept")
    decode_clips(paths[::-1], SMALL, folder)
    for suffix in (".npy", ".json"):
        (one,), (other,) = (tmp_path / "kept").glob(f"*{suffix}"), folder.glob(f"*{suffix}")
        shutil.copy2(one, other)
    assert levels(decode_clips(paths[::-1], SMALL, folder)) == [45, 25, 5]


def test_a_cache_from_before_there_were_checksums_is_made_again(tmp_path, paths, decoded_names):
    decode_clips(paths, SMALL, tmp_path / "cache")
    (about,) = (tmp_path / "cache").glob("*.json")
    facts = json.loads(about.read_text())
    del facts["checksums"]
    about.write_text(json.dumps(facts))
    decode_clips(paths, SMALL, tmp_path / "cache")
    assert len(decoded_names) == 6


def decode_and_hang(paths, folder, hang_at):
    """In another process: decode, but stop for ever at one clip."""
    decode = video_module.decode_clip

    def hang(path, spec):
        if path.name == hang_at:
            print("hanging", flush=True)
            time.sleep(60)
        return decode(path, spec)

    video_module.decode_clip = hang
    decode_clips(paths, SMALL, folder, workers=1)


def test_killed_in_the_middle(tmp_path, paths):
    """What a killed run leaves is neither used nor kept, and its lock is free."""
    folder = tmp_path / "cache"
    process = multiprocessing.get_context("spawn").Process(target=decode_and_hang, args=(paths, folder, "c.mkv"))
    process.start()
    deadline = time.monotonic() + 30
    while not list(folder.glob("*.tmp")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert [name[-4:] for name in arrays(folder)] == [".tmp"]
    other = ClipSpec(side=24, channels=1)  # the left-over is not even of this array
    assert levels(decode_clips(paths, other, folder)) == [5, 25, 45]
    assert sorted(name.rpartition(".")[2] for name in arrays(folder)) == ["json", "npy"]


def test_an_interrupt_stops_at_once_and_leaves_nothing(tmp_path, paths, monkeypatch):
    calls, decode = [], video_module.decode_clip

    def interrupted(path, spec):
        """150 clips take 3 s; the third is interrupted."""
        calls.append(path)
        if len(calls) == 3:
            raise KeyboardInterrupt
        time.sleep(0.02)
        return decode(path, spec)

    monkeypatch.setattr(video_module, "decode_clip", interrupted)
    with pytest.raises(KeyboardInterrupt):
        decode_clips(paths * 50, SMALL, tmp_path / "cache", workers=1)
    assert len(calls) < 20
    assert arrays(tmp_path / "cache") == []


def test_a_disk_that_fills_up_stops_the_decoding_at_once(tmp_path, paths, decoded_names, monkeypatch):
    written = []

    def fill(frames):
        written.append(frames)
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        return frames

    decode = video_module.decode_clip
    monkeypatch.setattr(video_module, "decode_clip", lambda path, spec: (time.sleep(0.02), decode(path, spec))[1])
    monkeypatch.setattr(cache_module.np, "ascontiguousarray", fill)
    with pytest.raises(UserError, match="no space left on device; name another place with SPERM_VIDEO_HYBRID_CACHE"):
        decode_clips(paths * 50, SMALL, tmp_path / "cache", workers=1)
    assert len(decoded_names) < 20, "of 150"
    assert arrays(tmp_path / "cache") == []


def test_bad_clips_are_all_named_and_nothing_is_kept(tmp_path, paths):
    paths[0].write_bytes(b"")
    paths[2].unlink()
    with pytest.raises(BadClips) as error:
        decode_clips(paths, SMALL, tmp_path / "cache")
    assert error.value.reasons == {0: "is empty (0 bytes)", 2: "there is no such file"}
    assert arrays(tmp_path / "cache") == []


def test_a_clip_that_changes_while_it_is_read_is_refused(tmp_path, paths, monkeypatch, video, grey):
    decode = video_module.decode_clip

    def meddle(path, spec):
        if path.name == "b.mkv":
            video(path, grey(20))
        return decode(path, spec)

    monkeypatch.setattr(video_module, "decode_clip", meddle)
    with pytest.raises(BadClips) as error:
        decode_clips(paths, SMALL, tmp_path / "cache")
    assert error.value.reasons == {1: "was changed while it was read"}


def test_runs_started_together_decode_once(tmp_path, paths, decoded_names, capsys):
    folder = tmp_path / "cache"
    folder.mkdir()
    results = []
    with FileLock(folder / "lock"):
        threads = [
            threading.Thread(target=lambda: results.append(decode_clips(paths, SMALL, folder))) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        assert results == []
    for thread in threads:
        thread.join()
    assert [levels(result) for result in results] == [[5, 25, 45]] * 3
    assert len(decoded_names) == 3
    assert "waiting for another run that decodes into" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps mapped files")
def test_who_has_the_old_array_mapped_keeps_it(tmp_path, paths, video, grey):
    old = decode_clips(paths, SMALL, tmp_path / "cache")
    video(paths[0], grey(16, step=0, start=200))
    decode_clips(paths, SMALL, tmp_path / "cache")
    assert levels(old) == [5, 25, 45]


def test_a_place_that_cannot_be_written(tmp_path, paths):
    (tmp_path / "file").touch()
    with pytest.raises(
        UserError,
        match="cannot be stored in .*file.*: not a directory; name another place with SPERM",
    ):
        decode_clips(paths, SMALL, tmp_path / "file" / "cache")


def test_a_disk_that_is_full_at_the_end(tmp_path, paths, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache_module.os, "fsync", full)
    with pytest.raises(UserError, match="no space left on device; name another place with SPERM_VIDEO_HYBRID_CACHE"):
        decode_clips(paths, SMALL, tmp_path / "cache")
    assert arrays(tmp_path / "cache") == []


def test_cached_data_need_no_writing(tmp_path, paths):
    """A data set on a read-only disk works when its cache is there."""
    decode_clips(paths, SMALL, tmp_path / "cache")
    (tmp_path / "cache" / "lock").unlink(missing_ok=True)
    before = arrays(tmp_path / "cache")
    decode_clips(paths, SMALL, tmp_path / "cache")
    assert arrays(tmp_path / "cache") == before and not (tmp_path / "cache" / "lock").exists()


def test_clip_errors_are_user_errors():
    assert issubclass(ClipError, UserError) and issubclass(BadClips, UserError)
