import csv

import numpy as np
import pytest
import torch
from analysis_subjects import lively, noise
from numpy.testing import assert_allclose
from support import write_dataset

from hybrid import list_models
from hybrid.analysis.attribution import Attribution
from hybrid.analysis.attributions import ATTRIBUTIONS
from hybrid.analysis.relevance.frame_mass import FrameMass
from hybrid.analysis.sanity.permuted_labels import permute_labels
from hybrid.analysis.sanity.randomisation import of_attribution, of_curve
from hybrid.analysis.sanity.randomised import layers_from_the_top, randomised
from hybrid.analysis.sanity.similarity import spearman, ssim
from hybrid.analysis.subject import Clips
from hybrid.data.labels import read_labels
from hybrid.data.ratings import read_ratings
from hybrid.errors import UserError


def clips(batch: int = 2) -> Clips:
    return Clips(noise(batch), np.full((batch, 5), 0.2), tuple(map(str, range(batch))), 16.0)


class Edges(Attribution):
    """What a sanity check must catch: it never looks at the model."""

    name = title = source = "edges"

    def applies_to(self, model):
        return True

    def passes(self, model, num_frames):
        return 0

    def relevance(self, subject, clip_BCTHW):
        return clip_BCTHW.diff(dim=-1, append=clip_BCTHW[..., -1:]).abs().sum(dim=1)


@pytest.mark.parametrize("model", list_models())
def test_layers_run_from_the_classifier_down_and_hold_every_parameter_once(model):
    subject = lively(model).model
    layers = layers_from_the_top(subject)
    names = [name for layer in layers for name in layer]
    assert sorted(names) == sorted(name for name, _ in subject.named_parameters())
    assert f"{subject.classifier}.weight" in layers[0] and f"{subject.first_convs[0]}.weight" in layers[-1]
    assert len(layers) >= 4


def test_shuffling_keeps_the_numbers_and_leaves_the_subject_alone():
    subject = lively("slowfast")
    before = {name: p.clone() for name, p in subject.model.named_parameters()}
    chosen = layers_from_the_top(subject.model)[1]
    shuffled = dict(randomised(subject, chosen, seed=3).model.named_parameters())
    for name, parameter in subject.model.named_parameters():
        assert torch.equal(parameter, before[name])
        assert torch.equal(shuffled[name], parameter) == (name not in chosen) or parameter.numel() == 1
        assert torch.equal(shuffled[name].flatten().sort().values, parameter.flatten().sort().values)
    again, other = (dict(randomised(subject, chosen, seed).model.named_parameters()) for seed in (3, 4))
    assert all(torch.equal(shuffled[name], again[name]) for name in chosen)
    assert not all(torch.equal(shuffled[name], other[name]) for name in chosen)


@pytest.mark.parametrize("model", ["r3d", "vit"])
def test_forgetting_everything_lowers_similarity(model):
    measure, subject = of_attribution(ATTRIBUTIONS["gradient_input"]), lively(model)
    finding = measure.measure(subject, clips())
    layers = len(layers_from_the_top(subject.model))
    for curve in finding.curves.values():
        assert curve.y_NX.shape == (2, layers) and np.isfinite(curve.y_NX).all()
    assert (finding.figures["rank correlation, all shuffled"] < 0.5).all()
    assert (finding.figures["structural similarity, all shuffled"] < 0.9).all()
    cascading, independent = (finding.curves[f"{kind}, rank correlation"].y_NX for kind in ("cascading", "independent"))
    assert_allclose(cascading[:, 0], independent[:, 0])
    assert not np.allclose(cascading[:, 1:], independent[:, 1:])


def test_the_cost_is_that_of_all_models_asked():
    subject, asked = lively("vit"), []

    class Counted(Edges):
        def passes(self, model, num_frames):
            return 1

        def relevance(self, subject, clip_BCTHW):
            asked.append(subject)
            return super().relevance(subject, clip_BCTHW)

    measure = of_attribution(Counted())
    measure.measure(subject, clips())
    assert measure.passes(subject.model, 8) == len(asked) and measure.passes_once(subject.model, 8) == 0


def test_a_map_that_does_not_look_at_the_model_is_caught():
    finding = of_attribution(Edges()).measure(lively("r3d"), clips())
    assert_allclose([curve.y_NX for curve in finding.curves.values()], 1, rtol=1e-5)


def test_rollout_knows_nothing_of_the_answer():
    """It reads no classifier, so forgetting that changes nothing; Transformer Explainability does."""
    rollout, explained = (
        of_attribution(ATTRIBUTIONS[name]).measure(lively("vit"), clips()).figures["rank correlation, top shuffled"]
        for name in ("attention_rollout", "transformer_explainability")
    )
    assert_allclose(rollout, 1)
    assert (explained < 0.999).all()


def test_curves_of_measures_are_checked_alike():
    measure = of_curve(FrameMass(ATTRIBUTIONS["gradient_input"]), "share")
    finding = measure.measure(lively("slowfast"), clips())
    assert measure.name == "randomisation_frame_mass_gradient_input_share"
    assert list(finding.curves) == ["cascading, rank correlation", "independent, rank correlation"]
    assert (finding.figures["rank correlation, all shuffled"] < 1).all()


def test_similarities_of_known_maps():
    a = np.random.default_rng(0).random((2, 3, 16, 16))
    assert_allclose(spearman(a, np.exp(a)), 1)
    assert_allclose(spearman(a, -a), -1)
    assert np.isnan(spearman(a, np.ones_like(a))).all()
    assert_allclose(ssim(a, 7 * a), 1, atol=1e-6)
    assert (ssim(a, np.random.default_rng(1).random(a.shape)) < 0.2).all()


def rated_dataset(root):
    """As support's, with the raw ratings that its labels sum up."""
    write_dataset(root)
    labels = read_labels(root)
    with open(root / "ratings.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["clip", "rater", "grade"])
        for clip, votes in zip(labels.clips, labels.votes_NK.astype(int), strict=True):
            given = [grade for grade, count in zip(labels.grades, votes, strict=True) for _ in range(count)]
            rows.writerows([clip, f"r{n}", grade] for n, grade in enumerate(given))
    return root


def test_permuted_labels_are_the_same_votes_of_other_clips(tmp_path):
    root = rated_dataset(tmp_path / "set")
    (root / "simulation.json").write_text('{"seed": 1}')
    copy = permute_labels(root, tmp_path / "copy", seed=1)
    true, permuted = read_labels(root), read_labels(copy)
    assert permuted.clips == true.clips and permuted.groups == true.groups and permuted.grades == true.grades
    assert not np.array_equal(permuted.votes_NK, true.votes_NK)
    assert sorted(map(tuple, permuted.votes_NK)) == sorted(map(tuple, true.votes_NK))
    read_ratings(copy, permuted)  # raises where ratings and labels tell different stories
    assert (copy / "clips").is_symlink() and (copy / "simulation.json").read_text() != '{"seed": 1}'
    other = read_labels(permute_labels(root, tmp_path / "other", seed=2))
    assert not np.array_equal(other.votes_NK, permuted.votes_NK)


def test_a_permuted_copy_is_made_once_and_overwrites_nothing(tmp_path):
    root = write_dataset(tmp_path / "set")
    copy = permute_labels(root, tmp_path / "copy")
    made = (copy / "labels.csv").stat().st_mtime_ns
    assert permute_labels(root, copy) == copy and (copy / "labels.csv").stat().st_mtime_ns == made
    for folder, seed in ((copy, 1), (root, 0)):
        with pytest.raises(UserError, match="exists and is not"):
            permute_labels(root, folder, seed)
    assert not list(tmp_path.glob(".*"))
