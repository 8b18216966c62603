"""Made-up catalogues to split."""

import pandas as pd

from pipeline.catalog.components import find_components, number_values
from pipeline.catalog.near_text import near_text, plain_text
from pipeline.catalog.settings import ColumnSettings, SplitSettings
from pipeline.catalog.split import make_splits
from pipeline.features.classes import make_classes

KEEP = ("group", "image", "text")
COLUMNS = ColumnSettings(
    image="image",
    text="text",
    classes="classes",
    group=None,
    split=None,
    id=None,
    separator_images=None,
    keep=[],
)


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


def split_settings(**changed):
    usual = {"val": 0.1, "test": 0.2, "seed": 0, "min_class_size": 1, "keep_together": []}
    return SplitSettings(**{**usual, **changed})


def with_compared(items):
    """What the catalog stage adds for the comparison of texts."""
    return items.assign(
        plain_text=items["text"].map(plain_text), near_text=items["text"].map(near_text)
    )


def pictures_of(items):
    """The pictures of items that have one each or, where `digest` is empty, none."""
    columns = [name for name in ("item_id", "image", "digest") if name in items]
    return items.loc[items["digest"] != "", columns].reset_index(drop=True)


def split_items(items, *, label="path", keep_together=KEEP, **changed):
    classes = make_classes(items["class_path"], separator="<", label=label)
    sets_N = find_components(number_values(with_compared(items), pictures_of(items)), keep_together)
    return make_splits(items, classes, sets_N, split_settings(**changed))
