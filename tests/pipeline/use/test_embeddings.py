import numpy as np
import pytest
from scipy.sparse import csr_matrix

from pipeline.evaluate.predictions import predict_pairs
from pipeline.features.classes import make_classes
from pipeline.model.description import read_description
from pipeline.model.fusion import Fusion
from pipeline.model.model_file import StoredModel, save_model
from pipeline.model.onnx_file import export_onnx
from pipeline.use.embeddings import Features, class_probabilities, embed_features, join_features
from pipeline.use.network import load_network

TEMPERATURES = {"image_temperature": 1.5, "text_temperature": 0.7, "fused_temperature": 2.0}
BOTH = np.ones(9, dtype=bool)


@pytest.fixture(params=["late", "product", "concat", "labels"])
def stored(request, make_model):
    several = request.param == "labels"
    rule = "late" if several else request.param
    # As labels: a and b make up three paths.
    classes = make_classes(
        ["a<b", "a", "b", "c"] if several else ["a", "b", "c"],
        separator="<",
        label="parts" if several else "path",
    )
    fusion = Fusion(0.3, **TEMPERATURES, rule=rule, multi_label=several)
    return StoredModel(make_model(fusion=rule), fusion, classes, {"image": {}, "text": {}})


@pytest.fixture
def used(stored, tmp_path):
    """The same model as it is used: its network and its description."""
    save_model(tmp_path, stored)
    export_onnx(stored, tmp_path / "towers.onnx")
    description = read_description(tmp_path)
    return load_network(tmp_path, description, pytest.fail), description


def embed(used, *given):
    network, description = used
    return embed_features(network, description.dimension, Features(*given))


def test_items_with_both_get_the_embeddings_of_the_evaluation(stored, used, make_pairs):
    pairs = make_pairs(9)
    found = embed(used, pairs.image_NI.numpy(), BOTH, pairs.text_NT.numpy(), BOTH)
    wanted = predict_pairs(stored, pairs)
    for modality, matrix in found.modalities.items():
        assert np.abs(matrix - wanted[modality].embedding_ND.numpy()).max() < 1e-6
    probability_NK = class_probabilities(*used, found)
    assert np.array_equal(probability_NK.argmax(1), wanted["fused"].predicted_N)
    assert np.allclose(probability_NK.max(1), wanted["fused"].score_N)
    assert probability_NK.sum(1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("sparse", [False, True])
def test_an_item_with_one_modality_is_embedded_and_classified_by_it(
    stored, used, make_pairs, sparse
):
    pairs = make_pairs(3)
    has_image, has_text = np.array([True, False, True]), np.array([False, True, True])
    text_MF = pairs.text_NT[1:].numpy()
    found = embed(
        used,
        pairs.image_NI[[0, 2]].numpy(),
        has_image,
        csr_matrix(text_MF) if sparse else text_MF,
        has_text,
    )
    assert found.has_image.tolist() == has_image.tolist()
    assert found.has_text.tolist() == has_text.tolist()
    assert np.array_equal(found.fused_ND[0], found.image_ND[0])
    assert np.array_equal(found.fused_ND[1], found.text_ND[1])
    wanted = predict_pairs(stored, pairs)
    probability_NK = class_probabilities(*used, found)
    for row, modality in enumerate(("image", "text", "fused")):
        point_D = wanted[modality].embedding_ND[row].numpy()
        assert np.abs(found.modalities[modality][row] - point_D).max() < 1e-6
        assert probability_NK[row].argmax() == wanted[modality].predicted_N[row]
        assert probability_NK[row].max() == pytest.approx(wanted[modality].score_N[row].item())


def test_no_items_give_no_embeddings(used):
    nothing = np.zeros(0, dtype=bool)
    shapes = (np.zeros((0, 6), np.float32), nothing, np.zeros((0, 4), np.float32), nothing)
    found = embed(used, *shapes)
    assert len(found) == 0
    assert len(class_probabilities(*used, found)) == 0


@pytest.mark.parametrize("sparse", [False, True])
def test_some_of_the_items_can_be_taken(sparse):
    has_image, has_text = np.array([1, 0, 1, 1], bool), np.array([0, 1, 1, 0], bool)
    text_MF = np.array([[1.0], [2.0]])
    features = Features(
        np.array([[0.0], [2.0], [3.0]]),
        has_image,
        csr_matrix(text_MF) if sparse else text_MF,
        has_text,
        [None, "b", "c", None],
    )
    taken = features.take(np.array([1, 2]))
    assert len(taken) == 2
    assert taken.image_PI.tolist() == [[2.0]]
    assert taken.has_image.tolist() == [False, True]
    shown = taken.text_MF.toarray() if sparse else taken.text_MF
    assert shown.tolist() == [[1.0], [2.0]]
    assert taken.texts == ["b", "c"]
    assert features.take(np.array([0])).texts == [None]


@pytest.mark.parametrize("kind", [np.asarray, csr_matrix])
def test_items_of_several_parts_are_joined_whatever_they_have(kind):
    text_MF = kind(np.arange(6, dtype=np.float32).reshape(2, 3))
    both = Features(
        np.ones((1, 4), np.float32), np.array([True, False]), text_MF, np.array([True, True]),
        ["a", "b"],
    )  # fmt: skip
    # Without a text: the features of texts might be sparse, and nobody knows.
    picture = Features(
        np.zeros((1, 4), np.float32), np.array([True]), np.zeros((0, 3), np.float32),
        np.array([False]), [None],
    )  # fmt: skip
    joined = join_features([picture, both])
    assert joined.has_image.tolist() == [True, True, False]
    assert joined.has_text.tolist() == [False, True, True]
    assert joined.texts == [None, "a", "b"]
    assert np.array_equal(joined.image_PI[:, 0], [0, 1])
    assert type(joined.text_MF) is type(text_MF)
    assert joined.text_MF.shape == (2, 3)
    assert len(join_features([picture])) == 1
