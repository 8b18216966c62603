import pytest
import torch
from torch.nn import functional

from pipeline.train.objectives.objective import LossSettings

SETTINGS = {
    "alpha": 1.5,
    "beta": 2.0,
    "gamma": 0.5,
    "margin": 0.9,
    "relaxation": "paper",
    "kernel": "reference",
    "precision": "fp32",
    "triplet_margin": 0.2,
    "cme_margin": 0.9,
    "adamine_margin": 0.3,
    "adamine_class_weight": 0.4,
}
PSI = functional.normalize(torch.randn(3, 8, generator=torch.Generator().manual_seed(5)), dim=1)


@pytest.fixture
def psi():
    """[3, 8] class-name embeddings, as long as the small model's embeddings."""
    return PSI


@pytest.fixture
def make_objective():
    """Build an objective over three classes; keywords change its settings."""

    def build(kind, **changed):
        return kind(1 - PSI @ PSI.T, PSI, LossSettings(**{**SETTINGS, **changed}))

    return build


@pytest.fixture
def check_objective(make_model, make_pairs, make_objective):
    """Compare an objective on one batch with weighted parts that the test works out itself."""

    def check(kind, expected_parts, **changed):
        pairs = make_pairs(9)
        model = make_model(classifier=kind.classifier)
        output = model(pairs.image_NI, pairs.text_NT)
        total, parts = make_objective(kind, **changed)(output, pairs.label_N)
        expected = expected_parts(output, pairs.label_N)
        assert {name: part.item() for name, part in parts.items()} == pytest.approx(
            {name: value.item() for name, (_, value) in expected.items()}
        )
        weighted = sum(weight * value.item() for weight, value in expected.values())
        assert total.item() == pytest.approx(weighted, rel=1e-5)
        return model, total

    return check


@pytest.fixture
def tower_gradients():
    """Back-propagate and return the gradients of both towers, one after the other."""

    def gradients(model, total):
        model.zero_grad()
        total.backward()
        towers = (model.image_tower, model.text_tower)
        return torch.cat([p.grad.flatten() for tower in towers for p in tower.parameters()])

    return gradients
