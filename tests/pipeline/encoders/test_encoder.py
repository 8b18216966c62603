import pickle
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from pipeline.core.params import load_section
from pipeline.encoders.encoder import find_encoder
from pipeline.text_features.settings import TEXT_ENCODERS, TextSettings
from tests.fresh_process import modules_after

SHIPPED = Path(__file__).parents[3] / "params.yaml"
# The last is longer than the transformer takes.
TEXTS = ["red shirt", "", "blue hat with silk", " ", "wool", "red blue shirt hat " * 5]


@pytest.mark.parametrize("name", TEXT_ENCODERS)
def test_every_encoder_has_its_class_and_its_section(name):
    kind = find_encoder(name)
    assert all(callable(getattr(kind, method)) for method in ("fit", "encode", "save", "load"))
    assert name in TextSettings.model_fields


@pytest.fixture(params=TEXT_ENCODERS)
def fitted(request, bert, sentence_model, tiny_clip, tmp_path):
    """An encoder of every kind on a small model, with the settings as shipped."""
    name = request.param
    models = {"transformer": str(bert), "sentence": str(sentence_model), "open_clip": tiny_clip}
    settings = getattr(load_section(SHIPPED, "text", TextSettings), name)
    if name in models:
        small = {"model": models[name], "batch_size": 2, "device": "cpu", "precision": "fp32"}
        layers = {"layers": 2} if name == "transformer" else {}
        settings = settings.model_copy(update=small | layers)
    return find_encoder(name).fit(TEXTS, TEXTS, settings, tmp_path / "cache")


def rows(block):
    return block.toarray() if isinstance(block, csr_matrix) else block


def test_a_stored_encoder_gives_the_same_vectors(fitted, tmp_path):
    for place in ("one", "other"):
        fitted.save(tmp_path / place)
    files = [path for path in (tmp_path / "one").iterdir()]
    assert all((tmp_path / "other" / p.name).read_bytes() == p.read_bytes() for p in files)
    loaded = type(fitted).load(tmp_path / "one")
    # Other texts share a forward pass, so the last bits differ.
    found, expected = rows(loaded.encode(TEXTS)), rows(fitted.encode(TEXTS))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert loaded.fingerprint == fitted.fingerprint


SENT = ["open_clip", "sentence", "transformer"]


def test_slow_encoders_alone_can_be_sent_to_a_process(fitted):
    assert (fitted.fingerprint is not None) == hasattr(fitted, "maker")


@pytest.mark.parametrize("fitted", SENT, indirect=True)
def test_an_encoder_that_has_been_sent_to_a_process_gives_the_same_bits(fitted):
    expected = rows(fitted.encode(TEXTS))
    # After a forward pass, as that is when libraries hang on to their models what cannot travel.
    maker = fitted.maker()
    assert pickle.dumps(maker)
    assert np.array_equal(rows(maker().encode(TEXTS)), expected)


def test_an_empty_text_is_a_row_of_zeros_and_no_text_no_row(fitted):
    vector_NE = rows(fitted.encode(TEXTS))
    assert vector_NE.dtype == np.float32
    assert vector_NE.any(axis=1).tolist() == [bool(text.strip()) for text in TEXTS]
    assert not rows(fitted.encode([" ", ""])).any()
    assert fitted.encode([]).shape == (0, vector_NE.shape[1])


def test_an_unknown_name_is_misuse():
    with pytest.raises(ValueError, match="unknown text encoder 'bert'; known: glove, open_clip"):
        find_encoder("bert")


def test_to_check_params_yaml_no_library_of_models_is_imported():
    """Though the file of every encoder is."""
    loaded = modules_after("import pipeline.settings")
    assert "pipeline.encoders.text.transformer" in loaded
    slow = {"torch", "transformers", "sentence_transformers", "open_clip", "gensim", "scipy"}
    assert slow.isdisjoint(loaded)
