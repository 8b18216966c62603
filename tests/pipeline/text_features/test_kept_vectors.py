import numpy as np
import pytest

from pipeline.text_features.kept_vectors import KeptVectors, vector_key


def keys(*texts):
    return [vector_key(text.encode()) for text in texts]


def rows(found):
    return {key: vector_E.tolist() for key, vector_E in found.items()}


@pytest.fixture
def kept(tmp_path):
    kept = KeptVectors(tmp_path / "cache", "encoder 1")
    kept.write(keys("a", "b"), np.array([[1, 2], [3, 4]], np.float32))
    kept.write(keys("c"), np.array([[5, 6]], np.float32))
    return kept


def test_features_are_found_whichever_run_kept_them(kept):
    (a, c, new) = keys("a", "c", "new")
    assert rows(kept.find({a, c, new})) == {a: [1, 2], c: [5, 6]}


def test_another_encoder_has_features_of_its_own(kept, tmp_path):
    other = KeptVectors(tmp_path / "cache", "encoder 2")
    (a,) = keys("a")
    assert other.find({a}) == {}
    other.write([a], np.array([[7, 8, 9]], np.float32))
    assert rows(other.find({a})) == {a: [7, 8, 9]}
    assert rows(kept.find({a})) == {a: [1, 2]}


def test_of_no_texts_nothing_is_kept(tmp_path):
    KeptVectors(tmp_path / "cache", "encoder 1").write([], np.empty((0, 2), np.float32))
    assert not (tmp_path / "cache").exists()


def test_features_come_back_exactly(tmp_path):
    kept = KeptVectors(tmp_path / "cache", "encoder 1")
    vector_ME = np.random.default_rng(0).standard_normal((100, 3), np.float32)
    wanted = keys(*map(str, range(len(vector_ME))))
    kept.write(wanted, vector_ME)
    found = kept.find(set(wanted))
    assert np.array_equal(np.stack([found[key] for key in wanted]), vector_ME)


def test_a_damaged_file_is_thrown_away_and_its_features_are_kept_again(kept, tmp_path):
    a, b, c = keys("a", "b", "c")
    (path,) = (path for path in (tmp_path / "cache").rglob("*.*") if a in path.read_bytes())
    whole = path.read_bytes()
    place = whole.index(np.float32(4).tobytes())
    for damaged in (b"", whole[:-9], whole[:place] + b"x" + whole[place + 1 :]):
        path.write_bytes(damaged)
        assert rows(kept.find({a, b, c})) == {c: [5, 6]}
        assert not path.exists()
        kept.write([a, b], np.array([[1, 2], [3, 4]], np.float32))
        assert path.read_bytes() == whole
