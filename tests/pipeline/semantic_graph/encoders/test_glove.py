import numpy as np
import pytest
from gensim.models import KeyedVectors

from pipeline.core.errors import InputError
from pipeline.semantic_graph.adjacency import class_adjacency
from pipeline.semantic_graph.encoders.glove import Settings, embed, embed_with, text_words


@pytest.fixture
def vectors():
    result = KeyedVectors(2)
    result.add_vectors(
        ["food", "drink", "hot", "creme", "the"],
        np.array([[1, 0], [0, 1], [4, 4], [-2, 6], [8, 0]], dtype=np.float32),
    )
    return result


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("Food & Drink", ["food", "drink"]),
        ("food-prepared", ["food", "prepared"]),
        ("Crème Brûlée", ["creme", "brulee"]),
        ("The 50's", ["the", "s"]),
        ("100%", []),
    ],
)
def test_words_of_a_part(part, words):
    assert text_words(part) == words


def test_a_path_is_the_mean_over_its_parts_of_the_means_over_their_words(vectors):
    # food & drink: (0.5, 0.5); hot: (4, 4); mean of both: (2.25, 2.25). Three words: (1.67, 1.67).
    embedding_KE = embed_with(
        vectors, [["Food & Drink", "Hot"], ["Crème"]], "parts_mean"
    ).embedding_KE
    assert embedding_KE.tolist() == [[2.25, 2.25], [-2.0, 6.0]]
    assert embedding_KE.dtype == np.float64


def test_unknown_words_and_parts_are_left_out(vectors):
    embedding_KE = embed_with(
        vectors, [["Zzz", "Hot zzz"], ["100%", "drink"]], "parts_mean"
    ).embedding_KE
    assert embedding_KE.tolist() == [[4.0, 4.0], [0.0, 1.0]]


def test_stop_words_count_in_a_short_name(vectors):
    assert embed_with(vectors, [["The food"]], "parts_mean").embedding_KE.tolist() == [[4.5, 0.0]]


def test_classes_without_a_known_word_are_all_named_with_the_way_out(vectors):
    with pytest.raises(InputError) as caught:
        embed_with(vectors, [["Food"], ["Qqq", "Zzz"], ["Hot"], ["100%"]], "parts_mean")
    message = str(caught.value)
    assert message.startswith("class 'Qqq < Zzz', '100%': no word of the name has a word vector")
    assert "rename the class" in message
    assert "graph.glove.vectors" in message


def test_what_is_read_of_a_path(vectors):
    # path: mean of food, drink and hot; leaf: hot.
    paths = [["Food & Drink", "Hot"]]
    assert embed_with(vectors, paths, "path").embedding_KE.tolist() == [
        pytest.approx([5 / 3, 5 / 3])
    ]
    assert embed_with(vectors, paths, "leaf").embedding_KE.tolist() == [[4.0, 4.0]]


def test_an_unknown_leaf_is_read_by_the_part_above_it(vectors):
    found = embed_with(vectors, [["Food", "Zzz"], ["Hot"]], "leaf")
    assert found.embedding_KE.tolist() == [[1.0, 0.0], [4.0, 4.0]]
    assert found.stand_ins == {"Food < Zzz": "Food"}


GLOVE = Settings(vectors="packaged/glove_6b_50d")


def test_unknown_words_are_listed_once(tmp_path):
    paths = [["Zzzq & food"], ["zzzq", "Xyzzyq Crème"]]
    found = embed(paths, "path", GLOVE, tmp_path)
    assert found.unknown_words == ["xyzzyq", "zzzq"]


def test_real_names_lie_as_a_person_would_expect(tmp_path):
    paths = [["Clothing", "Sweaters"], ["Clothing", "Jackets"], ["Beauty", "Perfume"]]
    found = embed(paths, "parts_mean", GLOVE, tmp_path)
    adjacency_KK = class_adjacency(found.embedding_KE)
    assert adjacency_KK[0, 1] < adjacency_KK[0, 2]
    assert adjacency_KK[0, 1] < adjacency_KK[1, 2]
