import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.semantic_graph.class_texts import distinct_texts, embed_texts, texts_of

PATHS = [["shoes", "boots"], ["bags"], ["shoes", "flat shoes"]]


def test_what_stands_for_a_class():
    assert texts_of(["shoes", "flat shoes"], "path") == ["shoes flat shoes"]
    assert texts_of(["shoes", "flat shoes"], "leaf") == ["flat shoes"]
    assert texts_of(["shoes", "flat shoes"], "parts_mean") == ["shoes", "flat shoes"]
    assert distinct_texts(PATHS, "parts_mean") == ["bags", "boots", "flat shoes", "shoes"]


def lengths(texts):
    """A vector (letters, 1); nothing is known of `bags`."""
    return np.array([[0, 0] if text == "bags" else [len(text), 1] for text in texts])


def test_every_text_is_encoded_once_and_a_class_is_the_mean():
    calls = []

    def encode(texts):
        calls.append(texts)
        return lengths(texts)

    found = embed_texts([*PATHS[::2], ["bags", "boots"]], "parts_mean", encode, if_unknown="")
    # shoes 5, boots 5, flat shoes 10; bags is left out.
    assert found.embedding_KE.tolist() == [[5.0, 1.0], [7.5, 1.0], [5.0, 1.0]]
    assert found.stand_ins == {}
    assert calls == [["bags", "boots", "flat shoes", "shoes"]]


def test_classes_that_cannot_be_encoded_are_named():
    with pytest.raises(InputError, match=r"^class 'bags': try another$"):
        embed_texts(PATHS, "leaf", lengths, if_unknown="try another")


def test_an_unknown_leaf_stands_where_the_nearest_known_part_above_it_stands():
    paths = [["shoes", "bags"], ["hats"], ["flat shoes", "shoes", "bags", "bags"]]
    found = embed_texts(paths, "leaf", lengths, if_unknown="")
    assert found.embedding_KE.tolist() == [[5.0, 1.0], [4.0, 1.0], [5.0, 1.0]]
    assert found.stand_ins == {
        "shoes < bags": "shoes",
        "flat shoes < shoes < bags < bags": "shoes",
    }
