import json

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.encoders.word_tensors import load_tensors, load_words, save_tensors, save_words

WORDS = ["red", "chlo\u00e9"]
TENSORS = {
    "idf": np.array([1.0, 2.5], np.float32),
    "vectors": np.array([[1, 2, 3], [4, 5, 6]], np.float32),
}


def test_words_and_tensors_come_back(tmp_path):
    save_words(tmp_path / "new", WORDS, TENSORS)
    words, tensors = load_words(tmp_path / "new", ["idf"])
    assert words == WORDS
    assert set(tensors) == set(TENSORS)
    assert all(np.array_equal(tensors[name], TENSORS[name]) for name in TENSORS)
    save_words(tmp_path / "again", WORDS, TENSORS)
    for path in (tmp_path / "new").iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", ["words.json", "encoder.safetensors"])
@pytest.mark.parametrize("content", [None, b"", b"{}", b"\x02\x00\x00\x00\x00\x00\x00\x00{}"])
def test_a_damaged_file_is_refused(tmp_path, name, content):
    save_words(tmp_path, WORDS, TENSORS)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=str(tmp_path)):
        load_words(tmp_path, ["idf"])


@pytest.mark.parametrize("words", [WORDS[:1], [*WORDS, "hat"]])
def test_words_of_other_tensors_are_refused(tmp_path, words):
    save_words(tmp_path, WORDS, TENSORS)
    (tmp_path / "words.json").write_text(json.dumps(words))
    with pytest.raises(InputError, match="words and tensors do not belong together"):
        load_words(tmp_path, ["idf"])


def test_tensors_alone_come_back_and_a_missing_one_is_named(tmp_path):
    save_tensors(tmp_path / "x.safetensors", {"idf": TENSORS["idf"]})
    assert np.array_equal(load_tensors(tmp_path / "x.safetensors", ["idf"])["idf"], TENSORS["idf"])
    with pytest.raises(InputError, match="no tensor vectors, bias"):
        load_tensors(tmp_path / "x.safetensors", ["idf", "vectors", "bias"])
