import gzip

import numpy as np
import pytest
from gensim.models import KeyedVectors

from pipeline.core.errors import InputError
from pipeline.encoders.vector_file import read_vector_file

VECTORS = {"red": [1.0, -0.5, 2.25], "shirt": [0.0, 1e-3, 3.0], "café": [0.125, 7.0, -1.0]}
WORDS = frozenset({"red", "café", "absent"})


def glove_lines():
    return [f"{word} {' '.join(map(str, vector))}" for word, vector in VECTORS.items()]


def write(path, lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def check(path):
    known, vector_VE = read_vector_file(path, WORDS)
    assert known == ["café", "red"]
    assert vector_VE.dtype == np.float32
    np.testing.assert_array_equal(vector_VE, np.float32([VECTORS["café"], VECTORS["red"]]))


def test_a_glove_file(tmp_path):
    check(write(tmp_path / "glove.txt", glove_lines()))


def test_a_compressed_file(tmp_path):
    plain = write(tmp_path / "glove.txt", glove_lines())
    (tmp_path / "glove.txt.gz").write_bytes(gzip.compress(plain.read_bytes()))
    check(tmp_path / "glove.txt.gz")


@pytest.mark.parametrize("binary", [False, True])
def test_what_gensim_writes_in_word2vecs_formats(tmp_path, binary):
    vectors = KeyedVectors(3)
    vectors.add_vectors(list(VECTORS), np.float32(list(VECTORS.values())))
    vectors.save_word2vec_format(str(tmp_path / "vectors"), binary=binary)
    check(tmp_path / "vectors")


def test_tokens_with_spaces_and_words_that_come_twice(tmp_path):
    lines = [*glove_lines(), ". . . 1 2 3", "red name@domain.com 4 5 6", "red 9 9 9", ""]
    check(write(tmp_path / "glove.txt", lines))


def test_a_file_without_any_of_the_words_still_tells_the_dimension(tmp_path):
    known, vector_VE = read_vector_file(write(tmp_path / "g.txt", glove_lines()), frozenset({"x"}))
    assert known == []
    assert vector_VE.shape == (0, 3)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["red 1 2 3", "shirt 1 2"], "line 2: 2 numbers where the first line has 3"),
        (["red 1 2 3", "shirt 1 2 3 4", "hat 1 2 3"], "line 2: 4 numbers where the first"),
        (["red 1 2 3", "shirt"], "line 2: 0 numbers where the first line has 3"),
        (["3 3", "red 1 2 3", "shirt 1 2 3"], "line 3: the file ends after 2 of the 3 words"),
        (["shirt 1 2 3", "red 1 2 x"], "line 2: could not convert string to float"),
        (["shirt 1 2 3", "red 1 nan 3"], "line 2: a number is not finite"),
        (["shirt 1 2 3", "red 1 1e39 3"], "line 2: a number is not finite"),
        (["<html>", "red 1 2 3"], "line 1: found b'<html>"),
    ],
)
def test_a_damaged_text_file_is_refused_with_its_line(tmp_path, lines, message):
    path = write(tmp_path / "vectors.txt", lines)
    with pytest.raises(InputError) as caught:
        read_vector_file(path, WORDS)
    assert str(caught.value).startswith(f"{path}: {message}")


def test_text_that_is_not_utf8_is_refused_with_its_line(tmp_path):
    path = tmp_path / "latin1.txt"
    path.write_bytes("\n".join(glove_lines()).encode("latin-1"))
    with pytest.raises(InputError, match=r"line 3: b'caf\\xe9' is not UTF-8"):
        read_vector_file(path, frozenset({"red"}))


def test_a_truncated_binary_file_is_refused_with_its_word(tmp_path):
    vectors = KeyedVectors(3)
    vectors.add_vectors(list(VECTORS), np.float32(list(VECTORS.values())))
    path = tmp_path / "vectors.bin"
    vectors.save_word2vec_format(str(path), binary=True)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(InputError, match="word 3 of 3: the file is cut off or damaged"):
        read_vector_file(path, WORDS)


@pytest.mark.parametrize("bad", [np.nan, -np.inf])
def test_a_binary_vector_that_is_not_finite_is_refused_with_its_word(tmp_path, bad):
    vectors = KeyedVectors(3)
    vectors.add_vectors(["red", "café", "shirt"], np.float32([[1, 2, 3], [1, bad, 3], [1, 2, 3]]))
    path = tmp_path / "vectors.bin"
    vectors.save_word2vec_format(str(path), binary=True)
    with pytest.raises(InputError) as caught:
        read_vector_file(path, WORDS)
    assert str(caught.value) == (
        f"{path}: word 2, 'café': a number is not finite; get the file again"
    )
    # A word that nobody asked for does no harm.
    assert read_vector_file(path, frozenset({"red"}))[0] == ["red"]


def test_a_truncated_archive_is_refused(tmp_path):
    lines = [f"word{n} {n} {n * 7 % 1000} 3" for n in range(1000)]
    packed = gzip.compress("\n".join(lines).encode())
    (tmp_path / "vectors.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InputError, match="cannot be read"):
        read_vector_file(tmp_path / "vectors.gz", WORDS)


def test_a_pickle_of_gensim_is_not_opened(tmp_path):
    vectors = KeyedVectors(3)
    vectors.add_vectors(list(VECTORS), np.float32(list(VECTORS.values())))
    vectors.save(str(tmp_path / "vectors.kv"))
    with pytest.raises(InputError, match=r"is a pickle.*save_word2vec_format"):
        read_vector_file(tmp_path / "vectors.kv", WORDS)
