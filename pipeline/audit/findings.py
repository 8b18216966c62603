"""All that an audit finds, as its files have it."""

from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from pipeline.audit import class_findings, shared_content
from pipeline.audit.class_confusions import find_inseparable
from pipeline.audit.class_findings import ClassFinding, find_in_tree
from pipeline.audit.named_class import find_named_classes
from pipeline.audit.settings import AuditSettings
from pipeline.audit.shared_content import find_shared
from pipeline.audit.suspects import Suspects, find_suspects
from pipeline.core.csv_file import write_csv
from pipeline.core.json_file import write_json
from pipeline.core.location import Location
from pipeline.features.classes import item_classes
from pipeline.features.joined import FeatureIndex
from pipeline.pictures.page import write_page

CLASS_COLUMNS = [
    *("kind", "class_path", "other_path", "items", "other_items"),
    *("error", "low", "high"),
]
INSEPARABLE = "inseparable"
CLASS_KINDS = {INSEPARABLE: "classes that the features cannot tell apart"} | class_findings.KINDS
PAIR_KINDS = shared_content.KINDS | shared_content.NEAR_KINDS
SAYS_SO_IN_WORDS = {
    "image": "its picture says so",
    "text": "its title says so",
    "both": "picture and title say so",
    "together": "picture and title together say so",
}
TITLE_LENGTH = 200
"""Characters of a title on the page."""


class Findings(NamedTuple):
    """What is wrong with a catalogue, perhaps."""

    suspects: Suspects
    """Items that look filed wrongly."""
    titles: pd.DataFrame
    """From `find_named_classes`."""
    pairs: pd.DataFrame
    """From `find_shared`."""
    classes: pd.DataFrame
    """CLASS_COLUMNS, from `class_table`."""


def audit(
    index: FeatureIndex,
    items: pd.DataFrame,
    shared: pd.DataFrame,
    classes: Mapping[str, Any],
    settings: AuditSettings,
    near: pd.DataFrame,
) -> Findings:
    """Look for all that may be wrong.

    Args:
        index: The items with both features, of all splits.
        items: All items with `item_id`, `text` and `class_path`.
        shared: What they share, by `item_id`; see `find_shared`.
        classes: Content of classes.json.
        settings: Section `audit`.
        near: From `find_near`.

    Raises:
        InputError: There are too few products to judge any item by others.
    """
    separator = classes["separator"]
    suspects = find_suspects(index, classes, settings.items)
    # Of an item that nothing else tells of the prediction says nothing either.
    scores, judged = suspects.scores, suspects.scores.order_N
    paths = [separator.join(entry["parts"]) for entry in item_classes(classes)]
    inseparable = find_inseparable(index.label_N[judged], scores.predicted_N[judged], paths)
    tree = find_in_tree(tuple(path.split(separator)) for path in items["class_path"])
    return Findings(
        suspects,
        find_named_classes(items, separator),
        find_shared(items[["item_id", "class_path"]].merge(shared, on="item_id"), separator, near),
        class_table(tree, inseparable, separator),
    )


def class_table(
    found: Iterable[ClassFinding], inseparable: pd.DataFrame, separator: str
) -> pd.DataFrame:
    """Put what was found about classes into one table; where a kind has no such figure is none."""
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
    renamed = inseparable.rename(columns={"path": "class_path", "other": "other_path"})
    tables = [renamed.assign(kind=INSEPARABLE), pd.DataFrame(rows, columns=CLASS_COLUMNS)]
    table = pd.concat([one.astype(object) for one in tables], ignore_index=True)[CLASS_COLUMNS]
    return table.where(table.notna(), None)


def summarise(findings: Findings, items: pd.DataFrame) -> dict[str, Any]:
    """Count what was found, for `dvc metrics`."""
    apart = findings.pairs[findings.pairs["tree_distance"] > 0]
    return {
        "items": len(items),
        "classes": items["class_path"].nunique(),
        "suspects": len(findings.suspects.table),
        "probably_misfiled": findings.suspects.above_threshold,
        "share_misfiled": findings.suspects.scores.share,
        "not_judged": findings.suspects.not_judged,
        "titles_of_another_class": len(findings.titles),
        "filed_differently": {kind: int((apart["kind"] == kind).sum()) for kind in PAIR_KINDS},
        "class_findings": {
            kind: int((findings.classes["kind"] == kind).sum()) for kind in CLASS_KINDS
        },
    }


def write_findings(
    out: Path,
    findings: Findings,
    items: pd.DataFrame,
    *,
    images: Location,
    background: str,
    shown: int,
) -> dict[str, Any]:
    """Write the tables, the counts and the page.

    Args:
        out: Folder of the audit.
        findings: What was found.
        items: All items with `item_id`, `image`, `text` and `class_path`.
        images: The folder of the pictures.
        background: Colour under transparent pixels, `#rrggbb`.
        shown: Findings of a kind on the page.

    Returns:
        The counts.

    Raises:
        InputError: The folder cannot be written to.
    """
    written = items.set_index("item_id")[["image", "text"]]
    for name, table in (("items", findings.suspects.table), ("titles", findings.titles)):
        write_csv(out / f"{name}.csv", table.join(written, on="item_id"))
    write_csv(out / "pairs.csv", findings.pairs)
    write_csv(out / "classes.csv", findings.classes)
    summary = summarise(findings, items)
    write_json(out / "summary.json", summary)
    values = _page_values(findings, items, summary, shown)
    write_page(
        out / "report.html",
        "pipeline.audit",
        "audit.html",
        values,
        images=images,
        background=background,
    )
    return summary


def _page_values(
    findings: Findings, items: pd.DataFrame, summary: dict[str, Any], shown: int
) -> dict[str, Any]:
    by_id = items.set_index("item_id")[["image", "text", "class_path"]]

    def card(item_id: str) -> dict[Hashable, str]:
        return by_id.loc[item_id].to_dict()

    apart = findings.pairs[findings.pairs["tree_distance"] > 0]
    suspects, titles, pairs = (
        table.head(shown).to_dict("records")
        for table in (findings.suspects.table, findings.titles, apart)
    )
    classes = {
        text: findings.classes[findings.classes["kind"] == kind].to_dict("records")
        for kind, text in CLASS_KINDS.items()
    }
    return {
        "summary": summary,
        "figures": {
            "items probably filed wrongly": summary["probably_misfiled"],
            "items listed to look at": summary["suspects"],
            "titles that name another class": summary["titles_of_another_class"],
            "pairs filed differently": sum(summary["filed_differently"].values()),
            "findings about classes": sum(summary["class_findings"].values()),
        },
        "suspects": [
            {
                **case,
                "item": card(case["item_id"]),
                "evidence": [card(item_id) for item_id in case["evidence"].split(" ") if item_id],
            }
            for case in suspects
        ],
        "titles": [{**case, "item": card(case["item_id"])} for case in titles],
        "pairs": [
            {
                **case,
                "reason": PAIR_KINDS[case["kind"]],
                "item": card(case["item_id"]),
                "other": card(case["other_id"]),
            }
            for case in pairs
        ],
        "classes": {text: rows for text, rows in classes.items() if rows},
        "says_so": SAYS_SO_IN_WORDS,
        "shown": shown,
        "title_length": TITLE_LENGTH,
    }
