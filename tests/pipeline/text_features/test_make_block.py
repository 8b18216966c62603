import numpy as np
import pytest
from scipy.sparse import csr_matrix

from pipeline.core.errors import InputError
from pipeline.text_features import make_block as module
from pipeline.text_features.engines import ENGINES
from pipeline.text_features.make_block import make_block
from tests.feature_tables import read_vectors


class Letters:
    """Counts of two letters; notes what it was asked."""

    def __init__(self, fingerprint=None):
        self.fingerprint = fingerprint
        self.asked = []

    def encode(self, texts):
        self.asked += texts
        counts = [[text.count("a"), text.count("b")] for text in texts]
        return np.array(counts, dtype=np.float32).reshape(-1, 2)

    def seen(self, texts):
        """Letters may stand in any order."""
        return ["".join(sorted(text)).encode() for text in texts]


class Overflowing(Letters):
    """Letters of which four are too many."""

    def encode(self, texts):
        count_NE = super().encode(texts)
        count_NE[count_NE > 3] = np.inf
        return count_NE


TEXTS = ["aab", "", "b", "aab"]
VECTORS = [[2, 1], [0, 0], [0, 1], [2, 1]]


def run(path, encoder, texts=TEXTS):
    ids = [f"item-{n}" for n in range(len(texts))]
    return make_block(path, "x", encoder, ids, texts, {}, path.parent / "cache", "local")


@pytest.mark.parametrize("fingerprint", [None, "slow"])
@pytest.mark.parametrize("piece", [1, 3, 100])
def test_every_text_gets_its_features(tmp_path, monkeypatch, fingerprint, piece):
    monkeypatch.setattr(module, "PIECE", piece)
    monkeypatch.setattr(module, "CHUNK", piece)
    summary = run(tmp_path / "block", Letters(fingerprint))
    assert summary == (4, 2, 1, 0)
    ids, vector_NE = read_vectors(tmp_path / "block", "x")
    assert ids == ["item-0", "item-1", "item-2", "item-3"]
    assert vector_NE.tolist() == VECTORS


def test_a_second_run_asks_a_slow_encoder_for_new_texts_alone(tmp_path):
    path = tmp_path / "block"
    first = Letters("slow")
    run(path, first)
    # As DVC does before it runs a stage.
    path.unlink()
    assert first.asked == ["aab", "", "b"], "and for each text once"
    second = Letters("slow")
    summary = run(path, second, ["b", "bbb", "aab", "b"])
    assert second.asked == ["bbb"]
    assert summary.reused == 3
    assert read_vectors(path, "x")[1].tolist() == [[0, 1], [0, 3], [2, 1], [0, 1]]


def test_the_file_is_the_same_with_and_without_an_earlier_run(tmp_path):
    one, other = tmp_path / "one" / "block", tmp_path / "other" / "block"
    run(one, Letters("slow"), ["b"])
    assert run(one, Letters("slow")).reused == 1
    assert run(other, Letters("slow")).reused == 0
    assert one.read_bytes() == other.read_bytes()


def test_a_run_that_was_cut_off_goes_on_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 2)

    class CutOff(Letters):
        def encode(self, texts):
            if "b" in texts:
                raise KeyboardInterrupt
            return super().encode(texts)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "block", CutOff("slow"), ["a", "aa", "b"])
    second = Letters("slow")
    assert run(tmp_path / "block", second, ["a", "aa", "b"]).reused == 2
    assert second.asked == ["b"]


def test_chunks_are_new_distinct_texts_and_the_engine_gets_them_all(tmp_path, monkeypatch):
    given = []

    def note(encoder, chunks):
        given.append([list(chunk) for chunk in chunks])
        return ENGINES["local"](encoder, chunks)

    monkeypatch.setitem(module.ENGINES, "noting", note)
    monkeypatch.setattr(module, "CHUNK", 2)
    monkeypatch.setattr(module, "PIECE", 1)
    path, letters = tmp_path / "block", Letters("slow")
    run(path, letters, ["b"])
    ids = list("123456")
    texts = ["aab", "b", "a", "aab", "aa", "aaa"]
    for _ in range(2):
        make_block(path, "x", letters, ids, texts, {}, tmp_path / "cache", "noting")
    assert given == [[["aab", "a"], ["aa", "aaa"]]]
    assert read_vectors(path, "x")[1].tolist() == Letters().encode(texts).tolist()


def test_an_earlier_catalogue_is_not_encoded_again(tmp_path):
    for texts in (TEXTS, ["bbb"]):
        run(tmp_path / "block", Letters("slow"), texts)
    third = Letters("slow")
    assert run(tmp_path / "block", third).reused == 4
    assert third.asked == []


def test_another_encoder_makes_all_features_anew(tmp_path):
    run(tmp_path / "block", Letters("slow"))
    other = Letters("another")
    assert run(tmp_path / "block", other).reused == 0
    assert other.asked == ["aab", "", "b"]


def test_a_fast_encoder_is_asked_for_everything(tmp_path):
    run(tmp_path / "block", Letters())
    again = Letters()
    run(tmp_path / "block", again)
    assert again.asked == TEXTS


def test_a_text_of_which_the_same_is_seen_is_not_encoded_again(tmp_path):
    run(tmp_path / "block", Letters("slow"), ["aab"])
    second = Letters("slow")
    assert run(tmp_path / "block", second, ["aba", "ab", "ba"]).reused == 1
    assert len(second.asked) == 1
    assert read_vectors(tmp_path / "block", "x")[1].tolist() == [[2, 1], [1, 1], [1, 1]]


@pytest.mark.parametrize("fingerprint", [None, "slow"])
@pytest.mark.parametrize("piece", [1, 100])
def test_features_that_are_not_finite_are_not_stored_and_their_item_is_named(
    tmp_path, monkeypatch, fingerprint, piece
):
    monkeypatch.setattr(module, "PIECE", piece)
    monkeypatch.setattr(module, "CHUNK", piece)
    # A fast encoder stops with the first piece, a slow one when all that it can encode is kept.
    others = "" if (fingerprint, piece) == (None, 1) else " (and 1 more)"
    path = tmp_path / "block"
    with pytest.raises(InputError) as caught:
        run(path, Overflowing(fingerprint), ["aab", "b", "aaaab", "bbbb"])
    assert str(caught.value) == (
        f"text.x: features are not finite for item 'item-2'{others}, whose text is 'aaaab'; choose "
        "another model, precision or vectors, or change the text"
    )
    assert not path.exists()
    # What could be encoded is kept, and nothing else.
    again = Letters(fingerprint)
    summary = run(path, again, ["aab", "b", "aaaab", "bbbb"])
    assert summary.reused == (0 if fingerprint is None else 2)
    assert np.isfinite(read_vectors(path, "x")[1]).all()


def test_a_sparse_block_is_checked_too(tmp_path):
    class Sparse(Overflowing):
        def encode(self, texts):
            return csr_matrix(super().encode(texts))

    with pytest.raises(InputError, match="not finite for item 'item-1', whose text is 'aaaa'"):
        run(tmp_path / "block", Sparse(), ["b", "aaaa"])


def test_a_long_text_is_cut_in_the_message(tmp_path):
    with pytest.raises(InputError) as caught:
        run(tmp_path / "block", Overflowing(), ["a" * 1000])
    assert f"'{'a' * 80}'" in str(caught.value)
