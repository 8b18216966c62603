import os
import shutil

import numpy as np
import pytest

from pipeline.encoders.vector_cache import BEGINNING, read_through_cache

BEGINNING_LINES = "filler 0 0\n" * (BEGINNING // 10)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "glove.txt"
    path.write_text(f"{BEGINNING_LINES}red 1 2\nshirt 3 4\nhat 5 6\n")
    return path


def scramble(path, beginning=BEGINNING_LINES):
    """Change the file's content in a way that its size, time and beginning do not show."""
    state = path.stat()
    path.write_text(f"{beginning}red 0 0\nshirt 0 0\nhat 0 0\n")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def test_a_file_is_read_once_for_the_same_or_fewer_words(path, tmp_path):
    cache = tmp_path / "cache"
    first = read_through_cache(path, frozenset({"red", "hat", "zzz"}), cache)
    assert first[0] == ["hat", "red"]
    scramble(path)
    for words, expected in (
        ({"red", "hat", "zzz"}, [[5, 6], [1, 2]]),
        ({"red"}, [[1, 2]]),
        ({"zzz"}, []),
    ):
        known, vector_VE = read_through_cache(path, frozenset(words), cache)
        assert known == sorted(words - {"zzz"})
        assert vector_VE.tolist() == expected
        assert vector_VE.shape == (len(known), 2)


def test_new_words_are_looked_up_and_join_the_old_ones(path, tmp_path):
    cache = tmp_path / "cache"
    read_through_cache(path, frozenset({"red"}), cache)
    read_through_cache(path, frozenset({"shirt"}), cache)
    scramble(path)
    known, vector_VE = read_through_cache(path, frozenset({"red", "shirt"}), cache)
    assert (known, vector_VE.tolist()) == (["red", "shirt"], [[1, 2], [3, 4]])


def test_another_file_is_read_anew(path, tmp_path):
    cache = tmp_path / "cache"
    read_through_cache(path, frozenset({"red"}), cache)
    path.write_text("red 7 8 9\n")
    assert read_through_cache(path, frozenset({"red"}), cache)[1].tolist() == [[7, 8, 9]]


def test_a_copy_elsewhere_is_the_same_file(path, tmp_path):
    """As in the temporary copy of an experiment."""
    cache = tmp_path / "cache"
    read_through_cache(path, frozenset({"red"}), cache)
    (tmp_path / "elsewhere").mkdir()
    copy = shutil.copy2(path, tmp_path / "elsewhere" / "vectors.txt")
    scramble(copy)
    assert read_through_cache(copy, frozenset({"red"}), cache)[1].tolist() == [[1, 2]]


def test_files_of_one_size_and_time_are_told_apart_by_their_beginning(path, tmp_path):
    cache = tmp_path / "cache"
    read_through_cache(path, frozenset({"red"}), cache)
    scramble(path, BEGINNING_LINES.replace("filler", "FILLER"))
    assert read_through_cache(path, frozenset({"red"}), cache)[1].tolist() == [[0, 0]]


def test_a_damaged_cache_is_made_anew(path, tmp_path):
    cache = tmp_path / "cache"
    read_through_cache(path, frozenset({"red"}), cache)
    next(cache.iterdir()).write_bytes(b"damaged")
    assert np.array_equal(read_through_cache(path, frozenset({"red"}), cache)[1], [[1, 2]])
    scramble(path)
    assert np.array_equal(read_through_cache(path, frozenset({"red"}), cache)[1], [[1, 2]])
