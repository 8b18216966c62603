"""All that an audit looks for."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pandas as pd

from pipeline.audit import class_findings
from pipeline.audit.catalogue import Catalogue
from pipeline.audit.class_confusions import find_inseparable, find_nearer_branches
from pipeline.audit.class_findings import ClassFinding, find_in_tree
from pipeline.audit.decisions import Decision, Standing, what_stands
from pipeline.audit.languages import Languages, find_languages
from pipeline.audit.named_class import find_named_classes
from pipeline.audit.settings import AuditSettings
from pipeline.audit.shared_content import find_shared
from pipeline.audit.suspects import Suspects, find_suspects
from pipeline.features.classes import item_classes
from pipeline.features.joined import FeatureIndex

CLASS_COLUMNS = [
    *("kind", "class_path", "other_path", "items", "other_items"),
    *("error", "low", "high"),
]
INSEPARABLE, NEARER_BRANCH = "inseparable", "nearer_branch"
CLASS_KINDS = {
    INSEPARABLE: "classes that the features cannot tell apart",
    NEARER_BRANCH: "classes that are nearer to another branch than to their own",
    **class_findings.KINDS,
}


class Findings(NamedTuple):
    """What is wrong with a catalogue, perhaps."""

    suspects: Suspects
    """Items that look filed wrongly."""
    titles: pd.DataFrame
    """From `find_named_classes`, but for items that are decided."""
    pairs: pd.DataFrame
    """From `find_shared`, but for those that are settled; see `without_settled`."""
    classes: pd.DataFrame
    """CLASS_COLUMNS, from `class_table`."""
    languages: Languages
    """Of the titles."""
    standing: Standing
    """The items that are decided."""


def audit(
    index: FeatureIndex,
    catalogue: Catalogue,
    near: pd.DataFrame,
    settings: AuditSettings,
    decisions: Mapping[str, Decision],
) -> Findings:
    """Look for all that may be wrong.

    Args:
        index: The items with features, of all splits.
        catalogue: All items, and what they share.
        near: From `find_near`.
        settings: Section `audit`.
        decisions: What people have decided, by item.

    Raises:
        InputError: There are too few products to judge any item by others.
    """
    items, separator = catalogue.items, catalogue.separator
    standing = what_stands(decisions, items)
    suspects = find_suspects(index, catalogue.classes, settings.items, standing)
    # Of an item that nothing else tells of the prediction says nothing either.
    scores, judged = suspects.scores, suspects.scores.order_N
    label_J = index.label_N[judged]
    parts = [entry["parts"] for entry in item_classes(catalogue.classes)]
    paths = [separator.join(path) for path in parts]
    by_features = {
        INSEPARABLE: find_inseparable(label_J, scores.predicted_N[judged], paths),
        NEARER_BRANCH: find_nearer_branches(label_J, scores.suggested_N[judged], parts, separator),
    }
    own_paths = (tuple(path.split(separator)) for path in items["class_path"])
    tree = find_in_tree(own_paths, catalogue.rejected_paths)
    titles = find_named_classes(items, separator)
    grouped = items[["item_id", "class_path"]].merge(catalogue.shared, on="item_id")
    return Findings(
        suspects,
        titles[~titles["item_id"].isin(standing.right | standing.waiting)],
        without_settled(find_shared(grouped, separator, near), standing),
        class_table(tree, by_features, separator),
        find_languages(items),
        standing,
    )


def without_settled(pairs: pd.DataFrame, standing: Standing) -> pd.DataFrame:
    """Leave out pairs that are filed differently and ask nothing any more.

    A pair asks whether its item is to be filed as the other one. That is settled where the item is
    decided, and has to be asked anew where the other one waits for another class. Where the other
    one is known to be right, the question stands all the more.

    Args:
        pairs: From `find_shared`.
        standing: The items that are decided.
    """
    settled = pairs["item_id"].isin(standing.right | standing.waiting)
    settled |= pairs["other_id"].isin(standing.waiting)
    return pairs[~settled | (pairs["tree_distance"] == 0)]


def class_table(
    found: Iterable[ClassFinding], by_features: Mapping[str, pd.DataFrame], separator: str
) -> pd.DataFrame:
    """Put what was found about classes into one table; where a kind has no such figure is none.

    Args:
        found: In the tree.
        by_features: Tables of `class_confusions` by kind.
        separator: What joins the parts of a class path.
    """
    rows = [
        {
            "kind": one.kind,
            "class_path": separator.join(one.path),
            "other_path": None if one.other is None else separator.join(one.other),
            "items": one.items,
            "other_items": None if one.other is None else one.other_items,
        }
        for one in found
    ]
    names = {"path": "class_path", "other": "other_path"}
    tables = [table.rename(columns=names).assign(kind=kind) for kind, table in by_features.items()]
    # As objects, or counts beside a missing one would become fractions.
    tables.append(pd.DataFrame(rows, columns=CLASS_COLUMNS, dtype=object))
    table = pd.concat([one.astype(object) for one in tables], ignore_index=True)[CLASS_COLUMNS]
    return table.where(table.notna(), None)
