import numpy as np
import pandas as pd
import pytest

from pipeline.catalog.components import find_components, number_values
from pipeline.catalog.items import make_items
from pipeline.catalog.read import read_catalog
from pipeline.catalog.split import stratify
from pipeline.catalog.split_doubts import count_divided
from pipeline.core.errors import InputError
from pipeline.pictures.folder import ImageFolder
from tests.pipeline.catalog.frames import (
    COLUMNS,
    KEEP,
    make_frame,
    pictures_of,
    split_items,
    split_settings,
    with_compared,
)


def divided(items, splits, keep_together=KEEP):
    groups = number_values(with_compared(items), pictures_of(items))
    groups["group"] = find_components(groups, keep_together)
    return count_divided(groups, splits, "group").sets


def counts(splits):
    return splits["split"].value_counts().to_dict()


def test_a_catalogue_goes_from_file_to_splits(tmp_path):
    (tmp_path / "images").mkdir()
    lines = ["image,name,classes,model"]
    for n in range(40):
        (tmp_path / "images" / f"{n}.jpg").write_bytes(b"x")
        lines.append(
            f'images/{n}.jpg,"Chloé, no. {n}",{"bags<totes" if n % 2 else "hats"},m{n // 4}'
        )
    (tmp_path / "catalog.csv").write_text("\r\n".join(lines), encoding="utf-8-sig")
    columns = COLUMNS.model_copy(update={"text": "name", "group": "model"})
    table = read_catalog(tmp_path / "catalog.csv", columns)
    items, rejected, *_ = make_items(
        table,
        ImageFolder(tmp_path / "images"),
        separator="<",
        separator_images=None,
        require="any",
        on_bad_row="error",
        warn=print,
    )
    splits = split_items(items.assign(digest=items["image"]))
    assert rejected.empty
    assert list(splits.columns) == ["item_id", "split"]
    assert splits["item_id"].tolist() == items["item_id"].tolist()
    # Ten models of two bags and two hats each.
    assert counts(splits) == {"train": 28, "val": 4, "test": 8}
    assert divided(items.assign(digest=items["image"]), splits, ["group"]) == 0


def test_rows_in_another_order_get_the_same_splits():
    items = make_frame({"a": 40, "b": 25}, group=lambda n: f"g{n % 30}" if n % 3 else "")
    splits = split_items(items).set_index("item_id")["split"]
    again = split_items(items.sample(frac=1.0, random_state=1)).set_index("item_id")["split"]
    assert again[splits.index].equals(splits)
    assert not split_items(items, seed=1)["split"].equals(split_items(items)["split"])


@pytest.mark.parametrize("label", ["path", "leaf"])
def test_another_class_moves_nothing(label):
    items = make_frame({"x<a": 20, "x<c": 31})
    more = pd.concat([items, make_frame({"x<b": 17}).assign(group="g", text="new")])
    before = split_items(items, label=label)
    after = split_items(more, label=label)
    assert after["split"].tolist()[: len(items)] == before["split"].tolist()


def test_what_belongs_together_is_not_divided():
    items = make_frame(
        {"a": 60, "b": 60},
        group=lambda n: f"g{n // 3}" if n < 30 else "",
        text=lambda n: f"Text  {n % 50}" if n % 2 else f"text {n % 50}",
    )
    splits = split_items(items)
    assert divided(items, splits, KEEP) == 0
    assert set(splits["split"]) == {"train", "val", "test"}
    loose = split_items(items, keep_together=[])
    assert divided(items, loose, KEEP) > 0
    assert counts(loose) == {"train": 84, "val": 12, "test": 24}


def test_leaves_are_the_classes_where_label_says_so():
    # Under leaf, boots are one class of 10 with 2 in test; under path five of 2, kept in train.
    paths = {f"{who}<boots": 2 for who in "vwxyz"} | {"bags": 10}
    items = make_frame(paths)
    boots = items["class_path"].str.endswith("boots")
    as_leaf = split_items(items, label="leaf", min_class_size=3)
    as_path = split_items(items, label="path", min_class_size=3)
    assert counts(as_leaf[boots]) == {"train": 7, "val": 1, "test": 2}
    assert counts(as_path[boots]) == {"train": 10}


def test_a_given_split_is_taken_as_it_is():
    split = ["train", "val", "test", "test"]
    items = make_frame({"a": 2, "b": 2}, group=lambda n: "g", split=lambda n: split[n])
    splits = split_items(items)
    assert splits["split"].tolist() == split
    assert divided(items, splits, ["group"]) == 1
    assert divided(items, splits, ["image", "text"]) == 0


def test_a_given_split_without_val_has_it_carved_from_train():
    items = make_frame(
        {"a": 100, "b": 100},
        group=lambda n: f"g{n // 2}",
        split=lambda n: "test" if n % 100 < 20 else "train",
    )
    splits = split_items(items)
    given_test = items["split"] == "test"
    assert set(splits["split"][given_test]) == {"test"}
    # 0.1 / (1 - 0.2) = 1/8 of the 80 train items of each class.
    assert counts(splits[~given_test]) == {"train": 140, "val": 20}
    assert divided(items, splits, ["group"]) == 0


def test_a_drawn_val_keeps_together_what_a_test_item_links():
    # Pairs of train items: one shares its group, the other its text with one test item.
    items = make_frame(
        {"a": 150, "b": 150},
        group=lambda n: f"g{n // 3}" if n % 3 != 2 else "",
        text=lambda n: f"t{n // 3}" if n % 3 != 0 else f"other {n}",
        split=lambda n: ("train", "test", "train")[n % 3],
    )
    splits = split_items(items)
    assert counts(splits)["val"] > 20
    for start in range(0, 300, 3):
        assert splits["split"][start] == splits["split"][start + 2]


def test_a_given_split_without_train_is_refused():
    items = make_frame({"a": 2, "b": 2}, split=lambda n: "test")
    with pytest.raises(InputError, match=r"catalog\.columns\.split: .* marked train"):
        split_items(items)


@pytest.mark.parametrize(("val", "expected"), [(0, {"train": 70, "val": 10}), (8, None)])
def test_a_given_split_needs_no_test(val, expected):
    items = make_frame({"a": 40, "b": 40}, split=lambda n: "val" if n % 40 < val else "train")
    splits = split_items(items)
    assert counts(splits) == (expected or {"train": 64, "val": 16})
    assert divided(items, splits) == 0


def test_no_test_items_are_drawn_where_their_share_is_zero():
    splits = split_items(make_frame({"a": 50, "b": 50}), test=0.0)
    assert counts(splits) == {"train": 90, "val": 10}
    with pytest.raises(InputError, match="no items for val"):
        split_items(make_frame({"a": 1, "b": 1}), test=0.0)


@pytest.mark.parametrize(
    "items",
    [
        make_frame({"a": 1, "b": 1}),
        make_frame({"a": 50, "b": 50}, group=lambda n: "one group"),
        make_frame({"a": 1, "b": 1, "c": 1}, split=lambda n: ("train", "train", "test")[n]),
    ],
)
def test_an_empty_split_is_refused_with_what_to_change(items):
    with pytest.raises(InputError, match=r"no items for val .*min_class_size.*keep_together"):
        split_items(items)


def test_classes_below_the_minimum_size_can_leave_nothing_to_test():
    with pytest.raises(
        InputError, match=r"the largest of 2 classes has 20, .* set split\.min_class_size: 1"
    ):
        split_items(make_frame({"a": 20, "b": 20}), min_class_size=21)


def draw(classes, components=None, **changed):
    """Split items called i00000, i00001, ... and return their splits."""
    size = len(classes)
    return stratify(
        np.array([f"i{n:05}" for n in range(size)], dtype=object),
        np.arange(size) if components is None else np.asarray(components),
        np.array(classes, dtype=object),
        split_settings(**changed),
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
    settings = split_settings(val=0.2, seed=3, min_class_size=2)
    split_N = stratify(item_id_N, component_N, class_N, settings)
    for _ in range(3):
        order = rng.permutation(200)
        # The numbers of components change with the order too.
        renumbered = rng.permutation(component_N.max() + 1)[component_N[order]]
        again = stratify(item_id_N[order], renumbered, class_N[order], settings)
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
