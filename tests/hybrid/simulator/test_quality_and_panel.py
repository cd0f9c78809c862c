"""What makes a clip good, and how the panel says so."""

import numpy as np
import pytest

from hybrid.errors import UserError
from hybrid.simulator.clip import draw_cell, make_panel
from hybrid.simulator.events import draw_relation
from hybrid.simulator.form import PARTS, draw_form, head_cloud
from hybrid.simulator.panel import NUM_RATERS, draw_panel
from hybrid.simulator.presets import COMPONENTS, PRESETS, get_preset
from hybrid.simulator.quality import Quality
from hybrid.simulator.settings import Settings

SETTINGS = Settings()
STANDARD = get_preset("standard")


@pytest.fixture(scope="module")
def cells():
    """From many donors: 24 data sets of 20 clips each."""
    return [draw_cell(seed, i, SETTINGS, STANDARD) for seed in range(24) for i in range(20)]


def component(cells, name):
    return np.array([getattr(cell.quality, name) for cell in cells])


def test_the_shares_are_the_fixed_ones():
    assert STANDARD.shares == (0.30, 0.35, 0.25, 0.10)
    for preset in PRESETS.values():
        assert sum(preset.shares) == pytest.approx(1.0)
    kept = np.array(get_preset("no_event").shares)
    np.testing.assert_allclose(kept[[0, 1, 3]] / kept[0], np.array([0.30, 0.35, 0.10]) / 0.30)
    assert kept[2] == 0


def test_an_unknown_preset_is_refused():
    with pytest.raises(UserError, match="no preset is named 'lag3'; there are: .*lag4"):
        get_preset("lag3")


def test_components_have_unit_variance_and_do_not_correlate(cells):
    parts = np.stack([component(cells, name) for name in COMPONENTS])
    np.testing.assert_allclose(parts.mean(1), 0, atol=0.15)
    np.testing.assert_allclose(parts.std(1), 1, atol=0.15)
    np.testing.assert_allclose(np.corrcoef(parts), np.eye(4), atol=0.15)


def test_realised_shares_are_near_the_fixed_ones(cells):
    q = component(cells, "q")
    for name, share in zip(COMPONENTS, STANDARD.shares, strict=True):
        realised = np.sqrt(share) * np.cov(component(cells, name), q)[0, 1] / q.var()
        assert realised == pytest.approx(share, abs=0.07), name


def test_events_are_balanced_and_know_nothing_of_form_and_motion(cells):
    moving = [cell for cell in cells if cell.beat.motile]
    assert all(cell.event.sign == 0 for cell in cells if not cell.beat.motile)
    assert abs(np.mean([cell.event.sign for cell in moving])) < 0.15


def test_the_tails_shape_does_not_tell_the_motion(cells):
    motion = component(cells, "motion")
    shape = np.array([[c.beat.amplitude, c.beat.wave.wavelength, abs(c.beat.bend), 1.0] for c in cells])
    fitted = shape @ np.linalg.lstsq(shape, motion, rcond=None)[0]
    assert fitted.var() / motion.var() < 0.05


def test_the_same_clips_are_graded_by_every_preset_of_the_standard_family():
    same = [
        draw_cell(7, 3, SETTINGS, get_preset(name))
        for name in ("standard", "standard_no_event", "form_only", "motion_only")
    ]
    assert all(c.form == same[0].form and c.beat == same[0].beat and c.event == same[0].event for c in same)
    assert same[2].quality.q == pytest.approx(same[0].quality.form)
    assert same[3].quality.q == pytest.approx(same[0].quality.motion)


@pytest.mark.parametrize("lag", [2, 4, 8, 12])
def test_of_a_lag_set_each_moment_alone_is_independent_of_the_label(lag):
    rng = np.random.default_rng(lag)
    events = [draw_relation(rng, 16, 16.0, lag) for _ in range(2000)]
    first, second, sign = (np.array([getattr(e, n) for e in events]) for n in ("side", "second_side", "sign"))
    np.testing.assert_array_equal(sign, -first * second)
    for moment in (first, second):
        assert abs(np.corrcoef(moment, sign)[0, 1]) < 0.08
    for event in events:
        frames = np.array([event.first, event.second]) * 16
        assert frames[1] - frames[0] == pytest.approx(lag) and frames[0] >= 1 and frames[1] <= 14
    cell = draw_cell(1, 0, SETTINGS, get_preset(f"lag{lag}"))
    assert cell.event.kind == "relation" and cell.quality.q == cell.event.sign


def test_the_mixed_lag_set_holds_every_lag_and_lags_tell_nothing_of_the_label():
    cells = [draw_cell(1, index, SETTINGS, get_preset("lags")) for index in range(400)]
    lags = np.array([round((cell.event.second - cell.event.first) * SETTINGS.frame_rate) for cell in cells])
    sign = np.array([cell.event.sign for cell in cells])
    assert set(lags) == {2, 4, 8, 12}
    for lag in set(lags):
        assert np.mean(lags == lag) == pytest.approx(1 / 4, abs=0.1)
        assert sign[lags == lag].mean() == pytest.approx(0, abs=0.4)


def oracle_mse(distributions_RK: np.ndarray) -> float:
    """Expected MSE (mean over grades) of the best possible prediction, the panel's expected distribution, against the
    fractions of one round of votes: what is left is the chance of the draw."""
    variance_K = (distributions_RK * (1 - distributions_RK)).sum(0) / len(distributions_RK) ** 2
    return float(variance_K.mean())


def test_the_panel_is_calibrated(cells):
    panel = make_panel(0, STANDARD)
    rng = np.random.default_rng(0)
    votes = np.stack([np.bincount(panel.vote(cell.quality, rng), minlength=5) / NUM_RATERS for cell in cells])
    expected = np.stack([panel.distributions(cell.quality).mean(0) for cell in cells])
    assert 3e-2 < ((votes - votes.mean(0)) ** 2).mean() < 4e-2
    measured = ((votes - expected) ** 2).mean()
    assert measured < 0.4e-2
    promised = np.mean([oracle_mse(panel.distributions(cell.quality)) for cell in cells])
    assert measured == pytest.approx(promised, rel=0.08)
    assert votes.mean(0).min() > 0.08


def test_votes_follow_the_panels_distribution():
    panel = draw_panel(np.random.default_rng(1))
    quality = Quality(form=1.0, motion=-0.5, event=0.0, interaction=-0.5, q=0.2)
    rng = np.random.default_rng(2)
    votes = np.stack([panel.vote(quality, rng) for _ in range(4000)])
    found = np.stack([(votes == grade).mean(0) for grade in range(5)], 1)
    np.testing.assert_allclose(found, panel.distributions(quality), atol=0.04)


def test_better_clips_get_better_grades():
    panel = draw_panel(np.random.default_rng(0))
    mean = [panel.distributions(Quality(0, 0, 0, 0, q)).mean(0) @ np.arange(5) for q in (-2, -1, 0, 1, 2)]
    assert np.all(np.diff(mean) < -0.3)


def test_tastes_split_the_panel():
    """Good form with bad motion: raters with opposite tastes grade it apart."""
    panel = draw_panel(np.random.default_rng(0))
    grade = panel.distributions(Quality(form=2, motion=-2, event=0, interaction=-4, q=0)) @ np.arange(5)
    assert np.corrcoef(grade, panel.taste)[0, 1] < -0.5


def test_thresholds_are_ordered():
    assert (np.diff(draw_panel(np.random.default_rng(5)).thresholds, axis=1) <= 0).all()


def test_form_scores_are_standard_and_visible_as_texture_not_darkness():
    forms = [draw_form(np.random.default_rng(i), np.random.default_rng(10**6 + i).normal(size=4)) for i in range(400)]
    scores = np.array([[form.scores[part] for part in PARTS] for form in forms])
    np.testing.assert_allclose(scores.mean(0), 0, atol=0.2)
    np.testing.assert_allclose(scores.std(0), 1, atol=0.15)
    quality = np.array([form.quality for form in forms])
    assert quality.std() == pytest.approx(1, abs=0.12)
    phases = [head_cloud(form, 0.2)[1] for form in forms]
    assert abs(np.corrcoef([phase.mean() for phase in phases], quality)[0, 1]) < 0.15
    assert np.corrcoef([phase.std() / phase.mean() for phase in phases], quality)[0, 1] < -0.3


def test_a_normal_head_has_the_who_manuals_size():
    normal = [f for f in (draw_form(np.random.default_rng(i), np.zeros(4)) for i in range(200)) if f.head == "normal"]
    assert np.mean([f.length for f in normal]) == pytest.approx(4.25, abs=0.2)
    assert np.mean([f.width for f in normal]) == pytest.approx(2.8, abs=0.1)
