import numpy as np
import pytest

from pipeline.files.vectors import read_vectors


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


def test_a_text_without_a_known_word_gets_a_zero_vector_and_is_counted(cleaned):
    result = cleaned.huse("text_features")
    assert result.exit_code == 0, result.output
    assert "text_features: 16 texts, " in result.stdout
    assert "1 texts without any" in result.stdout
    _, vectors = read_vectors(cleaned.root / "data" / "features" / "text.parquet", "glove")
    assert np.flatnonzero(~vectors.any(axis=1)).tolist() == [0]


def test_unknown_word_vectors_are_named_with_the_known_ones(cleaned):
    cleaned.set({"text.glove.vectors": "packaged/glove_1t"})
    message = cleaned.refuse("text_features")
    assert "'packaged/glove_1t': unknown; known: packaged/glove_6b_50d" in message
