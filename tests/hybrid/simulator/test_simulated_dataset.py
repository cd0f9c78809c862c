"""The folder that the simulator writes."""

import os
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pandas as pd
import pytest

from hybrid.errors import UserError
from hybrid.simulator.dataset import held_folder, in_processes, simulate_dataset
from hybrid.simulator.request import Request
from hybrid.simulator.settings import Settings
from hybrid.simulator.writer import play, record

SMALL = Settings(size=64, um_per_px=0.9, num_frames=8, subframes=4)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return simulate_dataset(
        tmp_path_factory.mktemp("simulated") / "set", num_clips=10, seed=3, workers=1, settings=SMALL
    )


def test_files_of_a_data_set(made):
    labels = pd.read_csv(made / "labels.csv")
    assert list(labels.columns) == ["clip", "A", "B", "C", "D", "E", "group"]
    assert (labels[list("ABCDE")].sum(axis=1) == 40).all()
    assert labels.group.nunique() == 10
    ratings = pd.read_csv(made / "ratings.csv")
    counted = (
        ratings.groupby(["clip", "grade"]).size().unstack(fill_value=0).reindex(columns=list("ABCDE"), fill_value=0)
    )
    np.testing.assert_array_equal(counted.reindex(labels["clip"]).to_numpy(), labels[list("ABCDE")].to_numpy())
    assert list(pd.read_csv(made / "truth.csv")["clip"]) == list(labels["clip"])
    assert len(pd.read_csv(made / "paths.csv")) == 10 * 8
    for clip in labels["clip"]:
        assert play(made / "clips" / clip).shape == (8, 64, 64, 3)
        masks = np.load((made / "masks" / clip).with_suffix(".npz"))["masks"]
        assert masks.shape == (8, 64, 64) and masks.dtype == np.uint8 and masks.max() <= 3


def test_a_clip_depends_on_seed_and_index_alone(made, tmp_path):
    again = simulate_dataset(tmp_path / "again", num_clips=17, seed=3, workers=2, settings=SMALL)
    for name in ("labels.csv", "truth.csv"):
        lines = (again / name).read_bytes().splitlines(keepends=True)
        assert b"".join(lines[:11]) == (made / name).read_bytes()
    for path in sorted((made / "clips").iterdir()):
        np.testing.assert_array_equal(play(path), play(again / "clips" / path.name))
        assert (made / "masks" / path.stem).with_suffix(".npz").read_bytes() == (
            again / "masks" / path.stem
        ).with_suffix(".npz").read_bytes()


def test_the_same_request_again_leaves_it_alone(made):
    before = (made / "labels.csv").stat().st_mtime_ns
    assert simulate_dataset(made, num_clips=10, seed=3, settings=SMALL) == made
    assert (made / "labels.csv").stat().st_mtime_ns == before


def test_another_request_for_the_same_folder_is_refused(made):
    with pytest.raises(UserError, match="num_clips: 10 there, 11 asked for"):
        simulate_dataset(made, num_clips=11, seed=3, settings=SMALL)


def test_a_foreign_folder_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(UserError, match="not a simulated data set"):
        simulate_dataset(tmp_path, num_clips=2)


def test_a_stopped_run_goes_on_to_the_same_data_set(made, tmp_path, monkeypatch, capsys):
    recorded = []

    def stop_at_the_tenth(*arguments):
        recorded.append(arguments)
        if len(recorded) == 10:
            raise KeyboardInterrupt
        return record(*arguments)

    monkeypatch.setattr("hybrid.simulator.dataset.record", stop_at_the_tenth)
    with pytest.raises(KeyboardInterrupt):
        simulate_dataset(tmp_path / "set", num_clips=10, seed=3, workers=1, settings=SMALL)
    assert not (tmp_path / "set").exists()
    simulate_dataset(tmp_path / "set", num_clips=10, seed=3, workers=1, settings=SMALL)
    assert len(recorded) == 10 + 2  # the eight clips of the first chunk were kept
    assert "goes on where a program that was stopped left it, with 8 of 10 clips made" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["set"]
    names = sorted(path.relative_to(made) for path in made.rglob("*"))
    assert names == sorted(path.relative_to(tmp_path / "set") for path in (tmp_path / "set").rglob("*"))
    for name in names:
        if (made / name).is_file():
            assert (made / name).read_bytes() == (tmp_path / "set" / name).read_bytes(), name


def test_what_stopped_programs_have_made_of_other_sets_for_a_folder_is_removed_and_told(tmp_path, capsys):
    asked = {"num_clips": 1, "workers": 1, "settings": SMALL}
    with held_folder(tmp_path / "set", Request("clinic", 1, 4, SMALL).record()) as left:
        (left / "clips").mkdir()
        with pytest.raises(UserError, match="another program is simulating another data set into .*set now"):
            simulate_dataset(tmp_path / "set", seed=3, **asked)
    assert left.exists()
    simulate_dataset(tmp_path / "set", seed=3, **asked)
    told = f"note: {left.parent} is removed: another data set, half made, for {tmp_path / 'set'}\n"
    assert capsys.readouterr().err.endswith(told)
    simulate_dataset(tmp_path / "set", seed=3, **asked)  # which is there already
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_program_that_makes_the_same_set_is_waited_for(made, tmp_path):
    request = Request("clinic", 10, 3, SMALL)
    with ThreadPoolExecutor(1) as pool, held_folder(tmp_path / "set", request.record()) as folder:
        other = pool.submit(simulate_dataset, tmp_path / "set", num_clips=10, seed=3, workers=1, settings=SMALL)
        with pytest.raises(TimeoutError):
            other.result(0.3)
        shutil.copytree(made, folder, dirs_exist_ok=True)
        os.replace(folder, tmp_path / "set")
    assert other.result() == tmp_path / "set"
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_program_that_was_waited_for_and_is_done_may_have_removed_the_lock(tmp_path):
    """Of two that make the same set: the second finds it made, or makes it."""
    asked = {"num_clips": 1, "seed": 3, "workers": 1, "settings": SMALL}
    with (
        ThreadPoolExecutor(1) as pool,
        held_folder(tmp_path / "set", Request("clinic", 1, 3, SMALL).record()) as folder,
    ):
        other = pool.submit(simulate_dataset, tmp_path / "set", **asked)
        with pytest.raises(TimeoutError):
            other.result(0.3)
        shutil.rmtree(folder.parent, ignore_errors=True)  # while the other looks for the lock again and again
    assert other.result() == tmp_path / "set"
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


@pytest.mark.parametrize(
    "wrong, message",
    [
        (
            dict(preset="standrad"),
            "no preset is named 'standrad'; there are: clinic, .*; did you mean standard",
        ),
        (dict(num_clips=0), "num_clips must be at least 1"),
        (dict(seed=-1), "seed must be"),
    ],
)
def test_bad_requests_are_refused(tmp_path, wrong, message):
    with pytest.raises(UserError, match=message):
        simulate_dataset(tmp_path / "set", **wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        dict(size=151),
        dict(num_frames=1),
        dict(exposure=0.1),
        dict(microscope="dic"),
        dict(camera="drone"),
        dict(subframes=0),
        dict(um_per_px=0),
        dict(frame_rate=0),
    ],
)
def test_bad_settings_are_refused_by_name(wrong):
    with pytest.raises(UserError, match=next(iter(wrong))):
        Settings(**wrong)


@pytest.mark.parametrize("target", ["empty", "nowhere"])
def test_a_link_leads_to_the_folder_that_is_made_and_nothing_is_left_beside(target, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / target)
    simulate_dataset(tmp_path / "link", num_clips=1, workers=1, settings=SMALL)
    assert (tmp_path / target / "labels.csv").exists() and (tmp_path / "link").is_symlink()
    assert {path.name for path in tmp_path.iterdir()} == {"empty", "link", target}


def test_processes_that_help_do_not_hear_ctrl_c_and_end_with_the_one_they_help():
    masks = in_processes(partial(signal.pthread_sigmask, signal.SIG_BLOCK), [(), ()], 2)
    assert [signal.SIGINT in mask for mask in masks] == [True, True]
    began, slow = time.monotonic(), in_processes(time.sleep, [0, 60, 60], 2)
    next(slow)
    slow.close()
    assert time.monotonic() - began < 40
