"""Turn the rows of a catalogue into items, and say of every other row why it is not one."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import pandas as pd

from pipeline.catalog.leading_folders import NamedPictures
from pipeline.catalog.several_pictures import LostPictures, join_rows, picture_names
from pipeline.core.counted import counted, times
from pipeline.core.errors import BadRowError, InputError
from pipeline.core.text import normalize_text
from pipeline.features.class_path import normalize_class_path
from pipeline.pictures.folder import ImageFolder

ITEM_COLUMNS = ["item_id", "image", "text", "class_path"]
"""What items.parquet holds; `group` and `split` stay out so that a new split does not touch it.
`image` or `text` is empty where an item lacks it; `image` is the first of several pictures."""

INCOMPLETE_COLUMNS = ["row", "item_id", "image", "text", "classes", "lacks", "reason"]
"""Of the list of items that lack a picture or a text: as the user wrote them, which of the two, and
why."""

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}


class Items(NamedTuple):
    """What the rows of a catalogue are."""

    items: pd.DataFrame
    rejected: pd.DataFrame
    """Rows that are no items: `row`, `image`, `text`, `classes` as written, and `reason`."""
    incomplete: pd.DataFrame
    """INCOMPLETE_COLUMNS of the items that lack something."""
    pictures: pd.DataFrame
    """`item_id` and `image` of every picture of every item, in their order."""


class _Found(NamedTuple):
    """What a row names that can be used."""

    item: tuple[str, ...]
    """ITEM_COLUMNS, `group` and `split`."""
    names_of: dict[str, str]
    """Of its pictures, each once and in order, what the row calls them."""
    lost: list[tuple[str, str]]
    """Other pictures that it names: name, and why it cannot be used."""
    lacks: str = ""
    """`picture` or `text`, or empty."""
    reason: str = ""
    """Why."""


def make_items(
    table: pd.DataFrame,
    folder: ImageFolder,
    *,
    separator: str,
    separator_images: str | None,
    require: Literal["any", "both"],
    on_bad_row: Literal["skip", "error"],
    warn: Callable[[str], None],
) -> Items:
    """Check every row of a catalogue, what `read_catalog` returns.

    Rows of one id are one item, and a cell may name several pictures; see `join_rows` and
    `picture_names`. With `require` any, a row needs a picture that there is, or a text. An empty
    cell is no mistake then; a picture that is named and is not there is one for `on_bad_row` error.

    `warn` takes one line on folders in front of the pictures' names, one on a picture that has
    several names, and one on pictures that items with others lack.

    Returns:
        The items in the catalogue's order: ITEM_COLUMNS, then `group` (empty: none), `split`
        (train, val, test; empty throughout where the catalogue has no such column) and the first
        `row` that each was made of.
        The rejected rows and the incomplete items in the same order.

    Raises:
        InputError: No row can be used, or one cannot and `on_bad_row` is error; or pictures are
            named and none is there.
    """
    table = join_rows(table, separator).table
    names_R = [picture_names(cell, separator_images) for cell in table["image"]]
    pictures = NamedPictures(folder, [name for names in names_R for name in names])
    if line := pictures.describe():
        warn(f"catalog.columns.image: {line}")
    row_of: dict[str, int] = {}
    items: list[tuple[str, ...]] = []
    rejected: list[tuple[int, str, str, str, str]] = []
    incomplete: list[tuple[int, str, str, str, str, str, str]] = []
    names_of: dict[str, set[str]] = {}
    lost = LostPictures()
    of_items: list[tuple[str, str]] = []
    row: Any
    for row, names in zip(table.itertuples(index=False), names_R, strict=True):
        try:
            found = _make_item(row, names, pictures, separator, require)
            item_id = found.item[0]
            for image, name in found.names_of.items():
                names_of.setdefault(image, set()).add(name.strip())
            if item_id in row_of:
                raise BadRowError(duplicate_of(row_of[item_id]))
            if found.lost and on_bad_row == "error":
                name, reason = found.lost[0]
                raise BadRowError(reason if len(names) == 1 else f"{reason}: {name}")
        except BadRowError as error:
            rejected.append((row.row, row.image, row.text, row.classes, str(error)))
            continue
        row_of[item_id] = row.row
        items.append(found.item)
        of_items += [(item_id, image) for image in found.names_of]
        if found.names_of:
            for name, reason in found.lost:
                lost.add(row.row, name, reason)
        if found.lacks:
            written = row.image, row.text, row.classes
            incomplete.append((row.row, item_id, *written, found.lacks, found.reason))
    for line in filter(None, (_doubt_names(names_of), lost.describe())):
        warn(f"catalog.columns.image: {line}")
    lacking = pd.DataFrame(incomplete, columns=INCOMPLETE_COLUMNS)
    rejected_frame = pd.DataFrame(rejected, columns=["row", "image", "text", "classes", "reason"])
    _check(len(items), rejected_frame, on_bad_row)
    _check_pictures(lacking, any_found=bool(names_of))
    frame = pd.DataFrame(items, columns=[*ITEM_COLUMNS, "group", "split"], dtype="str")
    frame = frame.assign(row=list(row_of.values()))
    of_frame = pd.DataFrame(of_items, columns=["item_id", "image"], dtype="str")
    return Items(frame, rejected_frame, lacking, of_frame)


def doubt_incomplete(incomplete: pd.DataFrame, items: int) -> str | None:
    """Say how many items lack a picture or a text, and why most of them do; None without any."""
    if incomplete.empty:
        return None
    counts = incomplete["lacks"].value_counts()
    lacking = " and ".join(
        f"{count} {'has' if count == 1 else 'have'} no {part}" for part, count in counts.items()
    )
    reasons = incomplete["reason"].value_counts()
    return (
        f"catalog.require: of {counted(items, 'item')} {lacking} that can be used; most often "
        f"({times(reasons.iloc[0])}): {reasons.index[0]}; all are listed beside the rejected rows, "
        "and are left out with catalog.require: both"
    )


def duplicate_of(row: int) -> str:
    """Say why a row is no item that says the same as an earlier one."""
    return f"duplicate of row {row}"


def make_item_id(images: Sequence[str], text: str, class_path: str) -> str:
    """Name an item by its content, so that its name survives new rows and another row order.

    Args:
        images: Paths of its pictures; none if it has no picture.
        text: Empty if it has none.
        class_path: Its class.

    Returns:
        16 hexadecimal digits: a million items share one with probability 3e-8.
    """
    # A path alone where a list is not needed: so items were named before they had several.
    image = list(images) if len(images) > 1 else "".join(images)
    content = json.dumps([image, text, class_path])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def normalize_split(split: str) -> str:
    """Map a user's word for a split, in any case, to train, val or test.

    Raises:
        BadRowError: It is none of them.
    """
    try:
        return SPLIT_NAMES[split.strip().lower()]
    except KeyError as error:
        raise BadRowError(f"split is {split!r}, not train, val or test") from error


def _make_item(
    row: Any,
    names: Sequence[str],
    pictures: NamedPictures,
    separator: str,
    require: Literal["any", "both"],
) -> _Found:
    """Make an item of a row that names these pictures."""
    if row.reason:
        raise BadRowError(row.reason)
    text = ""
    names_of: dict[str, str] = {}
    lost: list[tuple[str, str]] = []
    reason_of: dict[str, str] = {}
    for name in names or [""]:
        try:
            names_of.setdefault(pictures.find(name), name)
        except BadRowError as error:
            lost.append((name, str(error)))
    if not names_of:
        reason_of["picture"] = lost[0][1]
        if require == "both":
            raise BadRowError(lost[0][1])
    try:
        text = normalize_text(row.text)
    except BadRowError as error:
        if require == "both":
            raise
        reason_of["text"] = str(error)
    if len(reason_of) == 2:
        raise BadRowError(" and ".join(reason_of.values()))
    class_path = normalize_class_path(row.classes, separator)
    group = row.group.strip() if hasattr(row, "group") else ""
    split = normalize_split(row.split) if hasattr(row, "split") else ""
    images = list(names_of)
    image = images[0] if images else ""
    item_id = make_item_id(images, text, class_path)
    return _Found(
        (item_id, image, text, class_path, group, split),
        names_of,
        lost if names else [],
        *next(iter(reason_of.items()), ()),
    )


def _doubt_names(names_of: Mapping[str, set[str]]) -> str | None:
    """Say that rows with different names have one picture, which they may not mean."""
    several = [(image, sorted(names)) for image, names in names_of.items() if len(names) > 1]
    if not several:
        return None
    image, names = several[0]
    pictures = "1 picture has" if len(several) == 1 else f"{len(several)} pictures have"
    return (
        f"{pictures} several names, such as {names[0]!r} and {names[1]!r} "
        f"for {image!r}; if these are different pictures, put each where its name says"
    )


def _check_pictures(incomplete: pd.DataFrame, *, any_found: bool) -> None:
    """Refuse a catalogue whose pictures are all elsewhere, before it is taken for one of texts."""
    named = incomplete[incomplete["image"].str.strip() != ""]
    if any_found or named.empty:
        return
    first = named.iloc[0]
    raise InputError(
        f"catalog.images: of {counted(len(named), 'picture')} that rows name none can be used; "
        f"the first is row {first['row']} (image {first['image']!r}): {first['reason']}"
    )


def _check(num_items: int, rejected: pd.DataFrame, on_bad_row: str) -> None:
    if rejected.empty:
        return
    first = rejected.iloc[0]
    where = f"row {first['row']} (image {first['image']!r})"
    if on_bad_row == "error":
        others = len(rejected) - 1
        more = (
            f"{counted(others, 'more row')} cannot either; repair them" if others else "repair it"
        )
        raise InputError(
            f"catalog: {where} cannot be used: {first['reason']}; {more}, or set "
            "catalog.on_bad_row to skip"
        )
    if num_items == 0:
        reasons = rejected["reason"].value_counts()
        raise InputError(
            f"catalog: none of {counted(len(rejected), 'row')} can be used; most often "
            f"({times(reasons.iloc[0])}): {reasons.index[0]}; the first is {where}: "
            f"{first['reason']}"
        )
