import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.encoders.word_vectors import load_word_vectors
from pipeline.semantic_graph.bilstm_max import BilstmMax
from pipeline.semantic_graph.encoders.infersent import MARKS, Settings, embed, split_words

GLOVE = "packaged/glove_6b_50d"


def test_words_are_split_as_published():
    assert split_words("Men's coats & hats", 1) == ["Men", "'s", "coats", "&", "hats"]
    assert split_words("Men's coats & hats", 2) == ["Men", "'s", "coats", "&", "hats"]
    assert split_words("don't know", 1) == ["do", "n't", "know"]
    assert split_words("don't know", 2) == ["don", "'t", "know"]


@pytest.mark.parametrize("version", [1, 2])
def test_a_class_is_the_sentence_vector_of_its_words(infersent_weights, version):
    path = infersent_weights()
    found = embed(
        [["Xyzzyq Shoes", "ankle boots"], ["hats"]],
        "parts_mean",
        Settings(version=version, weights=str(path), vectors=GLOVE),
        path.parent,
    )
    assert found.unknown_words == ["Xyzzyq"]
    encoder = BilstmMax.load(path)
    words = {"shoes", "ankle", "boots", "hats", *MARKS[version]}
    glove = load_word_vectors(GLOVE, words)
    marks = [[mark] if mark in glove else [] for mark in MARKS[version]]
    shoes, boots, hats = (
        encoder.encode([glove[marks[0] + words + marks[1]]])[0]
        for words in (["shoes"], ["ankle", "boots"], ["hats"])
    )
    assert np.allclose(found.embedding_KE, [(shoes + boots) / 2, hats], atol=1e-6)


def test_vectors_of_another_dimension_are_refused(infersent_weights):
    path = infersent_weights(word_dimension=300)
    settings = Settings(version=1, weights=str(path), vectors=GLOVE)
    with pytest.raises(
        InputError,
        match=r"graph\.infersent\.vectors: packaged/glove_6b_50d has 50 numbers per word, but "
        r".*infersent\.pkl was trained with 300",
    ):
        embed([["hats"], ["bags"]], "leaf", settings, path.parent)


def test_a_class_without_a_known_word_is_named(infersent_weights):
    path = infersent_weights()
    settings = Settings(version=2, weights=str(path), vectors=GLOVE)
    with pytest.raises(InputError, match=r"class 'xyzzyq': .* graph\.infersent\.vectors"):
        embed([["hats"], ["xyzzyq"]], "leaf", settings, path.parent)
