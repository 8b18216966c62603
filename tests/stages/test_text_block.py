import numpy as np
import pytest

from tests.feature_tables import read_vectors


@pytest.fixture
def cleaned(shop):
    """A shop with clean texts, one of them without any word that GloVe knows."""
    table = (shop.root / "catalog.csv").read_text(encoding="utf-8")
    (shop.root / "catalog.csv").write_text(
        table.replace("red sweater", "Xyzzyq Plughqq"), encoding="utf-8"
    )
    assert shop.huse("catalog").exit_code == 0
    assert shop.huse("clean_text").exit_code == 0
    return shop


def block(project, name):
    return read_vectors(project.root / "data" / "text_blocks" / name / "block.parquet", name)[1]


def test_a_text_without_a_known_word_gets_a_zero_vector_and_is_counted(cleaned):
    result = cleaned.huse("text_block", "glove")
    assert result.exit_code == 0, result.output
    assert "text_block: glove: 16 texts, 50 features; 1 texts without any" in result.stdout
    assert np.flatnonzero(~block(cleaned, "glove").any(axis=1)).tolist() == [0]


def test_without_a_name_every_encoder_of_the_parameters_runs(cleaned):
    cleaned.set({"text.encoders": ["glove", "tfidf"], "text.tfidf.svd": 3})
    cleaned.huse("text_block")
    assert block(cleaned, "glove").shape == (16, 50)
    assert block(cleaned, "tfidf").shape == (16, 3)


def test_unknown_word_vectors_are_named_with_the_known_ones(cleaned):
    cleaned.set({"text.glove.vectors": "packaged/glove_1t"})
    message = cleaned.refuse("text_block")
    assert "'packaged/glove_1t': unknown; known: packaged/glove_6b_50d" in message


def test_an_encoder_that_there_is_not_is_named_with_the_known_ones(cleaned):
    assert "unknown text encoder 'word2vec'; known: glove" in cleaned.refuse(
        "text_block", "word2vec"
    )
