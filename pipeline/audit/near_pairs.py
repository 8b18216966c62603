"""Items with nearly the same picture or title, as rows of the table of pairs.

Shape letters: N items, P pairs.
"""

import numpy as np
import pandas as pd

from pipeline.audit.item_features import ItemFeatures
from pipeline.audit.near_pictures import PictureFiles, find_near_pictures
from pipeline.audit.near_titles import find_near_titles
from pipeline.audit.settings import PairsSettings
from pipeline.core.location import Location
from pipeline.features.joined import FeatureIndex


def find_near(
    index: FeatureIndex,
    items: pd.DataFrame,
    shared: pd.DataFrame,
    images: Location,
    background: str,
    settings: PairsSettings,
) -> pd.DataFrame:
    """Look for pictures and titles that are nearly the same.

    Of items with the very same picture one stands for all, as `find_shared` lists these. Of titles
    only pairs that are filed differently are told.

    Args:
        index: The items with features.
        items: All items with `item_id`, `image`, `text` and `class_path`.
        shared: The numbers of their titles by `item_id`: `text` and `near_text`.
        images: The folder of the pictures.
        background: Colour under transparent pixels, `#rrggbb`.
        settings: How much is compared.

    Returns:
        What `find_shared` takes as `near`.

    Raises:
        InputError: Pictures cannot be read for a reason that is not their own.
    """
    index = index.take(np.flatnonzero(index.has_image))
    first = np.sort(np.unique(index.shared_N3[:, 1], return_index=True)[1])
    features = ItemFeatures(index)
    position = pd.Index(items["item_id"]).get_indexer(index.item_ids[first])
    tables = []
    if settings.neighbours:
        names = items["image"].iloc[position].tolist()
        pictures = PictureFiles(images, names, background)
        found = find_near_pictures(
            lambda at: features.read_images(first[at]), pictures, settings.neighbours
        )
        order = np.argsort(found.difference_P, kind="stable")
        tables.append(one_each(items, position[found.pair_P2[order]], "near_picture"))
    numbers = shared[["item_id", "text", "near_text"]].rename(columns={"text": "title"})
    titled = items[["item_id", "text", "class_path"]].merge(numbers, on="item_id", how="left")
    has_title = np.flatnonzero(titled["text"] != "")
    near_P2 = find_near_titles(titled.iloc[has_title].reset_index(drop=True))
    titles = one_each(items, has_title[near_P2], "near_title")
    # Of one class there are thousands by design.
    tables.append(titles[titles["class_path"] != titles["other_path"]])
    return pd.concat(tables, ignore_index=True)


def one_each(items: pd.DataFrame, pair_P2: np.ndarray, kind: str) -> pd.DataFrame:
    """Pair every item with one that is near, so that the list is linear in the items.

    That is the first that is filed differently, or else the first. Being near is not passed on: an
    item's set is itself and those near it.

    Args:
        items: N items with `item_id` and `class_path`.
        pair_P2: [P, 2] positions, the nearest pairs first.
        kind: Of the pairs.

    Returns:
        `kind`, `item_id`, `class_path`, `other_id`, `other_path`, `items` of the set of the item,
        and `agreeing`: how many of these have its class. Of a pair the item is the one with which
        the smaller share agrees.
    """
    path = items["class_path"].to_numpy()
    both = pd.DataFrame(np.concatenate([pair_P2, pair_P2[:, ::-1]]), columns=["item", "other"])
    both["rank"] = np.tile(np.arange(len(pair_P2)), 2)
    both["same"] = path[both["item"]] == path[both["other"]]
    sets = both.groupby("item")["same"].agg(["size", "sum"]) + 1
    chosen = both.sort_values(["same", "rank"], kind="stable").drop_duplicates("item")
    chosen = chosen.drop_duplicates("rank").sort_values("rank", kind="stable")
    share = sets["sum"] / sets["size"]
    ends = chosen[["item", "other"]].to_numpy()
    share_P2 = np.stack([share.loc[ends[:, end]].to_numpy() for end in (0, 1)], axis=1)
    path_P2 = path[ends]
    # At a tie the class that is first in the alphabet is the other's, as in `find_shared`.
    turned = (share_P2[:, 0] > share_P2[:, 1]) | (
        (share_P2[:, 0] == share_P2[:, 1]) & (path_P2[:, 0] < path_P2[:, 1]).astype(bool)
    )
    item, other = np.where(turned[:, None], ends[:, ::-1], ends).T
    ids = items["item_id"].to_numpy()
    return pd.DataFrame(
        {
            "kind": kind,
            "item_id": ids[item],
            "class_path": path[item],
            "other_id": ids[other],
            "other_path": path[other],
            "items": sets["size"].loc[item].to_numpy(),
            "agreeing": sets["sum"].loc[item].to_numpy(),
        }
    )
