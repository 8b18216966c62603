import numpy as np
import pandas as pd
import pytest

from pipeline.audit.catalogue import Catalogue
from pipeline.audit.decisions import NONE_DECIDED, Decision, Standing
from pipeline.audit.findings import audit, without_settled
from pipeline.audit.settings import AuditSettings
from pipeline.audit.shared_content import COLUMNS as PAIR_COLUMNS
from tests.pipeline.audit.conftest import PATHS


@pytest.mark.parametrize(
    ("right", "waiting", "left"),
    [
        ("", "", "bc"),
        ("b", "", "c"),
        # What the other one is known to be makes the question no less a question.
        ("a", "", "bc"),
        ("", "b", "c"),
        # All are compared with it, and it is to move.
        ("", "a", ""),
    ],
)
def test_a_pair_is_settled_by_its_item_or_waits_for_the_other_one(right, waiting, left):
    rows = [("text", "b", "2", "a", "1", 2, 4, 1), ("text", "c", "3", "a", "1", 2, 4, 1)]
    alike = ("text", "d", "1", "a", "1", 0, 4, 2)
    pairs = pd.DataFrame([*rows, alike], columns=PAIR_COLUMNS)
    found = without_settled(pairs, Standing(frozenset(right), frozenset(waiting)))
    assert found["item_id"].tolist() == [*left, "d"]


DECIDED = {"item-7", "item-31"}


@pytest.fixture
def listed(catalogue):
    """Audit a catalogue with two items of `hats<tall` under `shoes<big`, after some decisions."""
    true_N, label_N = np.arange(480) % 12, np.arange(480) % 12
    label_N[[7, 31]] = 8
    index, classes = catalogue(label_N, true_N=true_N)
    items = pd.DataFrame({"item_id": index.item_ids})
    items["class_path"] = [PATHS[label] for label in label_N]
    items["text"] = [f"thing {PATHS[label].split('<')[1]}" for label in true_N]
    own = dict.fromkeys(("picture", "text", "near_text"), np.arange(480))
    shared = items[["item_id"]].assign(**own)
    shared.loc[[7, 31], "picture"] = [19, 43]  # filed rightly
    limits = {"folds": 4, "fit_items": 1000, "threshold": 0.5, "least": 0, "most": 100}
    section = {
        "items": limits | {"evidence": 3, "seed": 0},
        "pairs": {"neighbours": 0},
        "decisions": "x.csv",
        "shown": 10,
    }
    settings = AuditSettings.model_validate(section)
    rows = Catalogue(items, shared, classes, [("hats", "gone")], pd.DataFrame())
    near = pd.DataFrame(columns=[name for name in PAIR_COLUMNS if name != "tree_distance"])

    def run(*made):
        found = audit(index, rows, near, settings, {one.item_id: one for one in made})
        apart = found.pairs[found.pairs["tree_distance"] > 0]
        tables = (found.suspects.table, found.titles, apart)
        return [DECIDED & set(table["item_id"]) for table in tables], found

    return run


def test_what_is_decided_is_in_no_list_until_its_class_changes(listed):
    lists, before = listed()
    assert lists == [DECIDED] * 3
    assert "hats<gone" in before.classes["class_path"].tolist()
    kept = Decision("item-7", "shoes<big", "keep")
    accepted = Decision("item-31", "shoes<big", "accept", "hats<tall")
    lists, found = listed(kept, accepted)
    assert lists == [set()] * 3
    assert found.standing == Standing(frozenset({"item-7"}), frozenset({"item-31"}))
    assert found.suspects.above_threshold == before.suspects.above_threshold - 2
    lists, found = listed(kept._replace(class_path="hats"), accepted._replace(decision="skip"))
    assert lists == [DECIDED] * 3
    assert found.standing == NONE_DECIDED
