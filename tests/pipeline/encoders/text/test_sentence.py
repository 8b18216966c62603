import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from pipeline.core.errors import InputError
from pipeline.encoders.text.sentence import Encoder, Settings

TEXTS = ["red shirt", "", "blue hats with silk", "wool"]


def make(model, **changed):
    how = {"input": "text", "batch_size": 2, "device": "cpu", "precision": "fp32", **changed}
    return Encoder(Settings(model=str(model), **how))


def test_vectors_are_the_librarys(sentence_model):
    found = make(sentence_model).encode(TEXTS)
    library = SentenceTransformer(str(sentence_model), device="cpu")
    assert found.shape == (4, 16)
    assert found.dtype == np.float32
    assert not found[1].any()
    expected = library.encode([TEXTS[n] for n in (0, 2, 3)])
    # Other texts share a forward pass, so the last bits differ.
    np.testing.assert_allclose(found[[0, 2, 3]], expected, atol=1e-6)


def test_the_packaged_model_knows_what_is_alike():
    vector_NE = make("packaged/all_minilm_l6_v2").encode(["a pair of shoes", "boots", "galaxy"])
    assert vector_NE.shape == (3, 384)
    np.testing.assert_allclose(np.linalg.norm(vector_NE, axis=1), 1.0, atol=1e-5)
    assert vector_NE[0] @ vector_NE[1] > vector_NE[0] @ vector_NE[2] + 0.3


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(InputError, match="there is no such folder"):
        make(tmp_path / "absent")


def test_a_log_is_kept_free_of_progress_bars(sentence_model, capfd):
    make(sentence_model).encode(TEXTS)
    assert capfd.readouterr().err == ""
