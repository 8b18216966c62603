import math
from collections import Counter

import numpy as np
import pytest
from gensim.models import KeyedVectors

from pipeline.core.errors import InputError
from pipeline.encoders.text.glove import Encoder, Settings
from pipeline.encoders.word_tensors import save_words

VECTORS = {
    "red": [1.0, 0.0, 2.0],
    "green": [0.0, 1.0, -1.0],
    "shirt": [0.5, 0.5, 0.5],
    "hat": [-1.0, 3.0, 0.25],
    "silk": [2.0, -2.0, 1.0],
}
TRAIN = ["red shirt", "red hat", "green shirt shirt", "red red red", "", "zzz"]


def keyed(vectors):
    result = KeyedVectors(3)
    if vectors:
        result.add_vectors(list(vectors), np.array(list(vectors.values()), dtype=np.float32))
    return result


@pytest.fixture
def fitted():
    return Encoder.from_vectors(TRAIN, keyed(VECTORS))


def by_hand(text, train):
    """The formula of the class's docstring, word by word."""
    known = [word for word in text.split() if word in VECTORS]
    numerator, denominator = [0.0, 0.0, 0.0], 0.0
    for word, count in Counter(known).items():
        frequency = sum(word in other.split() for other in train)
        idf = math.log((1 + len(train)) / (1 + frequency)) + 1
        weight = count / len(known) * idf
        denominator += weight
        for axis in range(3):
            numerator[axis] += weight * VECTORS[word][axis]
    return [value / denominator for value in numerator] if denominator else [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "text",
    [
        "red shirt",
        "shirt red",
        "red red shirt",
        "red",
        "silk hat",
        "red zzz shirt qqq",
        "green hat silk red shirt red silk silk",
    ],
)
def test_vectors_equal_plain_loops_over_the_formula(fitted, text):
    assert fitted.encode([text])[0].tolist() == pytest.approx(by_hand(text, TRAIN), abs=1e-6)


def test_a_worked_example(fitted):
    # Six training texts; red is in 3, shirt in 2 of them: idf(red) = ln(7/4) + 1 = 1.559616,
    # idf(shirt) = ln(7/3) + 1 = 1.847298. For `red red shirt` the weights are 3.119232 and
    # 1.847298, their sum 4.966530; first axis (3.119232 x 1 + 1.847298 x 0.5) / 4.966530.
    assert fitted.encode(["red red shirt"])[0, 0] == pytest.approx(0.814025, abs=1e-6)


def test_a_text_without_a_known_word_is_a_row_of_zeros(fitted):
    vector_NE = fitted.encode(["", "zzz qqq", "red"])
    assert vector_NE.shape == (3, 3)
    assert vector_NE.dtype == np.float32
    assert not vector_NE[:2].any()
    assert vector_NE[2].tolist() == [1.0, 0.0, 2.0]


def test_each_text_is_encoded_by_itself(fitted):
    texts = ["red shirt", "", "silk", "green hat"]
    together = fitted.encode(texts)
    for text, vector_E in zip(texts, together, strict=True):
        assert np.array_equal(fitted.encode([text])[0], vector_E)


def test_document_frequencies_come_from_the_training_texts_alone():
    few = Encoder.from_vectors(["red shirt"], keyed(VECTORS)).encode(["red hat"])
    # `hat` is in no training text: idf = ln(2/1) + 1; `red` is in all: idf = 1.
    weight = math.log(2) + 1
    expected = [
        (red + weight * hat) / (1 + weight)
        for red, hat in zip(VECTORS["red"], VECTORS["hat"], strict=True)
    ]
    assert few[0].tolist() == pytest.approx(expected, abs=1e-6)


def test_the_order_of_the_training_texts_does_not_matter(fitted):
    other = Encoder.from_vectors(TRAIN[::-1], keyed(dict(reversed(VECTORS.items()))))
    assert other.words == fitted.words == sorted(VECTORS)
    assert np.array_equal(other.idf_V, fitted.idf_V)
    assert np.array_equal(other.vectors_VE, fitted.vectors_VE)


def test_an_encoder_that_lacks_a_tensor_is_refused(fitted, tmp_path):
    save_words(tmp_path, fitted.words, {"idf": fitted.idf_V})
    with pytest.raises(InputError, match="no tensor vectors"):
        Encoder.load(tmp_path)


def test_no_known_word_at_all_names_the_parameter():
    with pytest.raises(InputError, match=r"text\.glove\.vectors: no word of the catalogue"):
        Encoder.from_vectors(["zzz"], keyed({}))


def test_vectors_are_looked_up_for_the_words_of_all_splits_and_idf_is_fitted_on_train(tmp_path):
    settings = Settings(vectors="packaged/glove_6b_50d")
    encoder = Encoder.fit(["red shirt", "blue zzqq"], ["red shirt"], settings, tmp_path)
    assert encoder.words == ["blue", "red", "shirt"]
    # ln(2/1) + 1 for the word that no training text has, 1 for the others.
    assert encoder.idf_V.tolist() == pytest.approx([math.log(2) + 1, 1.0, 1.0])
