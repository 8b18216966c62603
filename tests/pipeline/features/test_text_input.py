import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from pipeline.features.text_input import RaggedText, empty_text, join, put, take, text_sizes
from tests.feature_tables import text_matrix, text_of

CPU = torch.device("cpu")
GLOVE = np.arange(6, dtype=np.float32).reshape(3, 2)
TFIDF = np.array([[0, 0.5, 0, 2], [0, 0, 0, 0], [1, 0, 0, 0]], dtype=np.float32)
MIXED = torch.from_numpy(np.hstack([GLOVE, TFIDF]))
ROWS = [slice(None), slice(1, 3), slice(1, 2), torch.tensor([2, 0, 2]), torch.tensor([], dtype=int)]


@pytest.fixture
def mixed():
    return text_of({"tfidf": csr_matrix(TFIDF), "glove": GLOVE})


def test_dense_features_are_a_tensor():
    text = text_of({"glove": GLOVE})
    assert text.tolist() == GLOVE.tolist()
    assert text_sizes(text) == (2, 0)
    assert take(text, slice(1, 2)).tolist() == [[2, 3]]


def test_a_text_takes_as_much_memory_as_it_has_words(mixed):
    assert isinstance(mixed, RaggedText)
    assert len(mixed) == 3
    assert text_sizes(mixed) == (2, 4)
    assert mixed.word_P.tolist() == [1, 3, 0]
    long = text_of({"tfidf": csr_matrix(np.vstack([np.ones((1, 900)), np.eye(99, 900)]))})
    assert len(long.word_P) == len(long.weight_P) == 900 + 99


@pytest.mark.parametrize("rows", ROWS)
def test_rows_are_a_batch_padded_to_its_own_longest(mixed, rows):
    batch = mixed[rows]
    expected = MIXED[rows]
    assert torch.equal(text_matrix(batch, 4), expected)
    longest = (expected[:, 2:] != 0).sum(dim=1).max().item() if len(expected) else 0
    assert batch.word_NL.shape == batch.weight_NL.shape == (len(expected), longest)


def test_what_a_batch_is_padded_with_counts_for_nothing(mixed):
    batch = mixed[:]
    assert batch.word_NL.tolist() == [[1, 3], [0, 0], [0, 0]]
    assert batch.weight_NL.tolist() == [[0.5, 2], [0, 0], [1, 0]]


@pytest.mark.parametrize("rows", ROWS)
def test_taken_rows_are_those_of_a_tensor(mixed, rows):
    taken = take(mixed, rows)
    assert isinstance(taken, RaggedText)
    assert torch.equal(text_matrix(taken, 4), MIXED[rows])
    if len(taken):
        assert torch.equal(text_matrix(take(taken, slice(0, 1)), 4), MIXED[rows][:1])
        expected = MIXED[rows][:, 2:].square().sum(dim=1).mean()
        assert taken.square_norm().item() == pytest.approx(expected.item())


def test_batches_of_unlike_widths_below_each_other(mixed):
    dense = text_of({"glove": GLOVE})
    assert torch.equal(join([dense[:1], dense[1:]]), dense)
    joined = join([mixed[1:], mixed[:1]])
    assert torch.equal(text_matrix(joined, 4), MIXED[[1, 2, 0]])


@pytest.mark.parametrize("columns", [0, 4])
def test_features_are_copied_into_a_buffer_over_what_was_there(mixed, columns):
    text = mixed if columns else text_of({"glove": GLOVE})
    expected = MIXED[:, : 2 + columns]
    buffer = empty_text(7, 2, 2 * 3, columns, CPU)
    put(buffer, text, row=0, word=0)
    put(buffer, take(text, slice(0, 0)), row=4, word=3)
    put(buffer, text, row=4, word=3)
    assert torch.equal(text_matrix(buffer, columns)[[0, 1, 2, 4, 5, 6]], expected.repeat(2, 1))
    other = text_of({"tfidf": csr_matrix(TFIDF[::-1]), "glove": GLOVE[::-1].copy()})
    put(buffer, other if columns else other.dense_NT, row=0, word=0)
    found = text_matrix(buffer, columns)[[0, 1, 2, 4, 5, 6]]
    assert torch.equal(found, torch.cat([expected.flip(0), expected]))


def test_no_texts():
    text = text_of({"tfidf": csr_matrix((0, 4), dtype=np.float32), "glove": GLOVE[:0]})
    assert len(text) == 0
    assert text_sizes(text) == (2, 4)
    assert text[:].word_NL.shape == (0, 0)
