import numpy as np
import pytest

from pipeline.graph.adjacency import class_adjacency, same_name_classes
from pipeline.graph.class_embeddings import embed_classes

PATHS = [
    ["clothing", "knitwear", "sweaters"],
    ["clothing", "knitwear", "cardigans"],
    ["clothing", "dresses"],
    ["Food & Drink"],
    ["shoes", "flat shoes"],
    ["shoes", "shoes flat"],
]
SETTINGS = {
    "glove": {"vectors": "packaged/glove_6b_50d"},
    "blend": {"encoders": ["path", "glove"], "weight": 0.25},
}
ENCODERS = ["glove", "path", "blend"]


def adjacency(paths, encoder, of="parts_mean"):
    found = embed_classes(paths, encoder=encoder, of=of, settings=SETTINGS)
    return class_adjacency(found.embedding_KE)


@pytest.mark.parametrize("of", ["path", "leaf", "parts_mean"])
@pytest.mark.parametrize("encoder", ENCODERS)
def test_invariants_of_the_graph(encoder, of):
    adjacency_KK = adjacency(PATHS, encoder, of)
    assert adjacency_KK.dtype == np.float32
    assert np.isfinite(adjacency_KK).all()
    assert np.array_equal(adjacency_KK, adjacency_KK.T)
    assert not adjacency_KK.diagonal().any()
    assert adjacency_KK.min() >= 0
    assert adjacency_KK.max() <= 2
    order = [3, 5, 0, 4, 2, 1]
    shuffled_KK = adjacency([PATHS[k] for k in order], encoder, of)
    assert np.allclose(shuffled_KK, adjacency_KK[np.ix_(order, order)], rtol=0, atol=1e-6)
    # The graph tells the classes apart as far as the encoder can.
    assert adjacency_KK[0, 1] < adjacency_KK[0, 3]


def test_a_language_model_cannot_tell_classes_of_the_same_words_but_the_tree_can():
    assert same_name_classes(adjacency(PATHS, "glove")) == [(4, 5)]
    assert same_name_classes(adjacency(PATHS, "path")) == []
    assert same_name_classes(adjacency(PATHS, "blend")) == []


def test_a_blend_is_the_weighted_mean_of_two_graphs():
    expected_KK = 0.25 * adjacency(PATHS, "path") + 0.75 * adjacency(PATHS, "glove")
    assert np.allclose(adjacency(PATHS, "blend"), expected_KK, rtol=0, atol=1e-6)
    found = embed_classes(
        [["bags xyzzyq"], ["hats"]], encoder="blend", of="path", settings=SETTINGS
    )
    assert found.unknown_words == ["xyzzyq"]


def test_an_unknown_encoder_is_misuse():
    with pytest.raises(ValueError, match="unknown encoder 'bert'; known: glove, "):
        embed_classes(PATHS, encoder="bert", of="path", settings=SETTINGS)
