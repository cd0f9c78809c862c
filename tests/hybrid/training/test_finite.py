"""A number that is not finite ends the run at its step; what was good before it is kept."""

import math

import pytest
import torch

from hybrid.errors import UserError
from hybrid.experiment.prepare import prepare
from hybrid.folders import run_folder
from hybrid.training.module import GradeModule
from hybrid.training.run import train_run


@pytest.fixture
def train(config_of):
    """Three steps an epoch."""

    def start(*overrides):
        config = config_of("model=vgg16", "protocol.batch_size=2", "protocol.epochs=3", *overrides)
        dataset, folds_RN = prepare(config)
        return train_run(config, dataset, folds_RN[0]), run_folder(config)

    return start


def spoil(monkeypatch, epoch, number, how):
    """how(loss, module) -> loss, in one step of one epoch."""
    original = GradeModule.training_step

    def step(self, batch, place):
        loss = original(self, batch, place)
        return how(loss, self) if (self.current_epoch, place) == (epoch, number) else loss

    monkeypatch.setattr(GradeModule, "training_step", step)
    return original


def infinite_loss(loss, module):
    return loss * math.inf


def one_gradient(loss, module):
    weight = module.model.get_submodule(module.model.classifier).weight
    return loss + torch.where(weight == weight, weight, 0).sum() * 0 + Poisoned.apply(weight)


class Poisoned(torch.autograd.Function):
    """0, with a gradient of NaN."""

    @staticmethod
    def forward(ctx, weight):
        ctx.shape = weight.shape
        return weight.new_zeros(())

    @staticmethod
    def backward(ctx, grad):
        return grad.new_full(ctx.shape, math.nan)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("how, said", [(infinite_loss, "the loss is inf"), (one_gradient, "gradients, 1 of 32")])
def test_the_step_its_clips_and_its_parameters_are_named(how, said, number, train, monkeypatch):
    original = spoil(monkeypatch, 1, number, how)
    with pytest.raises(UserError) as error:
        train()
    message = str(error.value)
    assert message.startswith(f"vgg16/repeat0-fold0: not finite in epoch 1, step {number} (counted from 0)")
    assert said in message and "model.recipe.learning_rate" in message and "32-true" not in message
    clips = message.partition("clips of this step: ")[2].splitlines()[0].split(", ")
    assert len(clips) == 2 and all(clip.endswith(".mkv") for clip in clips)
    if how is one_gradient:
        assert "fc" in message or "head" in message

    monkeypatch.setattr(GradeModule, "training_step", original)
    _, run = train()
    _, whole = train("experiment=whole")
    assert run.predictions.read_bytes() == whole.predictions.read_bytes(), "it continues from the last good epoch"


def test_neither_result_nor_checkpoint_is_left_of_numbers_that_are_not_finite(train, monkeypatch, config_of):
    run = run_folder(config_of("model=vgg16"))
    spoil(monkeypatch, 1, 2, infinite_loss)
    for _ in range(2):
        with pytest.raises(UserError, match="epoch 1, step 2"):
            train()
        assert not run.result.exists()
        weights = torch.load(run.last, weights_only=True)
        assert weights["epoch"] == 0 and all(value.isfinite().all() for value in weights["state_dict"].values())


def test_a_weight_is_seen_though_loss_and_gradients_were_finite(train, monkeypatch):
    original = GradeModule.optimizer_step

    def step(self, epoch, place, *rest, **named):
        original(self, epoch, place, *rest, **named)
        with torch.no_grad():
            next(self.parameters())[0] = math.inf if (epoch, place) == (1, 0) else 0

    monkeypatch.setattr(GradeModule, "optimizer_step", step)
    with pytest.raises(
        UserError, match="epoch 1, step 0 .*\n  weights, 1 of 32 not finite: model.net.features.0.weight\n"
    ):
        train()


def test_held_out_clips_without_an_answer_end_it_too(train):
    with pytest.raises(UserError, match="epoch 0 .*on the held-out clips test/mse is nan"):
        train("model.recipe.learning_rate=1e30", "protocol.batch_size=4")
