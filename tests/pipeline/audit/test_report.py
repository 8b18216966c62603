import re

import numpy as np
import pandas as pd
import pytest

from pipeline.audit.catalogue import Catalogue
from pipeline.audit.class_confusions import COLUMNS as INSEPARABLE_COLUMNS
from pipeline.audit.class_findings import ClassFinding
from pipeline.audit.decisions import NONE_DECIDED, Standing
from pipeline.audit.findings import CLASS_KINDS, Findings, class_table
from pipeline.audit.languages import COLUMNS as LANGUAGE_COLUMNS
from pipeline.audit.languages import Languages
from pipeline.audit.report import write_findings
from pipeline.audit.shared_content import ALL_KINDS
from pipeline.audit.shared_content import COLUMNS as PAIR_COLUMNS
from pipeline.audit.suspects import Scores, Suspects
from pipeline.core.json_file import read_json

ATTACK = "<script>alert(1)</script>"
ITEMS = pd.DataFrame(
    [(f"i{n}", f"{n}.png", f"{ATTACK} {n}", f"bags<{ATTACK}") for n in range(4)],
    columns=["item_id", "image", "text", "class_path"],
)
PLACEHOLDERS = pd.DataFrame(
    [("text", f"{ATTACK} n/a", 40, 6, "bags", 3)],
    columns=["kind", "value", "items", "classes", "most_frequent_class", "first_row"],
)
CATALOGUE = Catalogue(ITEMS, pd.DataFrame(), {"separator": "<"}, [], PLACEHOLDERS)
NOTHING = np.empty(0)
SCORES = Scores(*[NOTHING] * 8, share=0.25)


@pytest.fixture
def findings():
    suspect = {
        **{"item_id": "i0", "path": f"bags<{ATTACK}", "suggested_path": "hats"},
        **{"misfiled": 0.75, "p_suggested": 0.9, "p_given": 0.1, "distance": 4},
        **{"says_so": "image", "evidence": "i2 i3"},
    }
    title = {
        **{"item_id": "i1", "class_path": "bags", "named_path": "hats"},
        **{"share": 0.98, "low": 0.95, "high": 0.99, "titles": 120},
    }
    pairs = [("picture", "i0", "a", "i1", "b", 2, 2, 1), ("text", "i2", "a", "i3", "a", 0, 2, 2)]
    tree = [
        ClassFinding("spelling", ("a", "tshirt"), ("a", "t-shirts"), 3, 40),
        ClassFinding("one_item", ("b",), None, 1, 0),
    ]
    inseparable = pd.DataFrame([("a", "b", 60, 90, 0.5, 0.4, 0.6)], columns=INSEPARABLE_COLUMNS)
    nearer = pd.DataFrame([("c<d", "e", 50, 700, 0.9, 0.8, 0.95)], columns=INSEPARABLE_COLUMNS)
    others = pd.DataFrame([("i3", "bags", "de", 0.87)], columns=LANGUAGE_COLUMNS)
    return Findings(
        Suspects(pd.DataFrame([suspect]), 1, 2, SCORES),
        pd.DataFrame([title]),
        pd.DataFrame(pairs, columns=PAIR_COLUMNS),
        class_table(tree, {"inseparable": inseparable, "nearer_branch": nearer}, "<"),
        Languages({"en": 7, "de": 1}, others),
        Standing(frozenset({"i2", "i3"}), frozenset({"i1"})),
    )


@pytest.fixture
def written(findings, numbered_pictures, tmp_path):
    out = tmp_path / "audit"
    summary = write_findings(
        out, findings, CATALOGUE, images=numbered_pictures, background="#ffffff", shown=10
    )
    assert read_json(out / "summary.json") == summary
    return out


def test_tables_are_written_with_what_people_know_an_item_by(written):
    items = pd.read_csv(written / "items.csv")
    assert items[["item_id", "suggested_path", "image", "text"]].to_numpy().tolist() == [
        ["i0", "hats", "0.png", f"{ATTACK} 0"]
    ]
    assert pd.read_csv(written / "titles.csv")["image"].tolist() == ["1.png"]
    languages = pd.read_csv(written / "languages.csv")
    assert languages[["item_id", "language", "text"]].to_numpy().tolist() == [
        ["i3", "de", f"{ATTACK} 3"]
    ]
    assert pd.read_csv(written / "pairs.csv").shape == (2, len(PAIR_COLUMNS))
    classes = pd.read_csv(written / "classes.csv", keep_default_na=False)
    columns = ["kind", "class_path", "other_path", "other_items", "error"]
    assert classes[columns].astype(str).to_numpy().tolist() == [
        ["inseparable", "a", "b", "90", "0.5"],
        ["nearer_branch", "c<d", "e", "700", "0.9"],
        ["spelling", "a<tshirt", "a<t-shirts", "40", ""],
        ["one_item", "b", "", "", ""],
    ]


def test_the_summary_counts_what_was_found(written):
    summary = read_json(written / "summary.json")
    assert summary["items"] == 4
    assert (summary["suspects"], summary["probably_misfiled"], summary["not_judged"]) == (1, 1, 2)
    assert summary["share_misfiled"] == 0.25
    assert (summary["known_right"], summary["waiting_for_refile"]) == (2, 1)
    assert (summary["titles_in_another_language"], summary["placeholders"]) == (1, 1)
    assert summary["languages"] == {"en": 7, "de": 1}
    assert summary["filed_differently"] == dict.fromkeys(ALL_KINDS, 0) | {"picture": 1}
    assert set(summary["class_findings"]) == set(CLASS_KINDS)
    assert sum(summary["class_findings"].values()) == 4


def test_the_page_shows_them_with_pictures_and_nothing_runs(written):
    html = (written / "report.html").read_text(encoding="utf-8")
    assert "<script" not in html
    assert "its picture says so" in html
    assert "0.750" in html
    assert "2 items that are known to be right, and 1 that wait for" in html
    assert "98.0&nbsp;% of 120 titles" in html
    assert "the same picture, 2 edges apart" in html
    assert "1 of 2 such items are filed like the first" in html
    assert '<td class="name">a&lt;t-shirts</td>' in html
    assert html.count('<th scope="col">mistaken</th>') == 1
    assert html.count('<th scope="col">nearest there</th>') == 1
    assert "en 7, de 1: of the titles" in html
    assert "de, with probability 0.87" in html
    assert "text: &lt;script&gt;alert(1)&lt;/script&gt; n/a</th><td>40</td><td>6</td>" in html
    # The suspect and its two pieces of evidence, two titles, and both sides of the pair.
    assert len(re.findall('data:image/webp;base64,[^"]', html)) == 7


def test_a_catalogue_without_faults_has_a_page_too(numbered_pictures, findings, tmp_path):
    empty = Findings(
        findings.suspects._replace(table=findings.suspects.table[:0], above_threshold=0),
        findings.titles[:0],
        findings.pairs[:0],
        class_table([], {}, "<"),
        Languages({}, findings.languages.others[:0]),
        NONE_DECIDED,
    )
    catalogue = CATALOGUE._replace(placeholders=PLACEHOLDERS[:0])
    how = {"images": numbered_pictures, "background": "#ffffff", "shown": 10}
    write_findings(tmp_path, empty, catalogue, **how)
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert html.count("<p>None.</p>") == 5
    assert "Nothing to say." in html
    assert "No title is long enough to tell" in html
    assert "Not listed again" not in html
    assert list(pd.read_csv(tmp_path / "classes.csv").columns)[:2] == ["kind", "class_path"]
