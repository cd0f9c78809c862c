"""RoSTFine's parts against a plain implementation, frame by frame and token by token."""

import itertools

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.testing import assert_close

from baselines import create_model
from baselines.rostfine import SELECTED, mean_distribution, most_attended, similarity


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = create_model("rostfine", "tiny").eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


@pytest.fixture(scope="module")
def clip():
    return torch.randn(2, 3, 16, 64, 64, generator=torch.Generator().manual_seed(1))


def by_torch(branch, tokens_ND):
    """The branch of one sequence by torch's own attention, written out layer after layer."""
    x = tokens_ND.unsqueeze(0)
    for attention in branch.attention:
        reference = nn.MultiheadAttention(x.shape[-1], attention.heads, batch_first=True)
        reference.in_proj_weight.data = attention.qkv.weight.data
        reference.out_proj.weight.data, reference.out_proj.bias.data = (
            attention.proj.weight.data,
            attention.proj.bias.data,
        )
        x = F.layer_norm(x, x.shape[-1:], branch.norm1.weight, branch.norm1.bias)
        x, _ = reference(x, x, x)
    x = F.layer_norm(x, x.shape[-1:], branch.norm2.weight, branch.norm2.bias)
    x = F.linear(
        F.gelu(F.linear(x, branch.mlp.fc1.weight, branch.mlp.fc1.bias)), branch.mlp.fc2.weight, branch.mlp.fc2.bias
    )
    return x[0, 0]


@torch.no_grad()
def test_features_equal_those_of_a_plain_implementation(model, clip):
    _, seen = model.forward_intermediates(clip)
    last = list(seen.spatial_attention.values())[-1]
    x_BDTHW = list(seen.features.values())[-1].x_BCTHW
    features = model.forward_features(clip)
    for b in range(len(clip)):
        cls, chosen = features[b, 0], []
        for t in range(16):
            places = model.norm(x_BDTHW[b, :, t].flatten(1).T)
            attention = [sum(float(last[b, t, head, 0, 1 + n]) for head in range(3)) for n in range(len(places))]
            best = sorted(range(len(places)), key=lambda n: -attention[n])[:SELECTED]
            chosen.append(places[best])
        assert_close(features[b, 1], by_torch(model.time_branch, torch.cat([cls[None], *chosen])), rtol=1e-4, atol=1e-5)
        space = torch.stack([by_torch(model.space_branch, torch.cat([cls[None], tokens])) for tokens in chosen])
        assert_close(features[b, 2], space.mean(0), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_the_answer_is_the_mean_of_three_distributions(model, clip):
    features = model.forward_features(clip)
    three = [
        F.linear(features[:, f], model.head.weight[f], model.head.bias[f]).softmax(-1) for f in range(features.shape[1])
    ]
    assert len(three) == 3
    assert_close(model(clip).exp(), sum(three) / 3)
    assert_close(mean_distribution(model.head.each(features)).exp().sum(-1), torch.ones(2))


def test_loss_is_the_mean_of_three_and_the_similarity_of_features(model, clip):
    target = torch.tensor([[0.1, 0.2, 0.3, 0.4, 0.0], [0.5, 0.5, 0.0, 0.0, 0.0]])
    logits, parts = model.grade_loss(clip, target, lambda logits, target: F.mse_loss(logits.softmax(-1), target))
    features = model.forward_features(clip).detach()
    three = [F.mse_loss(model.head.each(features)[:, f].softmax(-1), target) for f in range(3)]
    cosines = [
        float(a @ b / a.norm() / b.norm()) for clip_FD in features for a, b in itertools.combinations(clip_FD, 2)
    ]
    assert_close(logits, model(clip))
    assert_close(parts["grades"], sum(three) / 3)
    assert_close(parts["diversity"].item(), sum(cosines) / len(cosines), rtol=1e-5, atol=1e-6)
    assert set(parts) == {"grades", "diversity"}


def test_equal_features_are_as_similar_as_can_be():
    one = torch.randn(4, 1, 8)
    assert_close(similarity(one.expand(-1, 3, -1)), torch.tensor(1.0))
    assert_close(similarity(torch.eye(3).expand(4, 3, 3)), torch.tensor(0.0))


def test_selection_takes_what_the_class_token_attends_to_most():
    x = torch.arange(6.0).reshape(1, 6, 1, 1).expand(1, 6, 2, 1)  # every patch holds its number
    weights = torch.zeros(1, 2, 2, 7, 7)
    weights[0, 0, :, 0, 1:] = torch.tensor([[0.0, 5, 0, 4, 0, 3], [0.0, 0, 0, 0, 0, 3]])  # heads add up: 5, 4, 6
    weights[0, 1, 0, 0, 1:] = torch.tensor([9.0, 0, 8, 0, 7, 0])
    weights[0, :, :, 1:, :] = 100.0  # rows of other tokens do not count
    assert most_attended(x, weights)[0, :, :, 0].tolist() == [[5.0, 1.0, 3.0], [0.0, 2.0, 4.0]]


def test_starts_from_timesformer(tmp_path):
    timesformer = create_model("timesformer", "tiny")
    torch.save(timesformer.state_dict(), tmp_path / "timesformer.pt")
    model = create_model("rostfine", "tiny", pretrained=str(tmp_path / "timesformer.pt"))
    report = model.load_report
    assert report.new and all(key.startswith(("time_branch.", "space_branch.")) for key in report.new)
    assert report.dropped_head == ["head.weight", "head.bias"]
    assert torch.equal(model.blocks[1].attn.qkv.weight, timesformer.blocks[1].attn.qkv.weight)
