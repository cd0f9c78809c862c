import numpy as np
import pytest
import torch
from models_under_test import WeightedSum, lively, noise
from numpy.testing import assert_allclose
from support import FIRST_DESIGN

from hybrid.analysis.attributions import gradients
from hybrid.analysis.base import Attribution, InputClips
from hybrid.analysis.measures.attention import TemporalRollout
from hybrid.analysis.measures.frame_mass import FrameMass, IntegratedFrameMass, PathwayFrameMass
from hybrid.analysis.measures.localisation import Localisation, half_a_cell, parts
from hybrid.analysis.registry import ATTRIBUTIONS
from hybrid.data.simulated import HEAD, MIDPIECE, TAIL
from hybrid.errors import UserError


class Planted(Attribution):
    """Says what it was told, clip by clip."""

    name = title = source = "planted"

    def __init__(self, relevance_NTHW: torch.Tensor):
        self.left = list(relevance_NTHW)

    def relevance(self, tested, clip_BCTHW):
        return torch.stack([self.left.pop(0) for _ in clip_BCTHW])


def clips_with_masks(batch: int = 3, frames: int = 8) -> InputClips:
    """Head of 8 x 8 px moving right, midpiece of 4 below it, tail one pixel wide and 24 long."""
    mask = np.zeros((batch, frames, 64, 64), np.uint8)
    for t in range(frames):
        mask[:, t, 10:18, 4 + t : 12 + t] = HEAD
        mask[:, t, 18:22, 8 + t] = MIDPIECE
        mask[:, t, 22:46, 8 + t] = TAIL
    clip = noise(batch, frames)
    names = tuple(map(str, range(batch)))
    return InputClips(clip, np.full((batch, 5), 0.2), names, 16.0, mask_NTHW=mask)


def localise(
    relevance: torch.Tensor, model: str = "timesformer", clips: InputClips | None = None
) -> dict[str, np.ndarray]:
    measure = Localisation(Planted(relevance))
    return measure.measure(lively(model), clips or clips_with_masks(), batch_size=2).figures


@pytest.mark.parametrize("part, code, pixels", [("head", HEAD, 64), ("midpiece", MIDPIECE, 4), ("tail", TAIL, 24)])
def test_relevance_planted_on_a_part_is_found_there(part, code, pixels):
    mask = torch.as_tensor(clips_with_masks().mask_NTHW)
    figures = localise((mask == code).float() * -3)  # signs do not count
    for other in ("head", "midpiece", "tail"):
        assert_allclose(figures[f"share {other}"], float(other == part))
        assert_allclose(figures[f"hit {other}"], float(other == part))
    assert_allclose(figures[f"area {part}"], pixels / 64**2)
    assert_allclose(figures[f"lift {part}"], 64**2 / pixels)
    assert_allclose(figures["share cell"], 1)


def test_relevance_that_knows_nothing_has_lift_one_and_hits_by_chance():
    figures = localise(torch.ones(3, 8, 64, 64))
    for part in ("head", "midpiece", "tail", "near tail", "cell"):
        assert_allclose(figures[f"lift {part}"], 1)
        assert_allclose(figures[f"hit {part}"], figures[f"area {part}"])


def test_the_pointing_game_takes_the_largest_pixel_of_each_frame():
    mask = torch.as_tensor(clips_with_masks().mask_NTHW)
    relevance = torch.rand(3, 8, 64, 64) * 0.5
    relevance[:, :2][mask[:, :2] == HEAD] += 1  # in two of the frames
    relevance[:, 2:, 60, 60] = 5
    relevance[:, 7] = 0  # a frame without relevance points nowhere
    assert_allclose(localise(relevance)["hit head"], 2 / 7)


def test_near_the_tail_is_half_a_cell_around_it_and_nothing_of_the_head():
    tested, clips = lively("timesformer"), clips_with_masks()
    assert half_a_cell(tested, clips) == 8
    assert [half_a_cell(lively(model), clips) for model in ("vit", "vgg16", "slowfast")] == [4, 8, 16]
    mask = torch.as_tensor(clips.mask_NTHW)
    on = parts(mask, 8)
    near = on["near tail"][0, 0]
    assert near[30, :17].all() and not near[30, 17:].any()  # column 8 and 8 to each side
    assert near[53, 8] and not near[54, 8] and not (near & on["head"][0, 0]).any()
    beside = torch.zeros(3, 8, 64, 64)
    beside[:, torch.arange(8), 30, torch.arange(8) + 12] = 1
    figures = localise(beside)
    assert_allclose(figures["share tail"], 0)
    assert_allclose(figures["share near tail"], 1)


def test_image_models_are_judged_by_the_frame_they_see():
    mask = torch.as_tensor(clips_with_masks().mask_NTHW).clone()
    relevance = torch.zeros(3, 8, 64, 64)
    relevance[:, 0] = (mask[:, 0] == HEAD).float()
    assert_allclose(localise(relevance, "vgg16")["lift head"], 64)


def test_a_clip_that_lacks_the_part_or_has_no_relevance_has_no_number():
    clips = clips_with_masks()
    clips.mask_NTHW[1][clips.mask_NTHW[1] == TAIL] = 0
    relevance = torch.ones(3, 8, 64, 64)
    relevance[2] = 0
    figures = localise(relevance, clips=clips)
    assert np.isnan(figures["lift tail"]).tolist() == [False, True, True]
    assert np.isnan(figures["hit head"]).tolist() == np.isnan(figures["share head"]).tolist() == [False, False, True]


def test_without_masks_the_measure_says_so():
    clips = InputClips(noise(), np.full((2, 5), 0.2), ("a", "b"), 16.0)
    with pytest.raises(UserError, match="no masks/"):
        Localisation(Planted(torch.ones(2, 8, 64, 64))).measure(lively("vit"), clips)


def test_mass_by_frame():
    relevance = torch.zeros(3, 8, 64, 64)
    relevance[0, 5, 3, 3] = -2  # all in one frame
    relevance[1] = 0.1  # even
    result = FrameMass(Planted(relevance)).measure(lively("r3d"), clips_with_masks(), batch_size=2)
    effective = result.figures["effective frames (frames)"]
    assert_allclose(effective[:2], [1, 8]) and np.isnan(effective[2])
    curve = result.curves["share"]
    assert_allclose(curve.x_X, np.arange(8) / 16)
    assert_allclose(curve.y_NX[:2], [np.eye(8)[5], np.full(8, 1 / 8)], atol=1e-6)


def test_integrated_gradients_by_frame_say_how_complete_they_are():
    """Of a function that sums the pixels of frame 2, all mass is there, and nothing is missing."""
    weight = torch.zeros(3, 8, 64, 64)
    weight[:, 2] = 1
    measure = IntegratedFrameMass(gradients.from_blur(steps=4))
    figures = measure.measure(WeightedSum(weight), clips_with_masks(), batch_size=2).figures
    assert_allclose(figures["effective frames (frames)"], 1)
    assert (figures["completeness gap"] < 1e-5).all() and (figures["completeness gap of change"] < 1e-3).all()
    real = measure.measure(lively("r3d"), clips_with_masks(), batch_size=2).figures
    assert (real["completeness gap"] > 0).all() and (
        real["completeness gap"] < real["completeness gap of change"]
    ).all()


def test_grad_cam_by_frame_keeps_pathways_apart():
    measure = PathwayFrameMass(ATTRIBUTIONS["grad_cam"])
    result = measure.measure(lively("slowfast"), clips_with_masks(2), batch_size=1)
    both = result.curves["share of slow"].y_NX + result.curves["share of fast"].y_NX
    assert_allclose(both, result.curves["share"].y_NX, rtol=1e-6)
    assert_allclose(result.figures["share of slow"], result.curves["share of slow"].y_NX.sum(axis=1))
    assert list(measure.measure(lively("r3d"), clips_with_masks(2)).curves) == ["share"]


@pytest.mark.parametrize(
    "model, options",
    [
        ("timesformer", {}),
        ("vivit", {}),
        ("hybrid", FIRST_DESIGN),
        ("hybrid", FIRST_DESIGN | dict(scope="fast_to_slow")),
        ("hybrid", FIRST_DESIGN | dict(window=3)),
    ],
)
def test_rollout_in_time_moves_no_more_than_there_is(model, options):
    tested, clips = lively(model, **options), clips_with_masks(2)
    measure = TemporalRollout()
    assert measure.applies_to(tested.model)
    result = measure.measure(tested, clips, batch_size=1)
    matrix = result.matrices["rollout"]
    assert matrix.rows == matrix.columns and len(matrix.rows) == {"timesformer": 8, "vivit": 4, "hybrid": 10}[model]
    assert_allclose(matrix.value_RC.sum(axis=1), 1, rtol=1e-5)
    assert_allclose(result.curves["by lag"].y_NX.sum(axis=1), 1, rtol=1e-5)
    assert ((0 < result.figures["distance (s)"]) & (result.figures["distance (s)"] < 0.5)).all()
    if options.get("scope") == "fast_to_slow":
        fast = [row.startswith("fast") for row in matrix.rows]
        assert_allclose(matrix.value_RC[fast], np.eye(10)[fast], err_msg="Fast asks nothing")
    if options.get("window") == 3:  # two layers of one frame to each side
        times = np.array([float(row.split()[1]) for row in matrix.rows])
        far = np.abs(times[:, None] - times[None, :]) > 2.5 / 16  # names are rounded
        assert (matrix.value_RC[far] == 0).all() and result.figures["own"].min() > 1 / 10


def test_rollout_in_time_by_hand(monkeypatch):
    """One layer that adds a third of what there is, and reads the first frame alone."""
    tested = lively("timesformer")
    run = tested.model.forward_intermediates

    def planted(clip):
        logits, inside = run(clip)
        for layer, attention in inside.attention.items():
            attention.weights = torch.zeros_like(attention.weights)
            attention.weights[..., 0] = 1
            attention.update_ratio = {"": torch.full((len(clip),), 1 / 3 if layer == "blocks.0" else 0.0)}
        return logits, inside

    monkeypatch.setattr(tested.model, "forward_intermediates", planted)
    result = TemporalRollout().measure(tested, clips_with_masks(2))
    expected = 0.75 * np.eye(8)
    expected[:, 0] += 0.25
    assert_allclose(result.matrices["rollout"].value_RC, expected, rtol=1e-5, atol=1e-7)
    assert_allclose(result.figures["distance (s)"], 0.25 * np.arange(8).mean() / 16, rtol=1e-5)


def test_rollout_in_time_is_for_attention_over_time():
    applies = [model for model in ("vgg16", "vit", "slowfast", "timesformer", "vivit", "hybrid")
               if TemporalRollout().applies_to(lively(model).model)]  # fmt: skip
    assert applies == ["timesformer", "vivit"], "the hybrid's answer comes past its attention as well"
    assert TemporalRollout().applies_to(lively("hybrid", **FIRST_DESIGN).model)
