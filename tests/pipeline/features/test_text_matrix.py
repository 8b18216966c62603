import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from pipeline.features.text_input import MixedText
from pipeline.features.text_matrix import arrays_of, pad_rows, side_by_side
from tests.feature_tables import text_matrix, text_of

GLOVE = np.arange(6, dtype=np.float32).reshape(3, 2)
TFIDF = np.array([[0, 0.5, 0, 2], [0, 0, 0, 0], [1, 0, 0, 0]], dtype=np.float32)
MORE = np.array([[0, 3], [4, 5], [0, 0]], dtype=np.float32)


def test_dense_blocks_stay_dense():
    text_NF = side_by_side({"b": GLOVE, "a": GLOVE + 10})
    assert text_NF.tolist() == [[0, 1, 10, 11], [2, 3, 12, 13], [4, 5, 14, 15]]
    dense_NT, word_NL, weight_NL = arrays_of(text_NF, 4)
    assert dense_NT is text_NF
    assert word_NL.shape == weight_NL.shape == (3, 0)


def test_sparse_blocks_come_behind_the_dense_ones():
    text_NF = side_by_side({"one": csr_matrix(TFIDF), "glove": GLOVE, "two": csr_matrix(MORE)})
    assert text_NF.toarray().tolist() == np.hstack([GLOVE, TFIDF, MORE]).tolist()


@pytest.mark.parametrize("rows", [slice(None), slice(1, 2), slice(0, 0)])
@pytest.mark.parametrize("names", [("glove",), ("tfidf",), ("tfidf", "glove", "more")])
def test_the_arrays_are_what_the_text_tower_takes(names, rows):
    every = {"glove": GLOVE, "tfidf": csr_matrix(TFIDF), "more": csr_matrix(MORE)}
    blocks = {name: every[name][rows] for name in names}
    matrix_NF = side_by_side(blocks)
    dense = 2 if "glove" in names else 0
    arrays = [torch.from_numpy(array) for array in arrays_of(matrix_NF, dense)]
    words = matrix_NF.shape[1] - dense
    # The order of a text's words does not matter; compare what they sum up to.
    found = text_matrix(MixedText(*arrays), words) if words else arrays[0]
    assert torch.equal(found, text_matrix(text_of(blocks), words))


def test_rows_are_padded_to_the_longest():
    word_NL, weight_NL = pad_rows(csr_matrix(TFIDF))
    assert (word_NL.dtype, weight_NL.dtype) == (np.int32, np.float32)
    assert word_NL.tolist() == [[1, 3], [0, 0], [0, 0]]
    assert weight_NL.tolist() == [[0.5, 2], [0, 0], [1, 0]]
