import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

from pipeline.encoders.counts import count_words, distinct_words, smoothed_idf

WORDS = ["blue", "hat", "red", "shirt"]
COLUMN_OF = {word: column for column, word in enumerate(WORDS)}
TEXTS = ["red shirt red", "", "zzz", "hat zzz  blue", "shirt red\that"]


def test_counts_equal_scikit_learns():
    vectorizer = CountVectorizer(vocabulary=COLUMN_OF, analyzer=str.split, dtype=np.float32)
    found = count_words(TEXTS, COLUMN_OF)
    assert found.dtype == np.float32
    assert np.array_equal(found.toarray(), vectorizer.transform(TEXTS).toarray())
    # A repeated word is one entry, and columns ascend: other code relies on both.
    assert found[0].indices.tolist() == [2, 3]
    assert found[0].data.tolist() == [2.0, 1.0]


def test_no_texts_and_no_words():
    assert count_words([], COLUMN_OF).shape == (0, 4)
    assert count_words(["red", ""], {}).shape == (2, 0)


def test_idf_equals_scikit_learns():
    counts = count_words(TEXTS, COLUMN_OF)
    expected = TfidfTransformer(smooth_idf=True).fit(counts).idf_
    assert smoothed_idf(counts).tolist() == pytest.approx(expected.tolist(), rel=1e-6)


def test_distinct_words():
    assert distinct_words(["red shirt", "", "red  hat"]) == {"red", "shirt", "hat"}
