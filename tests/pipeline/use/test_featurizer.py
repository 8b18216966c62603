import json
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.clean_text.cleaning import Cleaning
from pipeline.core.errors import InputError
from pipeline.core.params import load_section
from pipeline.encoders.encoder import find_encoder
from pipeline.features.text_input import text_sizes
from pipeline.text_features.settings import TextSettings
from pipeline.use.featurizer import TextFeaturizer
from tests.feature_tables import text_of

CLEAN = ["red shirt", "blue hat hat", "silk chloe"]
RAW = ["The RED Shirt!\n", "  Blue hat,\that", "Silk Chloé", "", "100%"]


@pytest.fixture(scope="module")
def featurizer(tmp_path_factory):
    settings = load_section(Path(__file__).parents[3] / "params.yaml", "text", TextSettings)
    cache = tmp_path_factory.mktemp("cache")
    return TextFeaturizer(
        Cleaning.choose("letters", fold_accents=True),
        {
            name: find_encoder(name).fit(CLEAN, CLEAN, getattr(settings, name), cache)
            for name in ("tfidf", "sentence", "glove")
        },
        {"tfidf": "clean_text", "sentence": "text", "glove": "clean_text"},
    )


def test_a_raw_text_is_cleaned_for_the_encoders_that_want_it(featurizer):
    found = featurizer.encode(RAW)
    assert list(found) == ["tfidf", "sentence", "glove"]
    cleaned = [*CLEAN, "", ""]
    assert (found["tfidf"] != featurizer.encoders["tfidf"].encode(cleaned)).nnz == 0
    assert np.array_equal(found["glove"], featurizer.encoders["glove"].encode(cleaned))
    # As the catalogue has it: on one line, but with case, accents and signs.
    as_written = ["The RED Shirt!", "Blue hat, hat", "Silk Chloé", "", "100%"]
    expected = featurizer.encoders["sentence"].encode(as_written)
    assert np.array_equal(found["sentence"], expected)


def test_the_blocks_make_the_towers_input(featurizer):
    text = text_of(featurizer.encode(RAW))
    assert len(text) == 5
    assert text_sizes(text) == (384 + 50, len(featurizer.encoders["tfidf"].words))
    assert torch.equal(text.dense_NT[3], torch.zeros(434))


def test_a_stored_featurizer_gives_the_same_features(featurizer, tmp_path):
    featurizer.save(tmp_path)
    loaded = TextFeaturizer.load(tmp_path)
    expected, found = featurizer.encode(RAW), loaded.encode(RAW)
    assert list(found) == list(expected)
    for name, block in expected.items():
        # A network adds in another order than the library that it was made of.
        assert abs(found[name] - block).max() <= (1e-5 if name == "sentence" else 0)
    kinds = {path.suffix for path in tmp_path.rglob("*") if path.is_file()}
    assert kinds == {".json", ".onnx", ".weights", ".safetensors"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format_version": 2}, "format version 2, this program reads 1"),
        ({"blocks": {"word2vec": "text"}}, "unknown text encoder 'word2vec'"),
        ({"cleaning": {}}, "damaged"),
        ({"golden_text": {"text": "a"}}, "damaged"),
        (
            {"golden_text": {"text": "A", "clean_text": "b", "versions": {"anyascii": "0.1"}}},
            r"encoder\.json: the texts were cleaned with anyascii 0\.1; here anyascii .* gives",
        ),
    ],
)
def test_a_foreign_file_is_refused(featurizer, tmp_path, change, message):
    featurizer.save(tmp_path)
    path = tmp_path / "text_encoder.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match=message):
        TextFeaturizer.load(tmp_path)


def test_a_model_of_an_earlier_version_does_not_tell_what_cleaned_its_texts(featurizer, tmp_path):
    featurizer.save(tmp_path)
    path = tmp_path / "text_encoder.json"
    stored = json.loads(path.read_text())
    del stored["golden_text"]
    path.write_text(json.dumps(stored))
    assert TextFeaturizer.load(tmp_path).cleaning(["The Red Shirt"]) == ["red shirt"]


def test_a_folder_that_lacks_an_encoder_is_refused(featurizer, tmp_path):
    featurizer.save(tmp_path)
    (tmp_path / "glove" / "words.json").unlink()
    with pytest.raises(InputError, match=r"glove/words\.json: not found"):
        TextFeaturizer.load(tmp_path)


def test_a_block_by_itself_is_the_same(featurizer):
    for name, block in featurizer.encode(RAW).items():
        alone = featurizer.encode_block(name, RAW)
        assert type(alone) is type(block)
        assert np.array_equal(*(np.asarray(one @ np.eye(one.shape[1])) for one in (alone, block)))
