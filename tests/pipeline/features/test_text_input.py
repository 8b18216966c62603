import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from pipeline.features.text_input import MixedText, join, text_input, text_matrix, text_sizes

GLOVE = np.arange(6, dtype=np.float32).reshape(3, 2)
TFIDF = np.array([[0, 0.5, 0, 2], [0, 0, 0, 0], [1, 0, 0, 0]], dtype=np.float32)
MORE = np.array([[0, 3], [4, 5], [0, 0]], dtype=np.float32)


def test_dense_blocks_lie_side_by_side_in_their_order():
    text = text_input({"b": GLOVE, "a": GLOVE + 10})
    assert isinstance(text, torch.Tensor)
    assert text.tolist() == [[0, 1, 10, 11], [2, 3, 12, 13], [4, 5, 14, 15]]
    assert text_sizes(text) == (4, 0)
    assert text_matrix(text) is not None


def test_sparse_blocks_become_padded_lists_of_columns():
    text = text_input({"tfidf": csr_matrix(TFIDF), "glove": GLOVE})
    assert isinstance(text, MixedText)
    assert len(text) == 3
    assert text_sizes(text) == (2, 4)
    assert text.dense_NT.tolist() == GLOVE.tolist()
    assert text.word_NL.tolist() == [[1, 3], [0, 0], [0, 0]]
    assert text.weight_NL.tolist() == [[0.5, 2], [0, 0], [1, 0]]


def test_the_matrix_is_the_dense_part_and_then_the_sparse_blocks_in_their_order():
    blocks = {"one": csr_matrix(TFIDF), "glove": GLOVE, "two": csr_matrix(MORE)}
    found = text_matrix(text_input(blocks))
    assert found.toarray().tolist() == np.hstack([GLOVE, TFIDF, MORE]).tolist()


def test_a_sparse_block_alone():
    text = text_input({"tfidf": csr_matrix(TFIDF)})
    assert text_sizes(text) == (0, 4)
    assert text_matrix(text).toarray().tolist() == TFIDF.tolist()


@pytest.mark.parametrize(
    "rows", [slice(1, 3), torch.tensor([2, 0, 2]), torch.tensor([], dtype=int)]
)
def test_rows_are_chosen_as_those_of_a_tensor(rows):
    text = text_input({"tfidf": csr_matrix(TFIDF), "glove": GLOVE})
    whole = torch.from_numpy(text_matrix(text).toarray())
    assert text_matrix(text[rows]).toarray().tolist() == whole[rows].tolist()


def test_rows_below_each_other():
    dense = text_input({"glove": GLOVE})
    assert torch.equal(join([dense[:1], dense[1:]]), dense)
    mixed = text_input({"tfidf": csr_matrix(TFIDF), "glove": GLOVE})
    joined = join([mixed[:1], mixed[1:]])
    assert text_matrix(joined).toarray().tolist() == text_matrix(mixed).toarray().tolist()
    assert joined.num_words == 4


def test_no_texts():
    text = text_input({"tfidf": csr_matrix((0, 4), dtype=np.float32), "glove": GLOVE[:0]})
    assert len(text) == 0
    assert text_sizes(text) == (2, 4)


def test_the_matrix_is_a_copy():
    text = text_input({"tfidf": csr_matrix(TFIDF), "glove": GLOVE})
    first, again = text_matrix(text).toarray(), text_matrix(text).toarray()
    assert np.array_equal(first, again)
