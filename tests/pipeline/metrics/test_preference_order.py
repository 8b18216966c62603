import numpy as np
import pytest

from pipeline.metrics.graded_hierarchy import class_heights
from pipeline.metrics.preference_order import preference_order

# Degrees from x(0): x 0, y 1, z and w 2.
SISTERS = class_heights([["a", "x"], ["a", "y"], ["b", "z"], ["b", "w"]])


def score(best, k, heights=SISTERS, label=0):
    return preference_order(np.array([label]), np.array([best]), heights, k)[0]


def test_by_hand():
    # Places are worth 1, 1/2, 1/4 and, half way from there to 0, 1/8.
    # Wanted 0 1 2 2; reversed 2 2 1 0 costs 2 + 1/2 + 1/4 + 2/8 = 3.
    # y x z w is 1 0 2 2: 1 + 1/2 of 3.
    assert score([1, 0, 2, 3], 4) == pytest.approx(0.5)
    # x z y w is 0 2 1 2: 1/2 + 1/4 of 3.
    assert score([0, 2, 1, 3], 4) == pytest.approx(0.75)
    # x z w y is 0 2 2 1: 1/2 + 1/8 of 3.
    assert score([0, 2, 3, 1], 4) == pytest.approx(1 - 0.625 / 3)


def test_cut_it_is_measured_against_the_first_places_reversed():
    # Wanted 0 1; reversed costs 1 + 1/2. x z is 0 2: 1/2 of it.
    assert score([0, 2], 2) == pytest.approx(2 / 3)
    assert score([1, 0], 2) == 0
    # z w is 2 2: 2 + 1/2, more than that.
    assert score([2, 3], 2) == 0


def test_places_of_one_degree_lose_weight_towards_the_next():
    # Degrees 0 1 1 2; the places are worth 1, 1/2, half way to 1/4: 3/8, and 1/4.
    # Reversed costs 2 + 0 + 0 + 2/4. x z y v is 0 2 1 1: 1/2 + 1/4 of 5/2.
    heights = class_heights([["a", "x"], ["a", "y"], ["a", "v"], ["b"]])
    assert score([0, 3, 1, 2], 4, heights) == pytest.approx(0.7)
    # x y z v is 0 1 2 1: 3/8 + 1/4 of 5/2.
    assert score([0, 1, 3, 2], 4, heights) == pytest.approx(0.75)


def test_a_perfect_order_scores_exactly_one_whatever_stands_first_of_equals():
    for k in (1, 2, 3, 4, 20):
        assert score([0, 1, 2, 3], k) == score([0, 1, 3, 2], k) == 1
    assert score([3, 2, 1, 0], 4, label=3) == 1


def test_the_reversed_order_scores_zero():
    assert score([2, 3, 1, 0], 4) == 0


def test_at_one_it_is_accuracy():
    assert score([0, 1], 1) == 1
    assert score([1, 0], 1) == 0


def test_degrees_have_no_gaps():
    # From e all others are at the height of the tree, 3: degree 1, with nothing between.
    heights = class_heights([["a", "b", "c"], ["a", "b", "d"], ["e"]])
    # Wanted 0 1 1, worth 1, 1/2, 1/4; reversed 1 1 0 costs 1 + 1/4. c e d is 1 0 1: 1 + 1/2.
    assert score([0, 2, 1], 3, heights, label=2) == 0
    assert score([2, 0, 1], 3, heights, label=2) == 1


def naive(label, best, height_KK, k):
    distinct = sorted(set(height_KK[label].tolist()))
    degree = [distinct.index(height) for height in height_KK[label].tolist()]
    wanted = sorted(degree)
    weight = []
    for place, e in enumerate(wanted):
        start = wanted.index(e)
        end = 0 if e == wanted[-1] else 2.0 ** -(e + 1)
        weight.append(2.0**-e + (end - 2.0**-e) * (place - start) / wanted.count(e))
    first = wanted[:k]
    cost = sum(w * abs(e - degree[c]) for w, e, c in zip(weight, first, best, strict=False))
    worst = sum(w * abs(e - r) for w, e, r in zip(weight, first, first[::-1], strict=False))
    return max(0.0, 1 - cost / worst)


@pytest.mark.parametrize("k", [2, 5, 12])
def test_agrees_with_plain_loops(k):
    generator = np.random.default_rng(0)
    paths = {tuple(generator.choice(list("abc"), size=n)) for n in generator.integers(1, 5, 30)}
    classes = sorted(paths)[:12]
    heights = class_heights(classes)
    label_N = generator.integers(len(classes), size=40)
    best_NR = np.stack([generator.permutation(len(classes)) for _ in label_N])
    found_N = preference_order(label_N, best_NR, heights, k)
    for n, label in enumerate(label_N):
        expected = naive(label, best_NR[n].tolist(), heights.pair_KK.numpy(), k)
        assert found_N[n] == pytest.approx(expected)
