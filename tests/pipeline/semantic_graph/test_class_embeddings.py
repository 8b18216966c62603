import numpy as np
import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.semantic_graph.adjacency import class_adjacency, same_name_classes
from pipeline.semantic_graph.class_embeddings import embed_classes
from pipeline.semantic_graph.settings import BLEND, GRAPH_ENCODERS, GraphSettings

PATHS = [
    ["clothing", "knitwear", "sweaters"],
    ["clothing", "knitwear", "cardigans"],
    ["clothing", "dresses"],
    ["Food & Drink"],
    ["shoes", "flat shoes"],
    ["shoes", "shoes flat"],
]
GLOVE, MINILM = "packaged/glove_6b_50d", "packaged/all_minilm_l6_v2"


@pytest.fixture
def settings(infersent_weights, tiny_clip):
    return GraphSettings.model_validate(
        {
            "encoder": "path",
            "of": "path",
            "glove": {"vectors": GLOVE},
            "sentence": {"model": MINILM},
            "transformer": {"model": MINILM, "layers": 2, "combine": "mean"},
            "open_clip": {"model": tiny_clip},
            "infersent": {"version": 1, "weights": str(infersent_weights()), "vectors": GLOVE},
            "blend": {"encoders": ["path", "glove"], "weight": 0.25},
        }
    )


@pytest.fixture
def embed(settings, tmp_path):
    """Embed class paths with an encoder, or with the path and another one blended."""

    def embed(paths, encoder, of="parts_mean", blended="glove"):
        both = settings.blend.model_copy(update={"encoders": ["path", blended]})
        changed = settings.model_copy(update={"encoder": encoder, "blend": both})
        return embed_classes(paths, of, changed, tmp_path)

    return embed


@pytest.fixture
def adjacency(embed):
    """Compute the distances between class paths."""
    return lambda *given: class_adjacency(embed(*given).embedding_KE)


@pytest.mark.parametrize("of", ["path", "leaf", "parts_mean"])
@pytest.mark.parametrize("encoder", [*GRAPH_ENCODERS, BLEND])
def test_invariants_of_the_graph(adjacency, encoder, of):
    adjacency_KK = adjacency(PATHS, encoder, of)
    assert adjacency_KK.dtype == np.float32
    assert np.isfinite(adjacency_KK).all()
    assert np.array_equal(adjacency_KK, adjacency_KK.T)
    assert not adjacency_KK.diagonal().any()
    assert adjacency_KK.min() >= 0
    assert adjacency_KK.max() <= 2
    order = [3, 5, 0, 4, 2, 1]
    shuffled_KK = adjacency([PATHS[k] for k in order], encoder, of)
    assert np.allclose(shuffled_KK, adjacency_KK[np.ix_(order, order)], rtol=0, atol=2e-6)
    fewer_KK = adjacency(PATHS[:4], encoder, of)
    if encoder not in ("path", "blend"):
        # What a text means does not depend on the other classes; how high a tree is does.
        assert np.allclose(fewer_KK, adjacency_KK[:4, :4], rtol=0, atol=2e-6)


@pytest.mark.parametrize("encoder", ["glove", "sentence", "transformer", "path", "blend"])
def test_related_classes_are_nearer_than_unrelated_ones(adjacency, encoder):
    adjacency_KK = adjacency(PATHS, encoder)
    assert adjacency_KK[0, 1] < adjacency_KK[0, 3]
    assert adjacency_KK[0, 2] < adjacency_KK[0, 3]


def test_classes_of_the_same_words_are_told_apart_by_their_order_or_place_alone(adjacency):
    # What is read is `shoes flat shoes` and `shoes shoes flat`.
    for encoder in ("sentence", "path", "blend"):
        assert same_name_classes(adjacency(PATHS, encoder, "path")) == []
    assert same_name_classes(adjacency(PATHS, "glove", "path")) == [(4, 5)]


def test_a_blend_is_the_weighted_mean_of_two_graphs(adjacency, embed):
    expected_KK = 0.25 * adjacency(PATHS, "path") + 0.75 * adjacency(PATHS, "glove")
    assert np.allclose(adjacency(PATHS, "blend"), expected_KK, rtol=0, atol=1e-6)
    paths = [["bags xyzzyq"], ["hats"]]
    found = embed(paths, "blend", "path")
    assert found.unknown_words == ["xyzzyq"]


@pytest.mark.parametrize("encoder", ["glove", "blend"])
@pytest.mark.parametrize("of", ["path", "parts_mean"])
def test_a_class_without_a_direction_is_named(settings, embed, tmp_path, encoder, of):
    """Vectors of a user's file may cancel each other."""
    (tmp_path / "v.txt").write_text("hot 1 2\ncold -1 -2\nred 1 1\nblue 1 0\n")
    vars(settings.glove)["vectors"] = f"file/{tmp_path}/v.txt"
    paths = [["red"], ["hot", "cold"], ["blue"]]
    if of == "parts_mean":
        with pytest.raises(
            InputError, match=r"^class 'hot < cold': its embedding is not finite, or"
        ):
            embed(paths, encoder, of)
    else:
        found = embed(paths, encoder, of)
        assert found.stand_ins == {"hot < cold": "cold"}


@pytest.mark.parametrize("encoder", ["infersent", "blend"])
def test_a_class_whose_embedding_is_not_finite_is_named(embed, infersent_weights, encoder):
    """As of damaged weights."""
    path = infersent_weights()
    weights = torch.load(path, weights_only=True)
    weights["enc_lstm.bias_ih_l0"][:] = torch.nan
    torch.save(weights, path)
    with pytest.raises(InputError) as caught:
        embed([["red", "boots"], ["hats"]], encoder, "path", "infersent")
    assert str(caught.value) == (
        "class 'red < boots', 'hats': its embedding is not finite, or is zero; choose another "
        "model or other vectors in graph.infersent, or rename the class in the catalogue"
    )
