import math
from typing import get_args

import pytest
import torch
from torch import nn

from pipeline.core.errors import InputError
from pipeline.train.optim import OPTIMIZERS, learning_rate, make_optimizer, set_learning_rate
from pipeline.train.plan import Plan
from pipeline.train.settings import Optimizer


def plan(**changed) -> Plan:
    values = {"optimizer": "adamw", "lr": 0.1, "steps": 10, "validate_every": 1, "monitor": "score"}
    return Plan(**{**values, **changed})


def one_step(name: str, **changed) -> nn.Linear:
    """A linear layer with weights of 1 after one step along a gradient of 1."""
    layer = nn.Linear(2, 2)
    for parameter in layer.parameters():
        nn.init.ones_(parameter)
        parameter.grad = torch.ones_like(parameter)
    make_optimizer(layer, plan(optimizer=name, **changed)).step()
    return layer


def test_the_parameters_name_every_usable_optimizer_of_torch():
    assert sorted(OPTIMIZERS) == sorted(get_args(Optimizer))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_takes_a_step_downhill(name):
    assert (one_step(name).weight < 1).all()


def test_weight_matrices_alone_are_decayed():
    # AdamW: w * (1 - lr * decay) - lr * 1 = 1 * (1 - 0.1 * 0.5) - 0.1 = 0.85; biases 1 - 0.1.
    layer = one_step("adamw", weight_decay=0.5)
    torch.testing.assert_close(layer.weight.data, torch.full((2, 2), 0.85))
    torch.testing.assert_close(layer.bias.data, torch.full((2,), 0.9))


def test_the_text_tower_learns_at_its_own_rate(make_model):
    model = make_model()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    made = make_optimizer(model, plan(optimizer="sgd", text_lr_factor=3.0, momentum=0.0))
    set_learning_rate(made, 0.01)
    made.step()
    for name, parameter in model.named_parameters():
        step = 0.03 if name.startswith("text_tower.") else 0.01
        torch.testing.assert_close(parameter.data, before[name] - step)


def test_a_new_optimizer_starts_at_the_rates_of_the_plan(make_model):
    made = make_optimizer(make_model(), plan(text_lr_factor=3.0))
    assert {group["lr"] for group in made.param_groups} == {0.1, 0.1 * 3.0}


def test_momentum_reaches_the_optimizers_that_have_it():
    for name in ("rmsprop", "sgd"):
        optimizer = make_optimizer(nn.Linear(2, 2), plan(optimizer=name, momentum=0.7))
        assert optimizer.param_groups[0]["momentum"] == 0.7
    # AdamW has its own: it is made as if nothing was given.
    assert make_optimizer(nn.Linear(2, 2), plan(momentum=0.7)).defaults["betas"] == (0.9, 0.999)


def test_weight_decay_that_would_be_ignored_is_refused():
    with pytest.raises(InputError, match=r"train\.weight_decay: rprop has none"):
        one_step("rprop", weight_decay=0.1)


def test_an_unknown_optimizer_is_refused():
    with pytest.raises(ValueError, match=r"unknown optimizer 'lion'; known: .*adamw"):
        one_step("lion")


def test_constant_rate():
    assert [learning_rate(plan(), step) for step in (0, 5, 9)] == [0.1] * 3


def test_cosine_falls_from_the_full_rate_towards_zero():
    cosine = plan(schedule="cosine")
    assert learning_rate(cosine, 0) == 0.1
    assert learning_rate(cosine, 5) == pytest.approx(0.05)
    assert learning_rate(cosine, 9) == pytest.approx(0.05 * (1 + math.cos(0.9 * math.pi)))


def test_warm_up_rises_to_the_full_rate_and_the_schedule_follows():
    # Four steps of warm-up: 1/4, 2/4, 3/4, 4/4 of the rate; then six steps of cosine.
    warm = plan(schedule="cosine", warmup=4)
    rates = [learning_rate(warm, step) for step in range(10)]
    assert rates[:5] == pytest.approx([0.025, 0.05, 0.075, 0.1, 0.1])
    assert rates[7] == pytest.approx(0.05)
    assert rates[4:] == sorted(rates[4:], reverse=True)


def test_an_unknown_schedule_is_refused():
    with pytest.raises(ValueError, match="unknown schedule 'linear'"):
        learning_rate(plan(schedule="linear"), 0)
