import numpy as np
import pytest
from sklearn.metrics import f1_score

from pipeline.metrics.classification import (
    accuracy_by_level,
    ancestors_at,
    confusion_counts,
    hits_at,
    macro_f1,
    most_confused_classes,
    shared_in_top,
)

#               0           1           2                3
CLASSES = [["a", "b"], ["a", "c"], ["a", "c", "d"], ["e"]]


def test_hits_by_hand():
    score = np.array([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3], [0.2, 0.3, 0.5]])
    label = np.array([1, 2, 0])
    assert hits_at(score, label, 1).tolist() == [True, False, False]
    assert hits_at(score, label, 2).tolist() == [True, True, False]
    assert hits_at(score, label, 5).tolist() == [True, True, True]


def test_ties_do_not_make_everything_right():
    score = np.zeros((4, 4))
    label = np.arange(4)
    assert hits_at(score, label, 1).tolist() == [True, False, False, False]
    assert hits_at(score, label, 3).tolist() == [True, True, True, False]


def test_hits_agree_with_sorting_where_scores_tie():
    generator = np.random.default_rng(0)
    score = generator.integers(0, 4, (200, 9)).astype(np.float32)
    label = generator.integers(0, 9, 200)
    for k in (1, 3, 9):
        expected = [
            label[n] in sorted(range(9), key=lambda c, n=n: (-score[n, c], c))[:k]
            for n in range(200)
        ]
        assert hits_at(score, label, k).tolist() == expected
    assert hits_at(score, label, 1).tolist() == (score.argmax(axis=1) == label).tolist()


def test_shared_labels_by_hand():
    score = np.array([[0.9, 0.8, 0.7, 0.1], [0.9, 0.8, 0.7, 0.1], [0.1, 0.2, 0.3, 0.9]])
    label = np.array([[1, 1, 0, 1], [0, 0, 0, 1], [1, 0, 1, 0]])
    # Best three: 0 1 2, 0 1 2 and 3 2 1.
    assert shared_in_top(score, label, 3).tolist() == [2 / 3, 0, 1 / 2]
    # Best one: it is a label of the first item alone.
    assert shared_in_top(score, label, 1).tolist() == [1, 0, 0]
    assert shared_in_top(score, label, 9).tolist() == [1, 1, 1]
    four = np.ones((1, 4))
    assert shared_in_top(four, four, 3).tolist() == [1.0]
    # Ties go to the first labels.
    assert shared_in_top(np.zeros((1, 4)), np.array([[0, 0, 1, 1]]), 3).tolist() == [1 / 2]


def test_shared_labels_refuse_what_has_no_answer():
    with pytest.raises(ValueError, match="NaN"):
        shared_in_top(np.array([[np.nan, 1]]), np.array([[1, 0]]), 3)
    with pytest.raises(ValueError, match="an item has no label"):
        shared_in_top(np.zeros((2, 2)), np.array([[1, 0], [0, 0]]), 3)
    with pytest.raises(ValueError, match="at least 1"):
        shared_in_top(np.zeros((1, 2)), np.array([[1, 0]]), 0)


def test_macro_f1_by_hand():
    # Class 0: precision 2/3, recall 2/2, F1 4/5. Class 1: 1/1 and 1/2, F1 2/3. Class 2: never
    # predicted right, 0. Class 7 is only predicted and has no F1 of its own.
    label = np.array([0, 0, 1, 1, 2, 2])
    predicted = np.array([0, 0, 1, 0, 7, 7])
    assert macro_f1(label, predicted) == pytest.approx((4 / 5 + 2 / 3 + 0) / 3)


@pytest.mark.parametrize("classes", [2, 5, 40])
def test_macro_f1_is_scikit_learns(classes):
    random = np.random.default_rng(classes)
    label, predicted = random.integers(0, classes, (2, 60))
    wanted = f1_score(label, predicted, labels=np.unique(label), average="macro", zero_division=0)
    assert macro_f1(label, predicted) == pytest.approx(wanted, abs=1e-15)


def test_accuracy_by_level_by_hand():
    # true      a<b  a<c  a<c<d  a<c<d  e
    # predicted a<c  a<c  a<c    a<c<d  a<b
    # Level 1, all 5: a a a a right, e wrong: 4/5. Level 2, the 4 with two parts: wrong, right,
    # right, right: 3/4. Level 3, the 2 with three parts: wrong (too short), right: 1/2.
    label, predicted = np.array([0, 1, 2, 2, 3]), np.array([1, 1, 1, 2, 0])
    assert accuracy_by_level(label, predicted, CLASSES) == [
        (1, 4 / 5, 5),
        (2, 3 / 4, 4),
        (3, 1 / 2, 2),
    ]


def test_levels_end_where_no_true_path_goes_deeper():
    assert len(accuracy_by_level(np.array([0, 3]), np.array([2, 2]), CLASSES)) == 2
    assert accuracy_by_level(np.array([], dtype=int), np.array([], dtype=int), CLASSES) == []


def test_equal_names_under_different_parents_are_different():
    classes = [["a", "x"], ["b", "x"]]
    found = accuracy_by_level(np.array([0, 0]), np.array([0, 1]), classes)
    assert [level.accuracy for level in found] == [0.5, 0.5]


def test_ancestors_by_hand():
    assert ancestors_at(CLASSES, 1).tolist() == [0, 0, 0, 1]
    assert ancestors_at(CLASSES, 2).tolist() == [0, 1, 1, 2]


def test_confusions_by_hand():
    label, predicted = np.array([0, 1, 1, 1, 2, 2, 3]), np.array([0, 2, 2, 1, 1, 0, 3])
    pairs = confusion_counts(label, predicted)
    assert pairs == [(1, 2, 2), (0, 0, 1), (1, 1, 1), (2, 0, 1), (2, 1, 1), (3, 3, 1)]
    # Errors per class: 0 takes part in 1, 1 in 3, 2 in 4, 3 in none.
    assert most_confused_classes(pairs, 2) == [2, 1]
    assert most_confused_classes(pairs, 9) == [2, 1, 0]


def test_no_items_no_confusions():
    empty = np.array([], dtype=np.int64)
    assert confusion_counts(empty, empty) == []


def test_misuse_is_named():
    with pytest.raises(ValueError, match="k must be at least 1"):
        hits_at(np.zeros((1, 2)), np.array([0]), 0)
    with pytest.raises(ValueError, match="NaN"):
        hits_at(np.array([[np.nan, 1.0]]), np.array([0]), 1)
