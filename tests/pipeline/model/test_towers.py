import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from torch import nn

from pipeline.model.tower import Tower
from pipeline.model.towers import NameBatch
from tests.feature_tables import text_of


@pytest.fixture
def feature():
    return torch.randn(9, 6, generator=torch.Generator().manual_seed(0)) * 3 + 5


def test_a_residual_path_adds_a_linear_map_of_the_inputs(feature):
    torch.manual_seed(0)
    tower = Tower(6, width=7, layers=3, dim=4, dropout=0.5, residual=True).eval()
    tower.standardise(feature)
    standard = (feature - feature.mean(dim=0)) / feature.std(dim=0, correction=0)
    summed = tower.layers(standard) + standard @ tower.skip.weight.T
    torch.testing.assert_close(tower(feature), nn.functional.normalize(summed, dim=1))


def test_one_layer_is_linear_without_a_residual_path():
    names = {
        name
        for name, _ in Tower(
            6, width=7, layers=1, dim=4, dropout=0.0, residual=True
        ).named_parameters()
    }
    assert names == {"layers.0.weight", "layers.0.bias"}


def test_inputs_are_dropped_in_training_alone(feature):
    torch.manual_seed(0)
    tower = Tower(6, width=7, layers=1, dim=4, dropout=0.0, input_dropout=0.5)
    assert torch.equal(tower.eval()(feature), tower.eval()(feature))
    assert not torch.equal(tower.train()(feature), tower.eval()(feature))
    # A dropped column is at its mean: with nearly all dropped, nearly all items look alike.
    nearly = Tower(6, width=7, layers=1, dim=4, dropout=0.0, input_dropout=0.999).train()
    nearly.standardise(feature)
    assert torch.unique(nearly(feature), dim=0).shape[0] < 9


def test_sparse_words_take_the_residual_path_and_are_dropped_too():
    torch.manual_seed(0)
    words = csr_matrix(np.eye(3, 5, dtype=np.float32))
    text = text_of({"tfidf": words})
    tower = Tower(
        0, width=7, layers=2, dim=4, dropout=0.0, words=5, residual=True, input_dropout=0.5
    )
    tower.standardise(text)
    rows = tower.word_scale * torch.from_numpy(words.toarray())
    hidden = (rows @ tower.words.weight + tower.layers[0].bias).clamp(min=0)
    summed = tower.layers[3](hidden) + rows @ tower.skip_words.weight
    torch.testing.assert_close(tower.eval()(text[:]), nn.functional.normalize(summed, dim=1))
    assert not torch.equal(tower.train()(text[:]), tower.eval()(text[:]))


@pytest.mark.parametrize("changed", [{}, {"classifier": "per_modality"}, {"fusion": "concat"}])
def test_names_are_classified_as_texts_without_a_picture(make_model, changed):
    model = make_model(**changed)
    text, image = torch.randn(5, 4), torch.randn(5, 6)
    names = NameBatch(text[:2], torch.tensor([2, 0]))
    plain, named = model(image, text), model(image, text, names)
    for one, other in zip(plain[:5], named[:5], strict=True):
        assert (one is None and other is None) or torch.equal(one, other)
    torch.testing.assert_close(named.name_logits_MK, plain.text_logits_BK[:2])
    assert named.name_class_M is names.class_M
    assert plain.name_logits_MK is None
