import pandas as pd
import pytest

from pipeline.catalog.components import count_divided, find_components, number_values
from pipeline.catalog.items import make_items
from pipeline.catalog.read import read_catalog
from pipeline.catalog.split import doubt_classes, doubt_splits, make_splits
from pipeline.core.errors import InputError
from pipeline.features.classes import make_classes
from pipeline.pictures.folder import ImageFolder

KEEP = ("group", "image", "text")


def make_frame(size_of, *, group=lambda n: "", text=lambda n: f"text {n}", split=lambda n: ""):
    """Items of the named classes, numbered through."""
    paths = [path for path, size in size_of.items() for _ in range(size)]
    return pd.DataFrame(
        {
            "item_id": [f"{path}-{n}" for n, path in enumerate(paths)],
            "digest": [f"picture of {path} {n}" for n, path in enumerate(paths)],
            "text": [text(n) for n in range(len(paths))],
            "class_path": paths,
            "group": [group(n) for n in range(len(paths))],
            "split": [split(n) for n in range(len(paths))],
        },
        dtype="str",
    )


def split_items(items, *, label="path", keep_together=KEEP, **changed):
    classes = make_classes(items["class_path"], separator="<", label=label)
    settings = {"val": 0.1, "test": 0.2, "seed": 0, "min_class_size": 1, **changed}
    return make_splits(
        items, classes, find_components(number_values(items), keep_together), **settings
    )


def divided(items, splits, keep_together=KEEP):
    groups = number_values(items)
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
    table = read_catalog(
        tmp_path / "catalog.csv", image="image", text="name", classes="classes", group="model"
    )
    items, rejected = make_items(
        table, ImageFolder(tmp_path / "images"), separator="<", on_bad_row="error", warn=print
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


def test_a_given_split_that_divides_sets_is_told_with_the_share_of_test():
    items = make_frame(
        {"a": 4, "b": 4},
        group=lambda n: f"g{n // 2}" if n < 4 else "",
        split=lambda n: ("train", "test", "test", "test", "train", "train", "val", "test")[n],
    )
    groups = number_values(items)
    groups.insert(1, "group", find_components(groups, KEEP))
    (line,) = doubt_splits(groups, split_items(items))
    assert line.startswith("catalog.columns.split: the ready-made split divides 1 set")
    assert "1 of 4 test items (25.0%)" in line
    drawn = split_items(items.assign(split=""), val=0.25, test=0.25)
    assert list(doubt_splits(groups, drawn)) == []


@pytest.mark.parametrize(
    ("sides", "test_items"),
    [(("train", "val", None), 0), (("val", "test", "test"), 1), (("train", "test", "test"), 1)],
)
def test_a_divided_set_is_told_whatever_splits_it_lies_in(sides, test_items):
    first, second, rest = sides
    groups = pd.DataFrame(
        {"item_id": list("abcd"), "group": [0, 0, 1, 2], "near_text": [0, 1, 2, 3]}
    )
    split = [first, second, "train", rest or "train"]
    (line,) = doubt_splits(groups, pd.DataFrame({"item_id": list("abcd"), "split": split}))
    assert "divides 1 set of items" in line
    assert ("test figures are too good" in line) == (test_items > 0)
    if test_items:
        assert "1 of 2 test items (50.0%) have a fellow in train or val" in line


def test_a_class_that_its_items_ties_keep_out_of_the_test_split_is_told():
    # All of class b have one text.
    items = make_frame({"a": 60, "b": 40}, text=lambda n: "watch" if n >= 60 else f"text {n}")
    classes = make_classes(items["class_path"], separator="<", label="path")
    splits = split_items(items)
    line = doubt_classes(items, splits, classes, test=0.1)
    assert line.startswith("split: 1 class of 40 items without a test item, for example 'b'")
    assert doubt_classes(items, splits, classes, test=0.04) is None, "too few to be missed"
    given = items.assign(split="train")
    assert doubt_classes(given, splits, classes, test=0.1) is None
    free = make_frame({"a": 60, "b": 40})
    assert doubt_classes(free, split_items(free), classes, test=0.1) is None


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


def test_no_finding_without_a_test_split():
    items = make_frame({"a": 50, "b": 50})
    groups = number_values(items)
    groups.insert(1, "group", find_components(groups, KEEP))
    assert list(doubt_splits(groups, split_items(items, test=0.0))) == []


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
    with pytest.raises(InputError, match=r"no items for .*split\.min_class_size"):
        split_items(make_frame({"a": 20, "b": 20}), min_class_size=21)


def test_texts_that_differ_in_size_or_colour_alone_are_told_and_kept_together_where_asked():
    # Ten products of ten variants each, beside a hundred products that are alone.
    variant = (
        "XS black",
        "S red",
        "M",
        "L blue",
        "XL",
        "2XL",
        "36",
        "38 white",
        "500 ml",
        "one size",
    )
    items = make_frame(
        {"a": 100, "b": 100},
        text=lambda n: (
            f"Hoodie {chr(97 + n // 10)} {variant[n % 10]}" if n < 100 else f"hat {'x' * n}"
        ),
    )

    def told(keep_together):
        groups = number_values(items)
        groups.insert(1, "group", find_components(groups, keep_together))
        return list(doubt_splits(groups, split_items(items, keep_together=keep_together)))

    (line,) = told(KEEP)
    assert line.startswith(
        "split.keep_together: 20 of 40 test items (50.0%) have a text that differs"
    )
    assert "add near_text to the key" in line
    assert told((*KEEP, "near_text")) == []
    items["text"] = [f"product {'x' * n}" for n in range(200)]
    items.loc[items.index[:4], "text"] = "One Text"
    assert told(()) == [], "a few are not worth a line"
