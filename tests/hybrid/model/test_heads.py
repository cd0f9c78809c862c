import pytest
import torch
from scipy.stats import logistic
from torch import nn

from hybrid import create_model
from hybrid.model.heads import OrdinalClassifier


@torch.no_grad()
def test_softmax_gives_the_cumulative_link_distribution():
    torch.manual_seed(0)
    classifier = OrdinalClassifier(6, 5)
    nn.init.normal_(classifier.place_and_spread.weight)
    nn.init.normal_(classifier.rise)
    x_BD = torch.randn(8, 6)
    place, log_spread = classifier.place_and_spread(x_BD).double().split(1, dim=-1)
    at_most = logistic.cdf(((classifier.threshold_K1 - place) / log_spread.exp()).numpy())
    expected = torch.as_tensor(at_most).diff(dim=1, prepend=torch.zeros(8, 1), append=torch.ones(8, 1))
    torch.testing.assert_close(classifier(x_BD).softmax(-1), expected.float(), atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(classifier(x_BD).exp().sum(-1), torch.ones(8))


@pytest.mark.parametrize("num_grades", [2, 3, 5])
def test_at_first_all_grades_are_alike_and_thresholds_rise(num_grades):
    classifier = OrdinalClassifier(4, num_grades)
    nn.init.zeros_(classifier.place_and_spread.weight)
    torch.testing.assert_close(classifier(torch.randn(2, 4)).exp(), torch.full((2, num_grades), 1 / num_grades))
    with torch.no_grad():
        classifier.rise.sub_(50)
    assert (classifier.threshold_K1.diff() >= 0).all()


def test_extreme_clips_give_finite_logits_and_gradients():
    classifier = OrdinalClassifier(1, 5)
    nn.init.constant_(classifier.place_and_spread.weight, 1.0)
    logits = classifier(torch.tensor([[-40.0], [-8.0], [8.0], [40.0]]))
    logits.softmax(-1).square().sum().backward()
    assert logits.isfinite().all()
    assert all(p.grad.isfinite().all() for p in classifier.parameters())


def test_one_direction_moves_the_whole_distribution_one_way():
    """What a score a grade cannot promise: a worse place makes every better grade's share of what is below smaller."""
    classifier = OrdinalClassifier(1, 5)
    with torch.no_grad():
        classifier.place_and_spread.weight.copy_(torch.tensor([[1.0], [0.0]]))
    at_most = classifier(torch.linspace(-3, 3, 9)[:, None]).softmax(-1).cumsum(-1)[:, :-1]
    assert (at_most.diff(dim=0) < 0).all()


def test_a_hybrid_with_it_can_be_given_other_grades_and_every_parameter_learns():
    model = create_model("hybrid", "tiny", classifier="ordinal", num_grades=4)
    assert model.get_submodule(model.classifier).out_features == 4
    model.reset_classifier(3)
    logits = model(torch.randn(2, 3, 8, 64, 64))
    assert logits.shape == (2, 3)
    logits.square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in model.head.proj.parameters())


def test_a_linear_classifiers_checkpoint_gives_all_but_the_classifier(tmp_path):
    source = create_model("slowfast", "tiny")
    torch.save(source.state_dict(), tmp_path / "slowfast.pt")
    model = create_model("hybrid", "tiny", classifier="ordinal", pretrained=str(tmp_path / "slowfast.pt"))
    assert all(key.startswith(model.classifier) for key in model.load_report.dropped_head)
    assert torch.equal(
        model.net.blocks[4].state_dict()["multipathway_blocks.0.res_blocks.0.branch2.conv_a.weight"],
        source.net.blocks[4].state_dict()["multipathway_blocks.0.res_blocks.0.branch2.conv_a.weight"],
    )
