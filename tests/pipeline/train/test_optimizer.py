import math
from typing import get_args

import pytest
import torch
from torch import nn

from pipeline.core.errors import InputError
from pipeline.core.take_step import take_step
from pipeline.train.optimizer import learning_rate, make_optimizer
from pipeline.train.settings import Optimizer
from tests.shipped import shipped


def descend(name: str, **changed) -> nn.Linear:
    """A linear layer with weights of 1 after one step of 0.1 along a gradient of 1."""
    layer = nn.Linear(2, 2)
    for parameter in layer.parameters():
        nn.init.ones_(parameter)
        parameter.grad = torch.ones_like(parameter)
    settings = {"optimizer": name, "lr": 0.1, "weight_decay": 0.0, **changed}
    take_step(make_optimizer(layer, shipped("train", **settings)))
    return layer


@pytest.mark.parametrize("name", get_args(Optimizer))
def test_every_optimizer_takes_a_step_downhill(name):
    assert (descend(name).weight < 1).all()


@pytest.mark.parametrize("name", get_args(Optimizer))
def test_a_step_is_that_of_torch(name):
    layers = []
    for step in (take_step, lambda optimizer: optimizer.step()):
        torch.manual_seed(0)
        layer = nn.Linear(3, 2)
        optimizer = make_optimizer(layer, shipped("train", optimizer=name, weight_decay=0.0))
        for _ in range(3):
            optimizer.zero_grad()
            layer(torch.ones(4, 3)).square().sum().backward()
            step(optimizer)
        layers.append(layer.state_dict())
    ours, theirs = layers
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    assert layer.weight.requires_grad


def test_weight_matrices_alone_are_decayed():
    # AdamW: w * (1 - lr * decay) - lr * 1 = 1 * (1 - 0.1 * 0.5) - 0.1 = 0.85; biases 1 - 0.1.
    layer = descend("adamw", weight_decay=0.5)
    torch.testing.assert_close(layer.weight.data, torch.full((2, 2), 0.85))
    torch.testing.assert_close(layer.bias.data, torch.full((2,), 0.9))


def test_momentum_reaches_the_optimizers_that_have_it():
    for name in ("rmsprop", "sgd"):
        settings = shipped("train", optimizer=name, momentum=0.7)
        assert make_optimizer(nn.Linear(2, 2), settings).param_groups[0]["momentum"] == 0.7
    # AdamW has its own: it is made as if nothing was given.
    adamw = make_optimizer(nn.Linear(2, 2), shipped("train", momentum=0.7))
    assert adamw.defaults["betas"] == (0.9, 0.999)


def test_weight_decay_that_would_be_ignored_is_refused():
    with pytest.raises(InputError, match=r"train\.weight_decay: rprop has none"):
        descend("rprop", weight_decay=0.1)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"schedule": "constant"}, {0: 0.1, 5: 0.1, 9: 0.1}),
        ({}, {0: 0.1, 5: 0.05, 9: 0.05 * (1 + math.cos(0.9 * math.pi))}),
        # Four steps of warm-up: 1/4, 2/4, 3/4, 4/4 of the rate; then six steps of cosine.
        ({"warmup": 4}, {0: 0.025, 1: 0.05, 2: 0.075, 3: 0.1, 4: 0.1, 7: 0.05}),
    ],
)
def test_the_learning_rate_follows_its_schedule(changed, expected):
    settings = shipped("train", lr=0.1, steps=10, **changed)
    assert {step: learning_rate(settings, step, 10) for step in expected} == pytest.approx(expected)
