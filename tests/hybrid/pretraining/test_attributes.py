"""What is learned is what the simulator's truth says of the clip, as it is seen, and nothing that is graded."""

import numpy as np
import pytest
import torch

from hybrid.data.transforms import AugmentParams, apply
from hybrid.model.frame_values import FRAME_VALUES, columns_of, turned
from hybrid.pretraining.attributes import CHOICES, TARGETS, Attributes, frame_values, known, relations, turn_of
from hybrid.simulator.clip import draw_cell, film
from hybrid.simulator.presets import get_preset
from hybrid.simulator.settings import Settings
from hybrid.simulator.truth import frame_series, path_rows, truth_row

# Every column of truth.csv that is the grade, a part of it, or made from one; and what a clip is filmed by.
GRADED = {"donor", "oracle_mse", "event_sign", "microscope", "defocus", "votes"}
GRADED_PREFIXES, GRADED_SUFFIXES = ("quality", "expected_", "score_"), ("_steady",)
SMALL = Settings(size=32, subframes=1)


def truth_of(cell, settings) -> dict:
    _, masks, path, camera = film(cell, settings)
    series = {"path": path_rows(path, camera, settings), "series": frame_series(path, settings)}
    return truth_row(cell, path, settings) | series | {"votes": cell.votes, "masks": masks}


@pytest.fixture(scope="module")
def truths() -> list[dict]:
    preset = get_preset("standard")
    return [truth_of(draw_cell(10**6, index, SMALL, preset), SMALL) for index in range(6)]


def values_of(truth, settings=SMALL) -> np.ndarray:
    return known(truth, settings.frame_rate, settings.size / 2)


def graded(column: str) -> bool:
    return column in GRADED or column.startswith(GRADED_PREFIXES) or column.endswith(GRADED_SUFFIXES)


def test_nothing_that_is_graded_changes_what_is_learned(truths):
    """Flip the event's sign, swap the quality: of all that the truth says of good and bad no target knows."""
    there = {column for truth in truths for column in truth if graded(column)}
    assert there >= {"event_sign", "quality", "quality_event", "score_chromatin", "vsl_steady", "votes"}
    assert {truth["event_sign"] for truth in truths} >= {-1, 1}
    for truth in truths:
        flipped = truth | {"event_sign": -truth["event_sign"]}
        np.testing.assert_array_equal(values_of(flipped), values_of(truth))
        without = {column: value for column, value in truth.items() if not graded(column)}
        np.testing.assert_array_equal(values_of(without), values_of(truth))


def test_relations_and_frames_are_blind_to_the_events_moments(truths):
    """They are of the same parts and frames, whatever event there is and whenever."""
    truth = next(truth for truth in truths if truth["event_first"] >= 0)
    names = Attributes("dense", SMALL.num_frames, SMALL.frame_rate).names
    moved = truth | {"event": "none", "event_first": -1, "event_second": -1}
    changed = {name for name, a, b in zip(names, values_of(truth), values_of(moved), strict=True) if a != b}
    assert changed == {"event_first", "event_second", "class of event"}


def test_the_kinds_of_an_event_are_the_same_for_good_and_bad():
    (kinds,) = (choice.classes for choice in CHOICES if choice.name == "event")
    assert set(kinds) == {"none", "turns", "pause", "pace", "relation"}


@pytest.mark.parametrize("targets", TARGETS)
def test_values_are_the_truths(targets, truths):
    attributes = Attributes(targets, SMALL.num_frames, SMALL.frame_rate)
    values_NV = np.stack([values_of(truth) for truth in truths])[:, attributes.columns]
    assert values_NV.shape == (len(truths), len(attributes.names)) and values_NV.dtype == np.float32
    of = {name: values_NV[:, column] for column, name in enumerate(attributes.names)}
    for n, truth in enumerate(truths):
        assert of["vacuoles"][n] == truth["vacuoles"] and of["grain"][n] == pytest.approx(truth["grain"])
        assert of["neck"][n] == pytest.approx(abs(truth["neck_angle"]))
        assert np.expm1(of["vsl"][n]) == pytest.approx(truth["vsl_seen"], rel=1e-4)
        assert of["lin"][n] == pytest.approx(truth["lin_seen"], rel=1e-5)
        angle = np.arctan2(of["beat_sin"][n], of["beat_cos"][n])
        assert angle / (2 * np.pi) * SMALL.frame_rate == pytest.approx(truth["beat_hz_seen"], abs=1e-3)
        for t, row in enumerate(truth["path"]):
            assert of[f"heading_x {t}"][n] == pytest.approx(np.cos(row["heading"]), abs=1e-6)
            assert of[f"head_y {t}"][n] == pytest.approx((row["y_px"] - 15.5) / 16, abs=1e-5)
    with_events = targets != "dense_no_events"
    assert ("class of event" in of) == ("event_first" in of) == with_events
    assert ("turn 1-5" in of) == (targets != "dense_no_relations")
    assert ("bends 1-5" in of) == (targets not in ("dense_no_bends", "dense_no_relations"))
    for choice in attributes.choices:
        chosen = [choice.classes[int(code)] for code in of[f"class of {choice.name}"]]
        assert chosen == [truth[choice.name] for truth in truths]
    if with_events:
        first = [np.nan if truth["event_first"] < 0 else truth["event_first"] for truth in truths]
        np.testing.assert_array_equal(of["event_first"], np.float32(first))


def made_up_path(places_um, headings, amplitude, bend) -> dict:
    """Of a truth what frames and relations are made of."""
    rows = [
        {"heading": heading, "x_um": x, "y_um": y, "x_px": 50 + x, "y_px": 50 - y}
        for (x, y), heading in zip(places_um, headings, strict=True)
    ]
    tail_T32 = np.zeros((len(rows), 3, 2))
    return {"path": rows, "series": {"tail": tail_T32, "amplitude": np.array(amplitude), "bend": np.array(bend)}}


def test_relations_by_hand():
    """A cell that swims right, turns by a right angle in the fourth of ten frames, and then goes twice as fast."""
    steps = [(1, 0)] * 4 + [(0, 2)] * 5
    places = np.concatenate([[(0, 0)], np.cumsum(steps, axis=0)])
    truth = made_up_path(places, [0] * 4 + [np.pi / 2] * 6, [1.0] * 4 + [0.5] * 6, [0.1] * 2 + [0.0] * 6 + [-0.2] * 2)
    turn, speed, amplitude, bends = relations(truth, frame_rate=10).reshape(4, 10)  # 12 13 14 15 23 24 25 34 35 45
    np.testing.assert_allclose(turn, [1, 0, 0, 0, 0, 0, 0, 1, 1, 1], atol=1e-12)
    np.testing.assert_allclose(amplitude, [0, -0.5, -0.5, -0.5, -0.5, -0.5, -0.5, 0, 0, 0], atol=1e-12)
    np.testing.assert_allclose(bends, [0, 0, 0, -0.02, 0, 0, 0, 0, 0, 0], atol=1e-12)
    slow, fast = np.log1p(10), np.log1p(20)  # the last part ends with the clip, a frame early
    np.testing.assert_allclose(speed[[0, 1, 2, 4, 7]], [0, fast - slow, fast - slow, fast - slow, 0], atol=1e-12)
    assert speed[3] == pytest.approx(np.log1p(10) - slow)


def test_frames_by_hand():
    truth = made_up_path([(0, 0), (3, 4), (6, 8)], [0.0, 0.5, 1.0], [1, 1, 1], [0.1, 0.2, 0.3])
    frames_TD = frame_values(truth, frame_rate=2, half_view=50)
    of = dict(zip(FRAME_VALUES, frames_TD.T, strict=True))
    np.testing.assert_allclose(of["velocity_x"], 6)
    np.testing.assert_allclose(of["velocity_y"], 8)
    np.testing.assert_allclose(of["speed"], np.log1p(10))
    np.testing.assert_allclose(of["heading_y"], np.sin([0, 0.5, 1]))
    np.testing.assert_allclose(of["head_x"], (np.array([50, 53, 56]) - 49.5) / 50)
    np.testing.assert_allclose(of["bend"], [0.1, 0.2, 0.3])


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_step_turns_as_the_pixels_do(mirrored, turns):
    places = [(5, 9), (8, 9), (8, 14), (6, 15)]  # right, down
    frames_THWC = np.zeros((len(places), 24, 24, 1))
    for t, (right, down) in enumerate(places):
        frames_THWC[t, down, right] = 1
    view = AugmentParams(mirrored, turns, (0, 0), 1.0, 0.0)
    moved_THWC = np.empty_like(frames_THWC)
    apply(frames_THWC, view, moved_THWC)
    seen = [np.argwhere(frame)[0, ::-1] for frame in moved_THWC[..., 0]]
    np.testing.assert_array_equal(np.diff(places, axis=0) @ turn_of(view), np.diff(seen, axis=0))


@pytest.mark.parametrize("mirrored", [False, True])
def test_frames_of_a_view_are_those_of_the_cell_as_it_is_shown(mirrored, truths):
    """Mirrored, a cell that bends left bends right; turned, all its vectors turn, and nothing else changes."""
    turn_22 = turn_of(AugmentParams(mirrored, 1, (0, 0), 1.0, 0.0)).astype(float)
    frames_TD = torch.from_numpy(frame_values(truths[0], 16, 16.0))
    seen = dict(zip(FRAME_VALUES, turned(frames_TD[None], torch.from_numpy(turn_22)[None])[0].T, strict=True))
    was = dict(zip(FRAME_VALUES, frames_TD.T, strict=True))
    for name in ("heading", "tail_end", "velocity"):
        vector_T2 = torch.stack([was[f"{name}_x"], was[f"{name}_y"]], -1) @ torch.from_numpy(turn_22)
        torch.testing.assert_close(torch.stack([seen[f"{name}_x"], seen[f"{name}_y"]], -1), vector_T2)
    torch.testing.assert_close(seen["bend"], -was["bend"] if mirrored else was["bend"])
    torch.testing.assert_close(seen["speed"], was["speed"])
    assert columns_of("bend") == [12] and columns_of("tail") == [4, 5, 6, 7, 8, 9]


def test_heads_and_tails_lie_where_the_masks_have_them():
    settings = Settings(size=96, subframes=1)
    preset, half = get_preset("standard"), 48
    found = 0
    for index in range(20):
        cell = draw_cell(0, index, settings, preset)
        if cell.beat.kind not in ("rapid", "slow"):
            continue
        truth = truth_of(cell, settings)
        frames_TD = frame_values(truth, settings.frame_rate, half)
        for values_D, mask_HW in zip(frames_TD[::5], truth["masks"][::5], strict=True):
            of = dict(zip(FRAME_VALUES, values_D, strict=True))
            head, tail = (np.argwhere(part)[:, ::-1] for part in (mask_HW == 1, mask_HW > 1))
            if len(head) < 30 or not len(tail) or (head < 3).any() or (head > 92).any():
                continue
            place = np.array([of["head_x"], of["head_y"]]) * half + half - 0.5
            assert np.linalg.norm(place - head.mean(0)) < 1.5
            point = place + np.array([of["tail_middle_x"], of["tail_middle_y"]]) / settings.um_per_px
            if ((point > 3) & (point < 92)).all():
                assert np.linalg.norm(tail - point, axis=1).min() < 2.0
                found += 1
    assert found >= 5
