import shutil
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest
from support import write_dataset

from hybrid.errors import UserError
from hybrid.experiment.prepare import _loaded, check_numbers, prepare
from hybrid.files import read_yaml, write_json, write_yaml


def test_data_and_folds_are_ready(config_of):
    dataset, folds_RN = prepare(config_of())
    assert dataset.frames_NTHWC.shape == (12, 16, 64, 64, 3)
    assert folds_RN.shape == (1, 12) and set(folds_RN[0]) == {0, 1}
    for group in set(dataset.groups):
        assert len(set(folds_RN[0][np.array(dataset.groups) == group])) == 1


@pytest.mark.parametrize(
    "override",
    [
        "protocol.epochs=0",
        "protocol.batch_size=1",
        "protocol.num_frames=15",
        "protocol.frame_rate=0",
        "model.num_frames=15",
        "model.frame_rate=0",
        "protocol.crop_size=65",
        "protocol.num_folds=1",
        "protocol.repeats=0",
        "data.channels=2",
        "fold=2",
        "fold=9999999999999999999999",
        "repeat=1",
        "logger.mode=offlien",
        "model.recipe.learning_rate=0",
        "model.recipe.learning_rate=inf",
        "model.recipe.weight_decay=-1",
        "model.recipe.warmup_share=2",
        "model.recipe.layer_decay=0",
        "model.recipe.fine_tuning_factor=-1",
        "model.recipe.new_module_factor=0",
        "model.recipe.clip_gradient=nan",
        "protocol.augment.gain=5",
        "protocol.crop_size=10000",
        "protocol.augment.offset=-1",
        "seed=-1",
        "seed=5000000000",
        "threads=0",
        "model.recipe.train_share=0",
        "model.recipe.train_share=1.5",
        "model.recipe.optimiser=lion",
        "model.recipe.schedule=steps",
        "protocol.folds=random",
    ],
)
def test_a_value_out_of_range_is_named(config_of, override):
    key, value = override.split("=")
    with pytest.raises(UserError) as error:
        prepare(config_of(override))
    assert key in str(error.value) and value in str(error.value)


def test_frames_that_are_the_protocols_are_told_of_once_and_what_is_a_word_is_known(config_of):
    for words, told in (
        (["protocol.frame_rate=0"], "protocol.frame_rate must be positive, not 0.0"),
        (["protocol.num_frames=15"], "protocol.num_frames must be 8, 16 or 32, not 15"),
        (["model.num_frames=15"], "model.num_frames must be 8, 16 or 32, not 15"),
        (["accelerator=foo"], "accelerator must be one of auto, cpu, gpu, mps, not foo"),
        (["devices=0"], "devices must be 1 or more, not 0"),
    ):
        with pytest.raises(UserError) as error:
            check_numbers(config_of(*words))
        assert str(error.value) == told


def test_a_second_machine_is_not_waited_for_unless_it_is_told_of(config_of, monkeypatch):
    config = config_of("num_nodes=2")
    with pytest.raises(UserError, match="num_nodes must be 1, or the same command must be started on each machine"):
        check_numbers(config)
    monkeypatch.setenv("MASTER_ADDR", "node0")
    check_numbers(config)


def test_all_wrong_values_are_named_at_once(config_of):
    with pytest.raises(UserError) as error:
        prepare(config_of("protocol.epochs=0", "protocol.crop_size=65"))
    assert "epochs" in str(error.value) and "crop_size" in str(error.value)


def test_a_number_of_folds_beyond_all_reason_is_met_by_the_number_of_clips(config_of):
    with pytest.raises(UserError, match="9999999999999999999999 folds need as many clips"):
        prepare(config_of("protocol.num_folds=9999999999999999999999"))


def test_more_folds_than_groups_are_refused(config_of):
    with pytest.raises(UserError, match="5 folds need as many groups, there are 4: give protocol.num_folds=4"):
        prepare(config_of("protocol.num_folds=5"))


def test_folds_of_a_start_that_trained_nothing_make_way_and_ones_own_do_not(config_of, tmp_path):
    prepare(config_of("protocol.num_folds=3"))
    path = tmp_path / "runs" / "smoke-clips_of_mine" / "folds.csv"
    assert set(prepare(config_of())[1][0]) == {0, 1}, "made anew for 2 folds"
    header, *rows = path.read_text().splitlines()
    flipped = [f"{row[:-1]}{1 - int(row[-1])}" for row in rows]
    path.write_text("\n".join([header, *flipped]))
    prepare(config_of("seed=1"))
    assert path.read_text().splitlines()[1:] == flipped, "someone's own stay"
    with pytest.raises(UserError, match="made for fewer folds"):
        prepare(config_of("protocol.num_folds=3"))


@pytest.mark.parametrize("killed", [False, True])
def test_folds_of_an_interrupted_start_make_way_for_corrected_tables(
    config_of, small_dataset, tmp_path, monkeypatch, killed
):
    root = shutil.copytree(small_dataset, tmp_path / "clips_of_mine")
    own = [f"data.root={root}"]
    if killed:  # between the settings and the folds
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr("hybrid.experiment.prepare.write_text", Mock(side_effect=KeyboardInterrupt))
            prepare(config_of(*own))
    else:
        prepare(config_of(*own))
    table = (root / "labels.csv").read_text().splitlines()
    (root / "labels.csv").write_text("\n".join([*table[:-1], ""]))
    _loaded.cache_clear()
    dataset, folds_RN = prepare(config_of(*own))
    assert folds_RN.shape == (1, len(table) - 2)
    folds = tmp_path / "runs" / "smoke-clips_of_mine" / "folds.csv"
    assert len(folds.read_text().splitlines()) == len(table) - 1
    folds.write_text(folds.read_text().replace(dataset.clips[0], "another.mkv"))
    with pytest.raises(UserError, match="no run was trained with these folds: mend the file, or remove it"):
        prepare(config_of(*own))


def test_what_nothing_was_trained_with_is_made_anew_and_said(config_of, tmp_path, monkeypatch, capsys):
    folds = tmp_path / "runs" / "smoke-clips_of_mine" / "folds.csv"
    fresh = prepare(config_of("experiment=other", "seed=3"))[1]
    prepare(config_of())
    first = folds.read_bytes()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):  # so that the first stay, the settings go on
        patch.setattr("hybrid.experiment.prepare.write_text", Mock(side_effect=KeyboardInterrupt))
        prepare(config_of("seed=3"))
    assert folds.read_bytes() == first
    capsys.readouterr()
    np.testing.assert_array_equal(prepare(config_of("seed=3"))[1], fresh)
    assert f"note: {folds}: nothing was trained with these folds, so they are made anew" in capsys.readouterr().err
    prepare(config_of("seed=3"))
    assert "made anew" not in capsys.readouterr().err, "as every worker of a benchmark does: they are there"


def test_ones_own_repeats_stay_where_more_were_added_and_nothing_trained(config_of, tmp_path):
    path = tmp_path / "runs" / "smoke-clips_of_mine" / "folds.csv"
    prepare(config_of())
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *(f"{row[:-1]}{1 - int(row[-1])}" for row in rows)]))
    own = prepare(config_of("protocol.repeats=2"))[1]
    np.testing.assert_array_equal(prepare(config_of("protocol.repeats=2", "seed=5"))[1][0], own[0])
    assert path.read_text().splitlines()[0] == "clip,group,repeat0,repeat1"


def test_a_folder_that_was_named_is_never_simulated_into(config_of, tmp_path, small_dataset):
    simulated = ["data=simulated", "data.simulate.num_clips=2"]
    with pytest.raises(UserError, match="no such folder; .* data=folder as well.*/simulate.py 'root=.*my clipz'$"):
        prepare(config_of(*simulated, f"data.root={tmp_path / 'my clipz'}"))
    with pytest.raises(UserError, match=f"for your own, give data=folder data.root={small_dataset}"):
        prepare(config_of(*simulated, f"data.root={small_dataset}"))
    assert not (tmp_path / "my clipz").exists()


def test_an_arm_may_see_other_frames_of_the_same_clips_on_the_same_folds(config_of, tmp_path):
    whole, folds_RN = prepare(config_of())
    experiment = tmp_path / "runs" / "smoke-clips_of_mine"
    settings = (experiment / "experiment.yaml").read_text()
    half, same_RN = prepare(config_of("arm=half", "model.num_frames=8", "model.frame_rate=8"))
    np.testing.assert_array_equal(half.frames_NTHWC, whole.frames_NTHWC[:, ::2])
    np.testing.assert_array_equal(same_RN, folds_RN)
    assert (experiment / "experiment.yaml").read_text() == settings
    assert read_yaml(experiment / "half" / "model.yaml")["num_frames"] == 8
    assert "num_frames" not in read_yaml(experiment / "hybrid" / "model.yaml"), "the protocol's are not the arm's own"


def test_an_experiment_keeps_its_protocol_and_its_clips(config_of, tmp_path):
    prepare(config_of())
    write_json(tmp_path / "runs" / "smoke-clips_of_mine" / "slowfast" / "repeat0-fold0" / "result.json", {})
    with pytest.raises(UserError, match="protocol.epochs: 2 there, 3 asked for"):
        prepare(config_of("protocol.epochs=3"))
    other = write_dataset(tmp_path / "other", num_clips=9)
    with pytest.raises(UserError, match="data.fingerprint"):
        prepare(config_of(f"data.root={other}", "experiment=smoke-clips_of_mine"))


def test_an_experiment_keeps_how_many_voted(config_of, tmp_path):
    """The noise ceiling follows from that; shares of 4 votes and of 40 are the same targets."""
    few, many = write_dataset(tmp_path / "few"), tmp_path / "many"
    shutil.copytree(few, many)
    table = pd.read_csv(many / "labels.csv").set_index("clip")
    table.update(10 * table.select_dtypes("number"))
    table.to_csv(many / "labels.csv")
    dataset, _ = prepare(config_of(f"data.root={few}", "experiment=votes"))
    write_json(tmp_path / "runs" / "votes" / "slowfast" / "repeat0-fold0" / "result.json", {})
    of_many = config_of(f"data.root={many}", "experiment=votes")
    with pytest.raises(UserError, match="\n  raters a clip: .* there, .* asked for\n"):
        prepare(of_many)
    kept = tmp_path / "runs" / "votes" / "experiment.yaml"
    settings = read_yaml(kept)
    assert settings.pop("raters a clip") == dataset.raters
    write_yaml(kept, settings | {"folds": ["repeat0"]})
    with pytest.raises(UserError, match="experiment.yaml: was damaged, folds is"):
        prepare(of_many)
    write_yaml(kept, settings)  # as before it was kept
    prepare(of_many)
