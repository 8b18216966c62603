import numpy as np
import pytest

from pipeline.audit.folds import capped_sample, deal_folds


def test_a_product_is_in_one_fold_and_folds_have_as_many_products():
    random = np.random.default_rng(0)
    product_N, label_N = random.integers(0, 50, size=200), random.integers(0, 7, size=200)
    fold_N = deal_folds(product_N, label_N, 4, seed=0)
    fold_of = {p: set(fold_N[product_N == p]) for p in np.unique(product_N)}
    assert {len(folds) for folds in fold_of.values()} == {1}
    count = np.bincount([folds.pop() for folds in fold_of.values()])
    assert count.max() - count.min() <= 1


@pytest.mark.parametrize("seed", range(5))
def test_a_class_of_two_products_is_in_two_folds(seed):
    label_N = np.repeat(np.arange(30), 2)
    fold_N = deal_folds(np.arange(60), label_N, 3, seed=seed)
    assert (fold_N[::2] != fold_N[1::2]).all()


def test_another_seed_deals_otherwise():
    label_N = np.repeat(np.arange(5), 20)
    one, other = (deal_folds(np.arange(100), label_N, 5, seed=seed) for seed in (0, 1))
    assert (one == deal_folds(np.arange(100), label_N, 5, seed=0)).all()
    assert (one != other).any()


def test_of_few_items_all_are_fitted_on():
    assert capped_sample(np.array([0, 0, 1]), 3, seed=0).tolist() == [0, 1, 2]


def test_large_classes_lose_items_first():
    label_N = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [100, 20, 3]))
    chosen_M = capped_sample(label_N, 30, seed=0)
    # 13 + 13 + 3 are affordable, 14 + 14 + 3 are not.
    assert np.bincount(label_N[chosen_M]).tolist() == [13, 13, 3]
    assert (np.diff(chosen_M) > 0).all()


def test_every_class_keeps_an_item_where_there_are_more_classes_than_items_wanted():
    assert capped_sample(np.repeat(np.arange(9), 2), 4, seed=0).tolist().__len__() == 9
