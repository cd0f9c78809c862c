"""From cells to pixels."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hybrid.errors import UserError
from hybrid.simulator.body import make_body
from hybrid.simulator.clip import draw_cell, film
from hybrid.simulator.contact_sheet import contact_sheet, preview
from hybrid.simulator.dataset import simulate_dataset
from hybrid.simulator.optics import MICROSCOPES, draw_optics, transfer
from hybrid.simulator.presets import get_preset
from hybrid.simulator.render import camera_path, splat
from hybrid.simulator.settings import Settings
from hybrid.simulator.stream import pairs, stream
from hybrid.simulator.swim import swim
from hybrid.simulator.truth import path_rows
from hybrid.simulator.writer import play, record

SMALL = Settings(size=96, um_per_px=0.6, num_frames=6, subframes=4)
STANDARD = get_preset("standard")


def test_splat_keeps_weight_and_centre():
    points = np.array([[[3.25, 7.75], [10.0, 4.5]]])
    weights = np.array([2.0, 1.0])
    picture = splat(points, weights, 16)
    assert picture.shape == (1, 16, 16) and picture.sum() == pytest.approx(3.0)
    rows, columns = np.mgrid[:16, :16]
    centre = np.array([(picture[0] * columns).sum(), (picture[0] * rows).sum()]) / 3
    np.testing.assert_allclose(centre, (weights[:, None] * points[0]).sum(0) / 3, rtol=1e-6)


def test_splat_of_layers_is_a_splat_of_each():
    rng = np.random.default_rng(0)
    points, weights = rng.uniform(-1, 17, (3, 20, 2)), rng.random((2, 3, 20))
    np.testing.assert_array_equal(splat(points, weights, 16)[1], splat(points, weights[1], 16))


def test_splat_leaves_out_what_is_out_of_view():
    assert splat(np.array([[[-1.0, 3.0], [3.0, 99.0]]]), np.ones(2), 8).sum() == 0


@pytest.mark.parametrize("microscope", MICROSCOPES)
def test_an_empty_field_stays_empty_and_shading_has_a_side(microscope):
    optics = draw_optics(np.random.default_rng(0), microscope, colour=False)
    kernel = transfer(optics, 64, 0.4, optics.defocus)
    phase = np.zeros((64, 64))
    phase[28:36, 28:36] = 1.0
    picture = np.fft.irfft2(np.fft.rfft2(phase) * kernel, s=(64, 64))
    mirrored = np.abs(picture[27:37, 27:37] - picture[27:37, 27:37][::-1, ::-1]).mean()
    relief = mirrored / np.abs(picture).max()
    assert relief > 0.05 if microscope == "hoffman" else relief < 0.05
    assert np.abs(picture[:5]).max() < 0.15 * np.abs(picture).max()


def test_masks_lie_where_the_cell_is():
    cell = draw_cell(0, 6, SMALL, STANDARD)
    frames, masks, path, camera = film(cell, SMALL)
    assert frames.shape == (6, 96, 96, 3) and frames.dtype == np.uint8
    for row in path_rows(path, camera, SMALL):
        assert masks[row["frame"], round(row["y_px"]), round(row["x_px"])] == 1
    head, tail = (masks == 1).sum((1, 2)), (masks == 3).sum((1, 2))
    area = np.pi / 4 * cell.form.length * cell.form.width / SMALL.um_per_px**2
    assert 0.5 * area < head.mean() < 2.5 * area
    assert (tail > 20).all() and (masks == 2).any()


def test_what_is_masked_stands_out():
    ratio = []
    for index in range(5):
        frames, masks, *_ = film(draw_cell(2, index, SMALL, STANDARD), SMALL)
        detail = np.abs(np.diff(frames.astype(float).mean(-1), axis=2))
        ratio.append(detail[masks[:, :, 1:] == 1].mean() / detail[masks[:, :, 1:] == 0].mean())
    assert np.median(ratio) > 2


def test_a_tracked_cell_stays_and_a_fixed_camera_stands():
    index = next(i for i in range(50) if draw_cell(0, i, SMALL, STANDARD).beat.kind == "rapid")
    cell = draw_cell(0, index, SMALL, STANDARD)
    _, _, path, tracked = film(cell, SMALL)
    fixed = camera_path(path, Settings(camera="fixed"), 50.0, np.zeros(2))
    assert np.ptp(tracked, axis=0).max() > 3 and np.ptp(fixed, axis=0).max() == 0
    head = np.array([[row["x_px"], row["y_px"]] for row in path_rows(path, tracked, SMALL)])
    assert head.min() > 0 and head.max() < SMALL.size


def test_the_first_pictures_place_does_not_tell_the_speed():
    """A tracked cell is aimed at in the first and the last picture alike, however fast it goes."""
    cells = [draw_cell(0, i, Settings(), STANDARD) for i in range(8)]
    for cell in (cell for cell in cells if cell.beat.motile):
        path = swim(cell.beat, cell.form.length, cell.form.width, 0.0, 1.0, 0.3, cell.event)
        camera = camera_path(path, Settings(), 48.0, np.zeros(2))[[0, -1]]
        place, heading, _ = path.at(np.array([0.0, 15 / 16]))
        middle = place - 0.33 * 48.0 * np.stack([np.cos(heading), np.sin(heading)], -1)
        np.testing.assert_allclose(camera, middle, atol=0.5 * 0.38 + 1e-9)


def test_the_first_frames_alone_are_those_of_the_whole_clip():
    cell = draw_cell(0, 3, SMALL, STANDARD)
    for whole, part in zip(film(cell, SMALL), film(cell, SMALL, shown=2), strict=True):
        if isinstance(whole, np.ndarray):
            np.testing.assert_array_equal(whole[:2], part)


def test_a_tail_out_of_the_plane_of_focus_is_blurred_and_keeps_its_phase():
    cell = draw_cell(0, 3, SMALL, STANDARD)
    flat = replace(cell.beat, roll_hz=0.0, roll_phase=0.0)
    path = swim(flat, cell.form.length, cell.form.width, 0.0, 0.1, 0.0)
    weight = {tilt: make_body(cell.form, 48.0, 0.3, tilt).points(path, np.zeros(1))["tail"][1] for tilt in (0.0, 0.3)}
    np.testing.assert_allclose(weight[0.0].sum(0), weight[0.3].sum(0), rtol=1e-5)
    assert weight[0.0][1].sum() == 0 and weight[0.3][1].sum() > 0.5 * weight[0.3].sum()


def test_a_recording_keeps_the_picture_but_for_the_cameras_noise():
    frames = film(draw_cell(0, 3, SMALL, STANDARD), SMALL)[0]
    assert record(frames, 16.0, 3) == record(frames, 16.0, 3)
    error = [np.abs(play(record(frames, 16.0, q)).astype(float) - frames).mean() for q in (2, 3)]
    assert 0.3 < error[0] < error[1] < 4


def test_longer_exposure_blurs():
    def edges(exposure):
        settings = Settings(size=96, um_per_px=0.6, num_frames=4, subframes=16, exposure=exposure)
        cell = next(c for c in (draw_cell(0, i, settings, STANDARD) for i in range(50)) if c.beat.frequency > 12)
        frames, masks, *_ = film(cell, settings)
        return (masks == 3).sum(), np.abs(np.diff(frames.astype(float), axis=1))[masks[:, 1:] > 0].mean()

    assert edges(1 / 30)[1] < edges(1 / 1000)[1]


def test_grey_clips_are_grey():
    frames, *_ = film(
        draw_cell(0, 0, Settings(colour=False, num_frames=2), STANDARD), Settings(colour=False, num_frames=2)
    )
    assert (frames == frames[..., :1]).all()


def test_the_stream_is_the_data_set_and_can_be_shared():
    whole = list(islice(stream(5, settings=SMALL), 4))
    odd = list(islice(stream(5, start=1, step=2, settings=SMALL), 2))
    np.testing.assert_array_equal(odd[1][0], whole[3][0])
    assert odd[1][1]["index"] == 3 and odd[1][1]["votes"].sum() == 40


def test_pairs_share_what_they_say_and_nothing_else():
    ((_, a), (_, b)) = next(pairs("form", 1, settings=SMALL))
    assert a["quality_form"] == b["quality_form"] and a["head_length"] == b["head_length"]
    assert a["wavelength"] != b["wavelength"]
    ((_, a), (_, b)) = next(pairs("motion", 1, settings=SMALL))
    assert a["beat_hz"] == b["beat_hz"] and a["event"] == b["event"] and a["wavelength"] == b["wavelength"]
    assert a["quality_form"] != b["quality_form"]
    with pytest.raises(UserError, match="'form' or 'motion'"):
        next(pairs("speed", 1))


def test_sheet_preview_and_card(tmp_path):
    root = simulate_dataset(tmp_path / "set", num_clips=6, workers=1, settings=SMALL)
    contact_sheet(root, tmp_path / "sheet.png", per_class=1)
    preview(root, tmp_path / "loop.gif", across=3, down=2)
    with Image.open(tmp_path / "loop.gif") as loop:
        assert loop.n_frames == 6 and loop.size[0] == 3 * 96
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size[0] == 6 * 96
    card = (root / "README.md").read_text()
    assert "no evidence about real sperm" in card and "| form | 0.300 |" in card


def test_truth_matches_the_path(tmp_path):
    root = simulate_dataset(
        tmp_path / "set", num_clips=3, workers=1, seed=8, settings=Settings(num_frames=16, subframes=1)
    )
    truth, paths = pd.read_csv(root / "truth.csv"), pd.read_csv(root / "paths.csv")
    for _, row in truth.iterrows():
        place = paths.loc[paths["clip"] == row["clip"], ["x_um", "y_um"]].to_numpy()
        assert np.linalg.norm(place[-1] - place[0]) / (15 / 16) == pytest.approx(row["vsl_seen"], rel=1e-3, abs=1e-3)
