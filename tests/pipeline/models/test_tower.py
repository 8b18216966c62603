import pytest
import torch
from torch import nn

from pipeline.models.tower import Tower


@pytest.fixture
def feature():
    return torch.randn(9, 6, generator=torch.Generator().manual_seed(0)) * 3 + 5


def build(layers, *, features=6, width=7, dim=4, dropout=0.5):
    torch.manual_seed(0)
    return Tower(features, width=width, layers=layers, dim=dim, dropout=dropout)


@pytest.mark.parametrize("layers", [5, 2])
def test_the_papers_towers(layers):
    tower = Tower(1280, width=512, layers=layers, dim=512, dropout=0.15)
    shapes = [tuple(m.weight.shape) for m in tower.modules() if isinstance(m, nn.Linear)]
    assert shapes == [(512, 1280)] + [(512, 512)] * (layers - 1)
    assert [m.p for m in tower.modules() if isinstance(m, nn.Dropout)] == [0.15] * (layers - 1)


@pytest.mark.parametrize("layers", [1, 2, 5])
def test_a_tower_equals_its_layers_written_out(feature, layers):
    tower = build(layers).eval()
    tower.standardise(feature)
    linear = [m for m in tower.modules() if isinstance(m, nn.Linear)]
    assert len(linear) == layers
    hidden = (feature - feature.mean(dim=0)) / feature.std(dim=0, correction=0)
    for number, layer in enumerate(linear):
        hidden = hidden @ layer.weight.T + layer.bias
        if number < layers - 1:
            hidden = hidden.clamp(min=0)
    expected = hidden / hidden.square().sum(dim=1, keepdim=True).sqrt()
    assert torch.allclose(tower(feature), expected, atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
def test_embeddings_have_unit_norm(feature, training):
    embedding = build(3).train(training)(feature)
    assert embedding.shape == (9, 4)
    assert torch.allclose(embedding.norm(dim=1), torch.ones(9), atol=1e-6)


def test_nothing_is_dropped_from_the_embedding(feature):
    # With one layer there is no hidden unit to drop: training and evaluation agree.
    single = build(1, dropout=0.9)
    assert torch.equal(single.train()(feature), single.eval()(feature))
    # With two, hidden units are dropped, yet no entry of an embedding is exactly zero.
    double = build(2, dropout=0.5)
    assert not torch.equal(double.train()(feature), double.eval()(feature))
    assert double.train()(feature).count_nonzero() == 9 * 4


def test_features_may_come_in_any_unit(feature):
    tower, scaled = build(2).eval(), build(2).eval()
    tower.standardise(feature)
    scaled.standardise(feature * 1000 - 7)
    assert torch.allclose(tower(feature), scaled(feature * 1000 - 7), atol=1e-4)


def test_a_constant_feature_stays_finite(feature):
    feature[:, 2] = 3.0
    tower = build(2).eval()
    tower.standardise(feature)
    assert tower.std_F[2] == 1.0
    assert tower(feature).isfinite().all()


def test_standardisation_is_saved_with_the_weights(feature):
    tower = build(2)
    tower.standardise(feature)
    other = build(2)
    other.load_state_dict(tower.state_dict())
    assert torch.allclose(other.mean_F, feature.mean(dim=0))
    assert torch.allclose(other.std_F, feature.std(dim=0, correction=0))
    assert torch.equal(other.eval()(feature), tower.eval()(feature))
    # It is fitted, not learned.
    assert {name for name, _ in tower.named_parameters()} == {
        f"layers.{place}.{kind}" for place in (0, 3) for kind in ("weight", "bias")
    }
