import pandas as pd
import pytest

from pipeline.catalog.classes import make_classes
from pipeline.catalog.components import count_divided
from pipeline.catalog.images import ImageFolder
from pipeline.catalog.items import make_items
from pipeline.catalog.read import read_catalog
from pipeline.catalog.split import make_splits
from pipeline.errors import InputError

KEEP = ("group", "image", "text")


def make_frame(size_of, *, group=lambda n: "", text=lambda n: f"text {n}", split=lambda n: ""):
    """Items of the named classes, numbered through."""
    paths = [path for path, size in size_of.items() for _ in range(size)]
    return pd.DataFrame(
        {
            "item_id": [f"{path}-{n}" for n, path in enumerate(paths)],
            "image": [f"{path}/{n}.jpg" for n, path in enumerate(paths)],
            "digest": [f"{path} {n}" for n, path in enumerate(paths)],
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
    return make_splits(items, classes, keep_together=keep_together, **settings)


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
    folder = ImageFolder(tmp_path / "images")
    items, rejected = make_items(table, folder, separator="<", on_bad_row="error")
    splits = split_items(items.assign(digest=items["image"]))
    assert rejected.empty
    assert list(splits.columns) == ["item_id", "split"]
    assert splits["item_id"].tolist() == items["item_id"].tolist()
    # Ten models of two bags and two hats each.
    assert counts(splits) == {"train": 28, "val": 4, "test": 8}
    assert count_divided(items, splits, ["group"]) == 0


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
    assert count_divided(items, splits, KEEP) == 0
    assert set(splits["split"]) == {"train", "val", "test"}
    loose = split_items(items, keep_together=[])
    assert count_divided(items, loose, KEEP) > 0
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
    assert count_divided(items, splits, ["group"]) == 1
    assert count_divided(items, splits, ["image", "text"]) == 0


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
    assert count_divided(items, splits, ["group"]) == 0


@pytest.mark.parametrize("only", ["train", "test"])
def test_a_given_split_without_train_or_test_is_refused(only):
    items = make_frame({"a": 2, "b": 2}, split=lambda n: only)
    absent = "test" if only == "train" else "train"
    with pytest.raises(InputError, match=rf"catalog\.columns\.split: .* marked {absent}"):
        split_items(items)


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
