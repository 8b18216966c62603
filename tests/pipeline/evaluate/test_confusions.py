import numpy as np

from pipeline.evaluate.confusions import EXAMPLES, largest_confusions

NAMES = ["big", "small", "hats"]


def test_confusions_by_number_of_items_with_examples(frame):
    label_N = frame["label"].to_numpy()
    predicted_N = label_N.copy()
    predicted_N[[1, 4]] = 2
    predicted_N[0] = 1
    first, second = largest_confusions(label_N, predicted_N, NAMES, frame, count=5)
    # Class 1 has the items 1, 4, 7 and 10.
    assert (first.actual, first.predicted, first.items, first.share) == ("small", "hats", 2, 0.5)
    assert [card.text for card in first.examples] == ["thing 1", "thing 4"]
    assert (second.actual, second.predicted, second.items) == ("big", "small", 1)


def test_at_most_so_many_confusions_and_examples(frame):
    label_N = np.zeros(12, dtype=int)
    predicted_N = np.array([1] * 8 + [2] * 4)
    (only,) = largest_confusions(label_N, predicted_N, NAMES, frame, count=1)
    assert only.items == 8
    assert len(only.examples) == EXAMPLES


def test_without_errors_there_are_no_confusions(frame):
    label_N = frame["label"].to_numpy()
    assert largest_confusions(label_N, label_N, NAMES, frame, count=5) == []
