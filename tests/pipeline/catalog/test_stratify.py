import numpy as np
import pytest

from pipeline.catalog.stratify import stratify


def draw(classes, components=None, *, val=0.1, test=0.2, seed=0, min_class_size=1, prefix="i"):
    """Split items called i00000, i00001, ... and return their splits."""
    size = len(classes)
    return stratify(
        np.array([f"{prefix}{n:05}" for n in range(size)], dtype=object),
        np.arange(size) if components is None else np.asarray(components),
        class_name_N=np.array(classes, dtype=object),
        val=val,
        test=test,
        seed=seed,
        min_class_size=min_class_size,
    )


def count(split_N, within=slice(None)):
    return tuple(int((split_N[within] == name).sum()) for name in ("train", "val", "test"))


@pytest.mark.parametrize(
    ("size", "val", "test", "expected"),
    [(10, 0.1, 0.2, (7, 1, 2)), (40, 0.25, 0.25, (20, 10, 10)), (1000, 0.1, 0.1, (800, 100, 100))],
)
@pytest.mark.parametrize("seed", range(3))
def test_shares_that_are_whole_items_are_met_in_every_class(size, val, test, expected, seed):
    classes = ["a", "b", "c"] * size
    split_N = draw(classes, val=val, test=test, seed=seed)
    for name in "abc":
        assert count(split_N, np.array(classes) == name) == expected


@pytest.mark.parametrize("size", [2, 3, 4, 7])
def test_shares_of_many_little_classes_add_up(size):
    # 600 classes: the standard deviation of a share is below sqrt(0.25 / (600 * size)) < 0.015,
    # and rounding to nearest would give classes of three no val and classes of two no test.
    split_N = draw([f"c{n}" for n in range(600)] * size)
    shares = np.array(count(split_N)) / len(split_N)
    np.testing.assert_allclose(shares, [0.7, 0.1, 0.2], atol=0.04)


def test_seeds_differ_and_repeat():
    classes = ["a", "b"] * 50
    assert (draw(classes) == draw(classes)).all()
    assert (draw(classes) != draw(classes, seed=1)).any()


def test_order_does_not_matter():
    rng = np.random.default_rng(0)
    item_id_N = np.array([f"{n:04}" for n in range(200)], dtype=object)
    component_N = np.unique(rng.integers(120, size=200), return_inverse=True)[1]
    class_N = rng.choice(np.array(["a", "b", "c"], dtype=object), size=200)
    shares = {"val": 0.2, "test": 0.2, "seed": 3, "min_class_size": 2}
    split_N = stratify(item_id_N, component_N, class_name_N=class_N, **shares)
    for _ in range(3):
        order = rng.permutation(200)
        # The numbers of components change with the order too.
        renumbered = rng.permutation(component_N.max() + 1)[component_N[order]]
        again = stratify(item_id_N[order], renumbered, class_name_N=class_N[order], **shares)
        assert (again == split_N[order]).all()


@pytest.mark.parametrize("new", ["a", "k", "z"])
def test_items_of_another_class_move_nothing(new):
    classes = ["b"] * 30 + ["m"] * 13 + ["n"] * 2
    more = classes + [new] * 25
    assert (draw(more)[: len(classes)] == draw(classes)).all()


def test_components_are_not_divided_and_count_with_all_their_items():
    # Class a is 20 components of 5 items each: 0.2 of 100 items are 4 of them, 0.1 are 2.
    components = np.repeat(np.arange(20), 5)
    split_N = draw(["a"] * 100, components)
    assert count(split_N) == (70, 10, 20)
    for number in range(20):
        assert len(set(split_N[components == number])) == 1


@pytest.mark.parametrize("seed", range(20))
def test_a_component_that_dwarfs_a_share_stays_in_train(seed):
    # 60 of 100 items: the middle of its interval is at 30 or later, test and val end at 30.
    components = [0] * 60 + list(range(1, 41))
    split_N = draw(["a"] * 100, components, seed=seed)
    assert split_N[0] == "train"


def test_a_component_counts_for_its_most_frequent_class():
    # Components of two items a and one b; were they counted for b, which has 10 items of its own,
    # b would have 20 and so 4 in the test.
    classes = ["a", "a", "b"] * 10 + ["b"] * 10
    components = np.concatenate([np.repeat(np.arange(10), 3), np.arange(10, 20)])
    split_N = draw(classes, components)
    assert count(split_N, slice(30, None)) == (7, 1, 2)
    assert count(split_N, slice(0, 30)) == (21, 3, 6)


def test_at_a_tie_the_alphabetically_first_class_counts():
    # One item a and one b per component: counted for a they have a stratum of their own, and the
    # lone items of b are divided as if alone.
    classes = ["a", "b"] * 10 + ["b"] * 10
    components = np.concatenate([np.repeat(np.arange(10), 2), np.arange(10, 20)])
    assert count(draw(classes, components), slice(20, None)) == (7, 1, 2)


@pytest.mark.parametrize("seed", range(5))
def test_little_classes_stay_wholly_in_train_with_what_is_tied_to_them(seed):
    # r has 4 items, one of them tied to two items of a; min_class_size is 5.
    classes = ["a"] * 47 + ["r", "a", "a"] + ["r"] * 3
    components = [*range(47), 47, 47, 47, 48, 49, 50]
    split_N = draw(classes, components, seed=seed, min_class_size=5)
    assert set(split_N[47:]) == {"train"}
    # The components of a have 50 items, and it still gets 10 in test and 5 in val.
    assert count(split_N, slice(0, 47)) == (32, 5, 10)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(
    ("classes", "components"),
    [
        (["a"] * 20 + ["b"], None),
        (["a", "b", "b", "c", "c", "c"], None),
        # b exists only as the lesser part of components of a.
        (["a", "a", "b"] * 8, np.repeat(np.arange(8), 3)),
        # b and c exist only in one component each, of a.
        (["a"] * 20 + ["a", "a", "b", "a", "a", "c"], [*range(20), 20, 20, 20, 21, 21, 21]),
    ],
)
def test_every_class_has_an_item_in_train(classes, components, seed):
    split_N = draw(classes, components, val=0.4, test=0.5, seed=seed)
    assert set(np.array(classes)[split_N == "train"]) == set(classes)


def test_the_least_component_is_moved_to_give_a_class_to_train():
    # With 0.45 + 0.45 of 40 items for test and val some seed puts both components that hold b
    # there; then the pair moves and the ten stay.
    classes = ["a"] * 28 + ["a"] * 9 + ["b"] + ["a", "b"]
    components = [*range(28)] + [28] * 10 + [29] * 2
    moved = 0
    for seed in range(20):
        split_N = draw(classes, components, val=0.45, test=0.45, seed=seed)
        assert "train" in (split_N[37], split_N[39])
        moved += split_N[37] != "train"
    assert moved > 10
