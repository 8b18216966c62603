import numpy as np
import pytest

from pipeline.encoders.token_batches import Padding, Tokens, fill_up, run_in_batches


def text(*numbers):
    """Tokens of which the first is special."""
    return Tokens(np.array(numbers), np.arange(len(numbers)) == 0)


TEXTS = [text(1, 5), text(1, 6, 7, 8), text(1), text(1, 9, 9)]


@pytest.mark.parametrize(
    ("padding", "token_BL", "mask_BL"),
    [
        (Padding(3), [[1, 5, 3], [1, 9, 9]], [[1, 1, 0], [1, 1, 1]]),
        (Padding(3, left=True), [[3, 1, 5], [1, 9, 9]], [[0, 1, 1], [1, 1, 1]]),
        (Padding(0, length=4), [[1, 5, 0, 0], [1, 9, 9, 0]], [[1, 1, 0, 0], [1, 1, 1, 0]]),
    ],
)
def test_shorter_texts_are_filled_up(padding, token_BL, mask_BL):
    batch = fill_up([TEXTS[0], TEXTS[3]], padding, count_special=True)
    assert batch.token_BL.tolist() == token_BL
    assert batch.mask_BL.tolist() == batch.counted_BL.tolist() == mask_BL


def test_special_tokens_count_if_asked_to():
    batch = fill_up([TEXTS[0], TEXTS[3]], Padding(), count_special=False)
    assert batch.counted_BL.tolist() == [[0, 1, 0], [0, 1, 1]]
    assert batch.mask_BL.tolist() == [[1, 1, 0], [1, 1, 1]]


def test_a_text_without_tokens_is_one_that_is_filled_up():
    empty = Tokens(np.zeros(0, np.int64), np.zeros(0, bool))
    batch = fill_up([empty], Padding(4), count_special=True)
    assert batch.token_BL.tolist() == [[4]]
    assert batch.mask_BL.tolist() == [[0]]


def test_texts_of_about_one_length_run_together_and_come_back_in_order():
    shapes = []

    def run(batch):
        shapes.append(batch.token_BL.shape)
        return batch.token_BL.sum(axis=1, keepdims=True)

    found = run_in_batches(TEXTS, 2, Padding(), run, 1)
    assert shapes == [(2, 4), (2, 2)]
    assert found.tolist() == [[6], [22], [1], [19]]
    assert found.dtype == np.float32
    assert run_in_batches([], 2, Padding(), run, 3).shape == (0, 3)
