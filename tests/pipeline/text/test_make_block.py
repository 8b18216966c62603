import numpy as np
import pytest

from pipeline.text import make_block as module
from pipeline.text.make_block import make_block
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


TEXTS = ["aab", "", "b", "aab"]
VECTORS = [[2, 1], [0, 0], [0, 1], [2, 1]]


def run(path, encoder, texts=TEXTS):
    return make_block(path, "x", encoder, [f"item-{n}" for n in range(len(texts))], texts, {})


@pytest.mark.parametrize("fingerprint", [None, "slow"])
@pytest.mark.parametrize("piece", [1, 3, 100])
def test_every_text_gets_its_features(tmp_path, monkeypatch, fingerprint, piece):
    monkeypatch.setattr(module, "PIECE", piece)
    summary = run(tmp_path / "block", Letters(fingerprint))
    assert summary == (4, 2, 1, 0)
    ids, vector_NE = read_vectors(tmp_path / "block", "x")
    assert ids == ["item-0", "item-1", "item-2", "item-3"]
    assert vector_NE.tolist() == VECTORS


def test_a_second_run_asks_a_slow_encoder_for_new_texts_alone(tmp_path):
    path = tmp_path / "block"
    first = Letters("slow")
    run(path, first)
    assert first.asked == ["aab", "", "b"], "and for each text once"
    second = Letters("slow")
    summary = run(path, second, ["b", "bbb", "aab", "b"])
    assert second.asked == ["bbb"]
    assert summary.reused == 3
    assert read_vectors(path, "x")[1].tolist() == [[0, 1], [0, 3], [2, 1], [0, 1]]


def test_the_file_is_the_same_with_and_without_an_earlier_run(tmp_path):
    run(tmp_path / "one", Letters("slow"), ["b"])
    run(tmp_path / "one", Letters("slow"))
    run(tmp_path / "other", Letters("slow"))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


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
