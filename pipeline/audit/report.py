"""What an audit found, as its files and its page have it."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

from pipeline.audit.catalogue import Catalogue
from pipeline.audit.findings import CLASS_KINDS, INSEPARABLE, NEARER_BRANCH, Findings
from pipeline.audit.shared_content import ALL_KINDS
from pipeline.audit.wording import SAYS_SO_IN_WORDS, TITLE_LENGTH
from pipeline.core.csv_file import write_csv
from pipeline.core.json_file import write_json
from pipeline.core.location import Location
from pipeline.pictures.page import write_page


def summarise(findings: Findings, catalogue: Catalogue) -> dict[str, Any]:
    """Count what was found, for `dvc metrics`."""
    apart = findings.pairs[findings.pairs["tree_distance"] > 0]
    return {
        "items": len(catalogue.items),
        "classes": catalogue.items["class_path"].nunique(),
        "suspects": len(findings.suspects.table),
        "probably_misfiled": findings.suspects.above_threshold,
        "share_misfiled": findings.suspects.scores.share,
        "not_judged": findings.suspects.not_judged,
        "known_right": len(findings.standing.right),
        "waiting_for_refile": len(findings.standing.waiting),
        "titles_of_another_class": len(findings.titles),
        "titles_in_another_language": len(findings.languages.others),
        "languages": findings.languages.items,
        "placeholders": len(catalogue.placeholders),
        "filed_differently": {kind: int((apart["kind"] == kind).sum()) for kind in ALL_KINDS},
        "class_findings": {
            kind: int((findings.classes["kind"] == kind).sum()) for kind in CLASS_KINDS
        },
    }


def write_findings(
    out: Path,
    findings: Findings,
    catalogue: Catalogue,
    *,
    images: Location,
    background: str,
    shown: int,
) -> dict[str, Any]:
    """Write the tables, the counts and the page.

    Args:
        out: Folder of the audit.
        findings: What was found.
        catalogue: What it was found in.
        images: The folder of the pictures.
        background: Colour under transparent pixels, `#rrggbb`.
        shown: Findings of a kind on the page.

    Returns:
        The counts.

    Raises:
        InputError: The folder cannot be written to.
    """
    written = catalogue.items.set_index("item_id")[["image", "text"]]
    for name, table in (
        ("items", findings.suspects.table),
        ("titles", findings.titles),
        ("languages", findings.languages.others),
    ):
        write_csv(out / f"{name}.csv", table.join(written, on="item_id"))
    write_csv(out / "pairs.csv", findings.pairs)
    write_csv(out / "classes.csv", findings.classes)
    summary = summarise(findings, catalogue)
    write_json(out / "summary.json", summary)
    values = _page_values(findings, catalogue, summary, shown)
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
    findings: Findings, catalogue: Catalogue, summary: dict[str, Any], shown: int
) -> dict[str, Any]:
    by_id = catalogue.items.set_index("item_id")[["image", "text", "class_path"]]

    def card(item_id: str) -> dict[Hashable, str]:
        return by_id.loc[item_id].to_dict()

    apart = findings.pairs[findings.pairs["tree_distance"] > 0]
    suspects, titles, pairs, others, placeholders = (
        table.head(shown).to_dict("records")
        for table in (
            findings.suspects.table,
            findings.titles,
            apart,
            findings.languages.others,
            catalogue.placeholders,
        )
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
            "titles in another language": summary["titles_in_another_language"],
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
                "reason": ALL_KINDS[case["kind"]],
                "item": card(case["item_id"]),
                "other": card(case["other_id"]),
            }
            for case in pairs
        ],
        "languages": [{**case, "item": card(case["item_id"])} for case in others],
        "placeholders": placeholders,
        "shares": {INSEPARABLE: "mistaken", NEARER_BRANCH: "nearest there"},
        "classes": {text: rows for text, rows in classes.items() if rows},
        "says_so": SAYS_SO_IN_WORDS,
        "shown": shown,
        "title_length": TITLE_LENGTH,
    }
