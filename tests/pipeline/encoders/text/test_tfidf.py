from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from pipeline.core.errors import InputError
from pipeline.encoders.text.tfidf import Encoder, Settings
from pipeline.encoders.word_tensors import save_words

TRAIN = ["red shirt", "red hat", "green shirt shirt", "red red red", "", "silk"]
TEXTS = [*TRAIN, "red silk zzz zzz", "zzz"]


def fit(**changed):
    settings = Settings(**{"min_count": 1, "max_words": 1000, "svd": 0, **changed})
    return Encoder.fit(TEXTS, TRAIN, settings, Path())


def test_vectors_equal_scikit_learns():
    expected = TfidfVectorizer(analyzer=str.split).fit(TRAIN)
    encoder = fit()
    found = encoder.encode(TEXTS)
    assert isinstance(found, csr_matrix)
    assert found.dtype == np.float32
    assert encoder.words == list(expected.get_feature_names_out())
    np.testing.assert_allclose(
        found.toarray(), expected.transform(TEXTS).toarray(), rtol=1e-6, atol=1e-7
    )


def test_words_that_no_training_text_has_are_unknown():
    encoder = fit()
    assert "zzz" not in encoder.words
    assert encoder.encode(["zzz", ""]).nnz == 0


def test_rare_words_are_left_out():
    # red is in 3 training texts, shirt in 2, the others in one.
    assert fit(min_count=2).words == ["red", "shirt"]
    assert fit(max_words=3).words == ["green", "red", "shirt"]
    with pytest.raises(InputError, match=r"text\.tfidf\.min_count: no word is in 4 training texts"):
        fit(min_count=4)


def test_svd_keeps_the_products_between_texts_as_well_as_so_few_numbers_can():
    sparse = fit().encode(TRAIN).toarray()
    dense = fit(svd=4).encode(TRAIN)
    assert dense.shape == (6, 4)
    assert dense.dtype == np.float32
    # The best approximation of rank 4 errs by the singular value left out (Eckart and Young).
    singular = np.linalg.svd(sparse, compute_uv=False)
    components = fit(svd=4).components_VC
    error = np.linalg.norm(sparse - dense @ components.T, ord=2)
    assert error == pytest.approx(singular[4], rel=1e-3)


def test_more_components_than_words_are_refused():
    with pytest.raises(InputError, match=r"text\.tfidf\.svd: got 5, but there are 6 .* 5 words"):
        fit(svd=5)


@pytest.mark.parametrize("svd", [0, 2])
def test_a_stored_encoder_gives_the_same_vectors(svd, tmp_path):
    encoder = fit(svd=svd)
    encoder.save(tmp_path)
    found, expected = Encoder.load(tmp_path).encode(TEXTS), encoder.encode(TEXTS)
    assert type(found) is type(expected)
    assert (found != expected).sum() == 0


def test_an_encoder_that_lacks_a_tensor_is_refused(tmp_path):
    save_words(tmp_path, ["red"], {"components": np.zeros((1, 1), np.float32)})
    with pytest.raises(InputError, match="no tensor idf"):
        Encoder.load(tmp_path)
