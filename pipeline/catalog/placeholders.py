"""Pictures and texts that say nothing of an item: `no image`, a logo, `gift card`.

One of them may stand in thousands of rows, and would make one set of all of these items.
"""

from collections.abc import Iterator
from typing import Literal

import pandas as pd

from pipeline.catalog.items import INCOMPLETE_COLUMNS, Items
from pipeline.catalog.settings import PlaceholderSettings
from pipeline.core.errors import InputError


def find_placeholders(
    items: pd.DataFrame, pictures: pd.DataFrame, settings: PlaceholderSettings
) -> pd.DataFrame:
    """Find the pictures and texts that many products of several classes share.

    Rows of one product count once: items of the same group or, without one, of the same picture
    and nearly the same text. So neither variants nor a product that is listed under several
    classes make a placeholder.

    Args:
        items: N items with `row`, `item_id`, `digest` (what is in the first picture), `text`,
            `plain_text`, `near_text`, `group` (empty: none) and `class_path`.
        pictures: Of all items, with `item_id`, `image` and `digest`.
        settings: What makes a placeholder.

    Returns:
        `kind` (picture or text), `value` (path or text, as in its first item), `items`, `classes`,
        `most_frequent_class` and `first_row`; pictures first, the most frequent ones first.
    """
    shown = items.drop(columns=["image", "digest"]).merge(pictures, on="item_id")
    # What is shared, what tells products apart that share it, and how the user wrote it.
    compared = {
        "picture": (shown, "digest", "near_text", "image"),
        "text": (items, "plain_text", "digest", "text"),
    }
    least, found = settings.share * len(items), []
    for kind, (frame, value, other, written) in compared.items():
        other_N = frame[other].where(frame[other] != "", frame["item_id"])
        product_N = frame["group"].where(frame["group"] != "", other_N)
        frame = frame.assign(value=frame[value], product=product_N, written=frame[written])
        frame = frame[frame["value"] != ""]  # what an item lacks is no placeholder
        # Few values are this frequent, so that the loop is short in a catalogue of any size.
        frequent = frame[frame.groupby("value")["value"].transform("size") > least]
        for _, part in frequent.groupby("value"):
            sizes = part.drop_duplicates("product")["class_path"].value_counts()
            count = sizes.sum()
            if (
                count > least
                and len(sizes) >= settings.classes
                and sizes.max() <= settings.largest * count
            ):
                found.append((kind, *_describe(part)))
    columns = ["kind", "value", "items", "classes", "most_frequent_class", "first_row"]
    order = ["kind", "items", "first_row"]
    return pd.DataFrame(found, columns=columns).sort_values(order, ascending=[True, False, True])


def without_placeholders(
    found: Items, table: pd.DataFrame, placeholders: pd.DataFrame, require: Literal["any", "both"]
) -> Items:
    """Take placeholders for no picture: their items have other pictures, a text, or are none.

    Args:
        found: The items and the pictures, both with `digest`, and the other rows.
        table: The rows, as `read_catalog` returns them.
        placeholders: From `find_placeholders`.
        require: With `both`, or without a text, a row is rejected.

    Returns:
        The same, with items that lost their picture among the incomplete ones.

    Raises:
        InputError: No item has a picture any more.
    """
    items, pictures = found.items, found.pictures
    is_picture_P = placeholders["kind"] == "picture"
    if not is_picture_P.any():
        return found
    reason_of_image = {
        picture.value: f"image is a placeholder: {picture.items} items of {picture.classes} "
        "classes have this picture"
        for picture in placeholders[is_picture_P].itertuples(index=False)
    }
    named = pictures.drop_duplicates("image").set_index("digest")["image"].map(reason_of_image)
    reason_P = pictures["digest"].map(named.dropna().to_dict())
    left = pictures[reason_P.isna()]
    first = left.drop_duplicates("item_id").set_index("item_id")
    reasons = reason_P.groupby(pictures["item_id"]).first()
    # Of several pictures that are none, the reason of the first.
    reason_N = items["item_id"].map(reasons).mask(items["item_id"].isin(first.index))
    is_bad_N = reason_N.notna()
    if len(items) and is_bad_N.all():
        raise InputError(
            f"catalog.placeholders: every picture is a placeholder ({reason_N.iloc[0]}); "
            "set catalog.placeholders.share to 1 if they are not"
        )
    rows = table.set_index("row").loc[items.loc[is_bad_N, "row"], ["image", "text", "classes"]]
    bad = rows.reset_index().assign(
        reason=reason_N[is_bad_N].to_numpy(),
        item_id=items.loc[is_bad_N, "item_id"].to_numpy(),
        lacks="picture",
    )
    is_item_N = is_bad_N & (items["text"] != "") & (require == "any")
    is_item_M = is_item_N[is_bad_N].to_numpy()
    # Their names stay: the row is the same whether or not its picture is believed.
    kept = items.assign(
        **{name: items["item_id"].map(first[name]).fillna("") for name in ("image", "digest")}
    )
    kept = kept[~is_bad_N | is_item_N].reset_index(drop=True)
    rejected = pd.concat([found.rejected, bad.loc[~is_item_M, found.rejected.columns]])
    incomplete = pd.concat([found.incomplete, bad.loc[is_item_M, INCOMPLETE_COLUMNS]])
    left = left[left["item_id"].isin(kept["item_id"])]
    return Items(kept, rejected.sort_values("row"), incomplete.sort_values("row"), left)


def doubt_placeholders(placeholders: pd.DataFrame) -> Iterator[str]:
    """Say what was taken for a placeholder: one line per kind, with its most frequent one."""
    outcome = {
        "picture": "their rows have no picture",
        "text": "it makes no set of their items",
    }
    for kind, part in placeholders.groupby("kind"):
        first = part.iloc[0]
        others = f" and {len(part) - 1} more" if len(part) > 1 else ""
        yield (
            f"catalog.placeholders: {kind} {first['value']!r} of {first['items']} items in "
            f"{first['classes']} classes{others} taken for a placeholder, so {outcome[str(kind)]}; "
            "all are listed beside the rejected rows"
        )


def _describe(part: pd.DataFrame) -> tuple[str, int, int, str, int]:
    """Give a placeholder as it is listed; `part` is its items."""
    first = part.iloc[0]
    # In alphabetical order, and idxmax takes the first of equals.
    by_class = part["class_path"].value_counts().sort_index()
    return first["written"], len(part), len(by_class), str(by_class.idxmax()), first["row"]
