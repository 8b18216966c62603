import numpy as np
import pytest
from gensim.models import KeyedVectors

from pipeline.core.errors import InputError
from pipeline.encoders.word_vectors import load_word_vectors
from tests.fresh_process import modules_after

PACKAGED = "packaged/glove_6b_50d"


def cosine(vectors, one, other):
    a, b = vectors[one], vectors[other]
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_known_words_come_with_their_glove_vectors():
    words = ["shoe", "boot", "galaxy", "qqzzqq", "the", "Boot"]
    vectors = load_word_vectors(PACKAGED, words)
    # GloVe 6B is lower case, so `Boot` is not a word of it.
    assert vectors.index_to_key == ["boot", "galaxy", "shoe", "the"]
    assert vectors["shoe"].shape == (50,)
    assert vectors["shoe"].dtype == np.float32
    # The first numbers of `the` in Stanford's file glove.6B.50d.txt.
    assert vectors["the"][:4].tolist() == pytest.approx([0.418, 0.24968, -0.41242, 0.1217])
    assert cosine(vectors, "shoe", "boot") > cosine(vectors, "shoe", "galaxy") + 0.3


def test_no_known_word_gives_no_vector():
    vectors = load_word_vectors(PACKAGED, {"qqzzqq"})
    assert len(vectors) == 0
    assert vectors.vector_size == 50


def test_an_unknown_source_is_named_with_the_known():
    with pytest.raises(InputError, match="'glove': unknown; known: packaged/glove_6b_50d"):
        load_word_vectors("glove", {"shoe"})


def test_a_file_of_vectors_by_its_path(tmp_path):
    (tmp_path / "my.txt").write_text("shoe 1 2\nboot 3 4\n")
    vectors = load_word_vectors(f"file/{tmp_path}/my.txt", {"boot", "zzz"}, tmp_path / "cache")
    assert vectors.index_to_key == ["boot"]
    assert vectors["boot"].tolist() == [3.0, 4.0]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"there is no file .*my\.txt"):
        load_word_vectors(f"file/{tmp_path}/my.txt", {"shoe"})


def test_a_name_that_gensim_cannot_get_is_one_line():
    """Unknown where there is a network; out of reach where there is none."""
    with pytest.raises(InputError, match=r"word vectors 'gensim/no-such-vectors': .*file/<path>"):
        load_word_vectors("gensim/no-such-vectors", {"shoe"})


def test_words_are_looked_up_as_in_gensim_which_is_not_imported():
    vectors = load_word_vectors(PACKAGED, {"shoe", "boot"})
    wanted = KeyedVectors(50)
    wanted.add_vectors(vectors.index_to_key, vectors[vectors.index_to_key])
    assert np.array_equal(vectors[["shoe", "boot", "shoe"]], wanted[["shoe", "boot", "shoe"]])
    assert np.array_equal(vectors["boot"], wanted["boot"])
    assert ("boot" in vectors, "hat" in vectors) == ("boot" in wanted, "hat" in wanted)
    for known in (vectors, wanted):
        with pytest.raises(KeyError):
            known["hat"]
    code = f"""
from pipeline.encoders.word_vectors import load_word_vectors
load_word_vectors({PACKAGED!r}, ["shoe"])
"""
    assert modules_after(code).isdisjoint({"gensim", "scipy.stats"})
