"""What clinic's clips show and do, and that standard's are not touched by it."""

import numpy as np
import pytest

from hybrid.simulator.clip import draw_cell
from hybrid.simulator.events import PROGRESSIVE
from hybrid.simulator.look import CLINIC, STANDARD
from hybrid.simulator.presets import COMPONENTS, get_preset
from hybrid.simulator.settings import Settings
from hybrid.simulator.swim import swim

SETTINGS = Settings()


@pytest.fixture(scope="module")
def cells():
    return [draw_cell(seed, i, SETTINGS, get_preset("clinic")) for seed in range(24) for i in range(20)]


def test_clinic_has_the_fixed_shares():
    assert get_preset("clinic").shares == get_preset("standard").shares


def test_components_have_unit_variance_and_do_not_correlate(cells):
    parts = np.array([[getattr(cell.quality, name) for cell in cells] for name in COMPONENTS])
    np.testing.assert_allclose(parts.mean(1), 0, atol=0.15)
    np.testing.assert_allclose(parts.std(1), 1, atol=0.15)
    np.testing.assert_allclose(np.corrcoef(parts), np.eye(4), atol=0.15)


def test_what_gets_ahead_has_an_event_and_good_and_bad_ones_look_alike(cells):
    signs = np.array([cell.event.sign for cell in cells])
    moving = np.array([cell.beat.kind in PROGRESSIVE for cell in cells])
    assert (np.abs(signs) == moving).all()
    assert moving.mean() == pytest.approx(CLINIC.event_share, abs=0.05)
    assert abs(signs[moving].mean()) < 0.15


@pytest.mark.parametrize("kind", ["turns", "pause"])
def test_a_good_cell_keeps_its_course_and_a_bad_one_loses_it(cells, kind):
    chosen = [cell for cell in cells if cell.event.kind == kind and cell.beat.kind == "rapid"]
    kept = {1: [], -1: []}
    for cell in chosen:
        path = swim(cell.beat, cell.form.length, cell.form.width, -0.01, 1.0, 0.0, cell.event)
        heading = path.at(np.array([0.0, 0.95]))[1]
        kept[cell.event.sign].append(np.cos(heading[1] - heading[0]))
    assert np.median(kept[1]) > 0.8 > 0.5 > np.median(kept[-1])


def test_the_camera_is_nearer_and_standards_is_as_it_was():
    assert STANDARD.camera(SETTINGS) == SETTINGS
    assert CLINIC.camera(SETTINGS).um_per_px == pytest.approx(SETTINGS.um_per_px / CLINIC.magnification)
    assert CLINIC.camera(Settings(exposure=1 / 16)).exposure == 1 / 16
