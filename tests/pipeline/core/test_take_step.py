from pathlib import Path

import pytest
import torch

from pipeline.core.take_step import spare_the_compiler, take_step
from tests.fresh_process import modules_after

ROOT = Path(__file__).parents[3]
COMPILER = {"torch._dynamo", "torch._inductor", "sympy"}


def test_a_step_with_a_closure_is_that_of_torch():
    found = []
    for step in (take_step, torch.optim.LBFGS.step):
        spare_the_compiler()
        weight = torch.tensor([3.0, -2.0], requires_grad=True)
        optimizer = torch.optim.LBFGS([weight], max_iter=5, line_search_fn="strong_wolfe")

        def loss(weight=weight, optimizer=optimizer):
            optimizer.zero_grad()
            value = (weight - torch.tensor([1.0, 4.0])).square().sum()
            value.backward()
            return value

        step(optimizer, loss)
        found.append(weight.detach().tolist())
    assert found[0] == found[1]
    assert found[0] == pytest.approx([1, 4], abs=1e-4)


def test_neither_training_nor_the_audits_classifiers_nor_a_seed_import_the_compiler():
    """It takes as long as torch itself."""
    code = """
import numpy as np, torch
from torch import nn
from pipeline.audit.probe import fit_probe
from pipeline.core.seeding import seed_everything
from pipeline.core.take_step import spare_the_compiler, take_step
from pipeline.train.optimizer import make_optimizer
from tests.shipped import shipped
seed_everything(0, torch.device("cpu"))
layer = nn.Linear(2, 2)
optimizer = make_optimizer(layer, shipped("train"))
layer.weight.sum().backward()
take_step(optimizer)
optimizer.zero_grad()
optimizer.load_state_dict(optimizer.state_dict())
fit_probe(np.eye(4, dtype=np.float32), np.arange(4), 4, seed=0)
weight = torch.ones(1, requires_grad=True)
take_step(torch.optim.LBFGS([weight]), lambda: weight.sum())
"""
    assert modules_after(code, ROOT).isdisjoint(COMPILER)
