import numpy as np
import pytest

from pipeline.audit.decisions import Standing
from pipeline.audit.out_of_fold import Opinion, OutOfFold
from pipeline.audit.settings import ItemsSettings
from pipeline.audit.suspects import (
    SAYS_SO,
    draw_decoys,
    find_suspects,
    fit_probes,
    score_items,
    who_says_so,
)
from pipeline.audit.tree import Tree
from pipeline.core.errors import InputError
from pipeline.features.classes import item_classes
from tests.pipeline.audit.conftest import PATHS

TRUE = np.arange(480) % 12
MOVED = np.arange(7, 480, 40)
"""Twelve items, one of each class or so."""


def settings(**changed):
    values = {
        "folds": 4,
        "fit_items": 1000,
        "threshold": 0.5,
        "least": 0,
        "most": 100,
        "evidence": 3,
        "seed": 0,
    }
    return ItemsSettings(**values | changed)


def moved_labels():
    label_N = TRUE.copy()
    label_N[MOVED] = (TRUE[MOVED] + np.arange(1, 13)) % 12
    label_N[MOVED[-1]] = (TRUE[MOVED[-1]] + 4) % 12  # not once around
    return label_N


def test_moved_items_are_listed_first_with_the_class_that_they_are_from(catalogue):
    label_N = moved_labels()
    index, classes = catalogue(label_N, true_N=TRUE)
    suspects = find_suspects(index, classes, settings())
    first = suspects.table.iloc[: len(MOVED)]
    expected = {f"item-{n}" for n in MOVED}
    assert len(expected & set(first["item_id"])) >= 11
    assert suspects.above_threshold == len(suspects.table) <= 15
    assert (suspects.table["misfiled"].diff().dropna() <= 0).all()
    assert suspects.scores.share == pytest.approx(len(MOVED) / len(TRUE), rel=0.5)
    assert suspects.not_judged == 0
    tree, number = Tree(classes), {path: n for n, path in enumerate(PATHS)}
    for row in first[first["item_id"].isin(expected)].itertuples():
        n = int(row.item_id.removeprefix("item-"))
        assert (row.path, row.suggested_path) == (PATHS[label_N[n]], PATHS[TRUE[n]])
        assert row.p_given < 0.2 < row.p_suggested
        edges = tree.distance(np.array([number[row.path]]), np.array([number[row.suggested_path]]))
        assert row.distance == edges[0]
        assert row.says_so in SAYS_SO
        evidence = [int(name.removeprefix("item-")) for name in row.evidence.split()]
        assert {label_N[m] for m in evidence} == {TRUE[n]}
        assert len(set(evidence)) == 3


def test_a_second_call_says_the_same(catalogue):
    index, classes = catalogue(moved_labels(), true_N=TRUE)
    one, again = (find_suspects(index, classes, settings()) for _ in range(2))
    assert one.table.equals(again.table)


def test_the_list_ends_where_the_settings_say(catalogue):
    index, classes = catalogue(moved_labels(), true_N=TRUE)
    whole = find_suspects(index, classes, settings(threshold=0.01))
    short = find_suspects(index, classes, settings(threshold=0.01, most=4, evidence=0))
    assert short.table["item_id"].tolist() == whole.table["item_id"].tolist()[:4]
    assert (short.above_threshold, short.table["evidence"].tolist()) == (
        whole.above_threshold,
        [""] * 4,
    )


def test_the_next_items_take_the_places_of_those_that_are_decided(catalogue):
    index, classes = catalogue(moved_labels(), true_N=TRUE)
    whole = find_suspects(index, classes, settings(most=6)).table["item_id"].tolist()
    right, waiting = frozenset(whole[:1]), frozenset(whole[1:3])
    rest = find_suspects(index, classes, settings(most=3), Standing(right, waiting))
    assert rest.table["item_id"].tolist() == whole[3:]
    evidence = set(" ".join(rest.table["evidence"]).split())
    assert evidence.isdisjoint(waiting), "they are filed wrongly for all that is known"


def test_items_of_right_classes_give_next_to_no_list(catalogue):
    index, classes = catalogue(TRUE)
    assert len(find_suspects(index, classes, settings()).table) <= 3


@pytest.mark.parametrize("variants", [1, 3])
def test_classes_of_one_product_are_not_judged_and_do_not_flood_the_list(catalogue, variants):
    paths = [*PATHS, *[f"rare<{n}" for n in range(20)]]
    label_N = np.r_[TRUE, np.repeat(np.arange(12, 32), variants)]
    product_N = np.r_[np.arange(480), np.repeat(np.arange(480, 500), variants)]
    # What they look like is near the other classes: nothing that was fitted knows them.
    true_N = np.r_[TRUE, np.repeat(np.arange(20) % 12, variants)]
    index, classes = catalogue(label_N, paths=sorted(paths), true_N=true_N, product_N=product_N)
    suspects = find_suspects(index, classes, settings())
    assert suspects.not_judged == 20 * variants
    assert not suspects.table["path"].str.startswith("rare").any()
    tree = Tree(classes)
    scores = score_items(index, tree, fit_probes(index, tree, settings()), seed=0)
    assert (np.flatnonzero(np.isnan(scores.misfiled_N)) == np.arange(480, len(label_N))).all()
    assert sorted(scores.order_N) == list(range(480))


def test_classes_of_two_or_three_products_do_not_flood_the_list_either(catalogue):
    paths = [*PATHS, *[f"rare<{n}" for n in range(16)]]
    label_N = np.r_[TRUE, np.repeat(np.arange(12, 28), np.tile([2, 3], 8))]
    index, classes = catalogue(label_N, paths=paths)
    suspects = find_suspects(index, classes, settings())
    assert suspects.not_judged == 0
    # Of 40 such items the greater part is left alone.
    assert suspects.table["path"].str.startswith("rare").sum() <= 13


def test_a_variant_filed_apart_from_the_rest_of_its_product_is_found(catalogue):
    product_N = np.arange(480) // 12 % 40 + TRUE * 40
    product_N = np.where(TRUE == 0, product_N % 40 // 4, product_N + 1000)  # class 0: ten products
    label_N = TRUE.copy()
    odd = np.flatnonzero(TRUE == 0)[2]
    label_N[odd] = 1
    # Nothing but the product tells: features are noise.
    index, classes = catalogue(label_N, true_N=TRUE, product_N=product_N, noise=4.0)
    tree = Tree(classes)
    scores = score_items(index, tree, fit_probes(index, tree, settings()), seed=0)
    others = np.flatnonzero((label_N == 1) & (np.arange(480) != odd))
    assert (scores.misfiled_N[odd] > scores.misfiled_N[others]).mean() > 0.9


@pytest.mark.parametrize("label", ["leaf", "parts"])
def test_other_kinds_of_labels_are_judged_by_the_class_of_an_item(catalogue, label):
    paths = [f"{top}<{top}{n}" for top in ("bags", "hats", "shoes") for n in range(4)]
    index, classes = catalogue(moved_labels(), paths=paths, true_N=TRUE, label=label)
    suspects = find_suspects(index, classes, settings())
    expected = {f"item-{n}" for n in MOVED}
    assert len(expected & set(suspects.table["item_id"][: len(MOVED)])) >= 11
    assert set(suspects.table["path"]) <= set(paths)
    assert len(item_classes(classes)) == 12


@pytest.mark.parametrize(
    ("label_N", "product_N", "message"),
    [
        (np.arange(7) % 2, None, "audit.items.folds: 7 products are too few for 4 folds"),
        (np.arange(12), None, "audit: every class has one product alone"),
    ],
)
def test_what_cannot_be_judged_is_said(catalogue, label_N, product_N, message):
    index, classes = catalogue(label_N, product_N=product_N)
    with pytest.raises(InputError, match=message):
        find_suspects(index, classes, settings())


def test_half_of_the_decoys_are_near():
    classes = {
        "label": "path",
        "separator": "<",
        "classes": [{"name": path, "parts": path.split("<"), "count": 1} for path in PATHS],
    }
    tree = Tree(classes)
    decoy_N = draw_decoys(TRUE, tree, seed=0)
    distance_N = tree.distance(TRUE, decoy_N)
    # Of those anywhere 3 in 11 are siblings too.
    assert (distance_N == 2).mean() == pytest.approx(0.5 + 0.5 * 3 / 11, abs=0.06)
    assert (distance_N > 0).all()


def test_who_says_so():
    def opinion(rows):
        return Opinion(np.array(rows, dtype=np.float32), np.zeros((4, 2)), np.zeros((4, 2)))

    more, less = [-2.0, -9.0, -1.0], [-1.0, -9.0, -2.0]
    image, text = opinion([more, less, more, less]), opinion([more, more, less, less])
    found = OutOfFold(image, text, image, np.zeros(4), np.zeros((4, 3)))
    every = np.ones(4, bool)
    assert who_says_so(found, every, every).tolist() == ["both", "text", "image", "together"]
    assert who_says_so(found, ~every, every).tolist() == ["text", "text", "together", "together"]


def test_where_little_is_wrong_the_first_doubts_are_listed(catalogue):
    index, classes = catalogue(TRUE)
    table = find_suspects(index, classes, settings(least=5)).table
    assert len(table) <= 5
    assert (table["p_suggested"] > table["p_given"])[table["misfiled"] < 0.5].all()
    assert len(find_suspects(index, classes, settings(least=5, most=1)).table) <= 1
