"""What is learned is what the simulator's truth says of the clip, as it is seen, and nothing that is graded."""

import numpy as np
import pandas as pd
import pytest

from hybrid.data.transforms import AugmentParams, apply
from hybrid.pretraining.attributes import CHOICES, NUMBERS, TARGETS, Attributes, known, turn_of
from hybrid.simulator.clip import draw_cell, film
from hybrid.simulator.presets import get_preset
from hybrid.simulator.settings import Settings
from hybrid.simulator.truth import path_rows, truth_row

# Every column of truth.csv that is the grade, a part of it, or made from one; and what a clip is filmed by.
GRADED = {"donor", "oracle_mse", "event_sign", "microscope", "defocus", "votes"}
GRADED_PREFIXES, GRADED_SUFFIXES = ("quality", "expected_", "score_"), ("_steady",)
SMALL = Settings(size=32, subframes=1)


@pytest.fixture(scope="module")
def truths() -> list[dict]:
    preset, found = get_preset("standard"), []
    for index in range(6):
        cell = draw_cell(10**6, index, SMALL, preset)
        _, _, path, camera = film(cell, SMALL)
        found.append(truth_row(cell, path, SMALL) | {"path": path_rows(path, camera, SMALL), "votes": cell.votes})
    return found


def graded(column: str) -> bool:
    return column in GRADED or column.startswith(GRADED_PREFIXES) or column.endswith(GRADED_SUFFIXES)


def test_nothing_that_is_graded_is_kept_or_learned(truths):
    there = {column for truth in truths for column in truth if graded(column)}
    assert there >= {"event_sign", "quality", "quality_event", "score_chromatin", "vsl_steady", "votes"}
    for truth in truths:
        assert not [column for column in known(truth) if graded(column)]
    assert not [attribute.column for attribute in (*NUMBERS, *CHOICES) if graded(attribute.column)]


def test_the_kinds_of_an_event_are_the_same_for_good_and_bad():
    (kinds,) = (choice.classes for choice in CHOICES if choice.name == "event")
    assert set(kinds) == {"none", "turns", "pause", "pace", "relation"}


@pytest.mark.parametrize("targets", TARGETS)
def test_values_are_the_truths(targets, truths):
    attributes = Attributes(targets, SMALL.num_frames, SMALL.frame_rate)
    values_NV = attributes.values(pd.DataFrame([known(truth) for truth in truths]))
    names = [*attributes.steps, *(n.name for n in attributes.numbers), *(c.name for c in attributes.choices)]
    assert values_NV.shape == (len(truths), len(names)) and values_NV.dtype == np.float32
    of = {name: values_NV[:, column] for column, name in enumerate(names)}
    for n, truth in enumerate(truths):
        places = np.array([[row["x_um"], row["y_um"]] for row in truth["path"]])
        steps = values_NV[n, : len(attributes.steps)].reshape(-1, 2)
        np.testing.assert_allclose(steps, np.diff(places, axis=0), rtol=1e-5, atol=1e-6)
        assert of["vacuoles"][n] == truth["vacuoles"] and of["neck"][n] == pytest.approx(abs(truth["neck_angle"]))
        assert np.expm1(of["vsl"][n]) == pytest.approx(truth["vsl_seen"], rel=1e-4)
        assert of["lin"][n] == pytest.approx(truth["lin_seen"], rel=1e-5)
        angle = np.arctan2(of["beat_sin"][n], of["beat_cos"][n])
        assert angle / (2 * np.pi) * SMALL.frame_rate == pytest.approx(truth["beat_hz_seen"], abs=1e-3)
    assert ("event" in of) == ("event_first" in of) == (targets == "physics+events")
    for choice in attributes.choices:
        assert [choice.classes[int(code)] for code in of[choice.name]] == [truth[choice.name] for truth in truths]
    if targets == "physics+events":
        first = [np.nan if truth["event_first"] < 0 else truth["event_first"] for truth in truths]
        np.testing.assert_array_equal(of["event_first"], np.float32(first))


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


def test_the_path_is_in_the_pictures_axes():
    """On a clip from a camera that stands still, steps in um are steps of the head's mask in pixels."""
    settings = Settings(size=96, camera="fixed", subframes=1)
    preset = get_preset("standard")
    cell = next(c for c in (draw_cell(0, n, settings, preset) for n in range(50)) if c.beat.kind == "rapid")
    _, masks, path, camera = film(cell, settings)
    truth = truth_row(cell, path, settings) | {"path": path_rows(path, camera, settings)}
    attributes = Attributes("physics", settings.num_frames, settings.frame_rate)
    steps = attributes.values(pd.DataFrame([known(truth)]))[0, : len(attributes.steps)].reshape(-1, 2)
    compared = 0
    for t in range(15):
        heads = [np.argwhere(masks[s] == 1) for s in (t, t + 1)]
        if min(map(len, heads)) < 30 or any((h < 3).any() or (h > 92).any() for h in heads):
            continue  # it has left the picture
        (down0, right0), (down1, right1) = (head.mean(0) for head in heads)
        seen = np.array([right1 - right0, down1 - down0]) * settings.um_per_px
        assert np.linalg.norm(seen - steps[t]) < 0.6  # um; a mask is whole pixels of 0.38 um
        compared += np.linalg.norm(steps[t]) > 1.5
    assert compared >= 3
