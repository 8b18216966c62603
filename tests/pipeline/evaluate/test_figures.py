from dataclasses import replace

import numpy as np
import pytest
import torch

from pipeline.evaluate import figures
from pipeline.evaluate.directions import measure_directions
from pipeline.evaluate.figures import Measured, outcomes

PARTS = [["a", "x"], ["a", "y"], ["b", "z"], ["c", "w"]]
GRAPH = np.array(
    [[0, 0.1, 0.8, 0.9], [0.1, 0, 0.7, 0.6], [0.8, 0.7, 0, 0.5], [0.9, 0.6, 0.5, 0]], np.float32
)


@pytest.fixture
def measured(make_embedded, labels):
    label_N = labels(40, 4)
    embedded = {
        name: make_embedded(label_N, seed=seed, noise=1.2)
        for seed, name in enumerate(("image", "text", "fused"))
    }
    return Measured(
        embedded,
        label_N,
        torch.arange(40),
        measure_directions(embedded, label_N, PARTS, k=[1, 5], hp_k=[2]),
        item_ids=np.array([f"item-{n}" for n in range(40)], dtype=object),
        group_N=np.arange(40) // 2,
        k=[1, 5],
        hp_k=[2],
        class_parts=PARTS,
    )


def metrics_tree(measured):
    return figures.metrics_tree(measured, outcomes(measured), GRAPH)


def details_tree(measured, train_label_N):
    return figures.details_tree(measured, outcomes(measured), train_label_N)


def plain_numbers(tree, prefix=""):
    """Leaves as DVC's tables show them: numbers within dicts."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from plain_numbers(value, f"{prefix}{key}.")
        elif isinstance(value, int | float):
            yield f"{prefix}{key}", value


def test_names_that_runs_are_compared_by(measured):
    # A tree in which two classes are not all of it.
    parts = [["a", "x"], ["a", "y"], ["b", "z"], ["b", "w"]]
    metrics = metrics_tree(replace(measured, class_parts=parts))
    names = [name for name, _ in plain_numbers(metrics)]
    # First the few that say most, so that they are the first columns of `dvc exp show`.
    assert names[:4] == ["r_at_1", "map_at_r", "hp_at_2", "accuracy"]
    assert {
        "retrieval.image_to_text.r_at_1",
        "retrieval.fused_to_fused.map_at_r",
        "hierarchy.text_to_image.hp_at_2",
        "classification.fused.accuracy",
        "graph_correlation.image",
    } <= set(names)
    assert not any(name.startswith("intervals") for name in names)


def test_the_first_figures_are_means_of_the_four_directions(measured):
    metrics = metrics_tree(measured)
    four = ["image_to_image", "image_to_text", "text_to_image", "text_to_text"]
    mean = sum(metrics["retrieval"][name]["r_at_1"] for name in four) / 4
    assert metrics["r_at_1"] == pytest.approx(mean)
    assert metrics["accuracy"] == metrics["classification"]["fused"]["accuracy"]


def test_every_headline_figure_has_an_interval_around_it(measured):
    metrics = metrics_tree(measured)
    for section in ("retrieval", "hierarchy", "classification"):
        for name, values in metrics[section].items():
            for figure, value in values.items():
                if figure == "chance_r_at_1":
                    continue
                low, high = metrics["intervals"][section][name][figure]
                assert 0 <= low <= value <= high <= 1
                assert low < high or value in (0, 1)


def test_details_of_a_test_split(measured):
    label_N = measured.label_N.numpy()
    details = details_tree(measured, np.array([0, 0, 1, 3]))
    assert details["test"] == {
        "items": 40,
        "queries": 40,
        "classes": 4,
        "classes_only_in_test": 1,
        "classes_with_one_item": int((np.bincount(label_N) == 1).sum()),
    }
    assert set(details["instance"]) == {"image_to_text", "text_to_image"}
    assert details["instance"]["image_to_text"]["median_rank"] >= 1
    assert list(details["graded_hierarchy"]["fused_to_fused"]) == [
        "hp_at_1",
        "hp_at_10",
        "hp_at_50",
        "hp_at_100",
        "ahp_at_250",
        "hap_at_250",
    ]
    assert list(details["mistakes"]) == ["image", "text", "fused", "tree_height"]
    levels = details["classification"]["text"]
    assert levels["level_1_accuracy"] >= levels["level_2_accuracy"]
    assert levels["level_2_accuracy"] == pytest.approx(
        metrics_tree(measured)["classification"]["text"]["accuracy"]
    )


def test_an_items_own_picture_comes_first_where_both_coincide(measured):
    same = measured.embedded["image"]
    coincide = replace(measured, embedded={"image": same, "text": same})
    details = details_tree(coincide, np.array([0]))
    assert details["instance"]["text_to_image"] == {
        "r_at_1": 1.0,
        "r_at_5": 1.0,
        "r_at_10": 1.0,
        "median_rank": 1.0,
    }


def test_without_directions_what_still_makes_sense_is_there(measured):
    one_class = replace(measured, directions={}, label_N=torch.zeros(40, dtype=torch.int64))
    metrics = metrics_tree(one_class)
    assert "retrieval" not in metrics
    assert "graph_correlation" not in metrics
    assert 0 < metrics["accuracy"] < 1
    details = details_tree(one_class, np.array([0]))
    assert details["test"]["classes"] == 1
    assert set(details["instance"]) == {"image_to_text", "text_to_image"}


def test_without_test_items_they_are_counted(make_embedded, measured):
    nothing = torch.zeros(0, dtype=torch.int64)
    measured = replace(
        measured,
        embedded={"image": make_embedded(nothing)},
        label_N=nothing,
        directions={},
        item_ids=np.empty(0, dtype=object),
        group_N=np.empty(0, dtype=np.int64),
    )
    assert metrics_tree(measured) == {"test": {"items": 0, "classes": 0}}
    assert details_tree(measured, np.array([0]))["test"]["items"] == 0


def test_labels_have_a_figure_of_their_own(measured):
    share_N = torch.linspace(0, 1, len(measured.label_N), dtype=torch.float64)
    embedded = {name: one._replace(shared_N=share_N) for name, one in measured.embedded.items()}
    metrics = metrics_tree(replace(measured, embedded=embedded))
    assert metrics["classification"]["image"]["top3_share"] == pytest.approx(0.5)
    assert metrics["top3_share"] == pytest.approx(0.5)
    low, high = metrics["intervals"]["classification"]["image"]["top3_share"]
    assert low < 0.5 < high
    assert "top3_share" not in metrics_tree(measured)


def test_of_a_sample_of_queries_the_figures_are_means_and_other_items_have_none(measured):
    query_M = torch.tensor([3, 8, 21, 30])
    directions = measure_directions(
        measured.embedded, measured.label_N, PARTS, k=[1, 5], hp_k=[2], queries=query_M
    )
    sampled = replace(measured, queries=query_M, directions=directions)
    for name, value_N in outcomes(sampled).value_of.items():
        all_N = outcomes(measured).value_of[name]
        if name.startswith("classification"):
            assert np.array_equal(value_N, all_N)  # that costs no more for all items
            continue
        assert np.array_equal(value_N[query_M], all_N[query_M])
        assert np.isnan(np.delete(value_N, query_M)).all()
    details = details_tree(sampled, np.array([0]))
    assert details["test"]["items"] == 40
    assert details["test"]["queries"] == 4
    assert details["retrieval"]["text_to_image"] == {"queries": 4, "unanswerable_queries": 0}
    own = details["instance"]["text_to_image"]
    assert own["r_at_10"] * 4 == pytest.approx(round(own["r_at_10"] * 4))
    low, high = metrics_tree(sampled)["intervals"]["retrieval"]["text_to_image"]["map_at_r"]
    assert low < high


def test_a_query_that_no_candidate_can_answer_is_in_no_mean(measured):
    # Every item of class 3 has the same text and product: no text finds another one of its class.
    text_N = torch.where(measured.label_N == 3, 100, torch.arange(40))
    groups = {name: text_N for name in measured.embedded}
    directions = measure_directions(
        measured.embedded, measured.label_N, PARTS, k=[1, 5], hp_k=[2], groups=groups
    )
    changed = replace(measured, directions=directions)
    asked = (measured.label_N != 3).numpy()
    one = directions["text_to_text"]
    metrics = metrics_tree(changed)
    retrieval = metrics["retrieval"]["text_to_text"]
    assert retrieval["r_at_1"] == pytest.approx(one.hit_MC[asked, 0].mean())
    assert retrieval["map_at_r"] == pytest.approx(one.average_precision_M[asked].mean())
    assert retrieval["chance_r_at_1"] == pytest.approx(one.chance_M[asked].mean())
    hierarchy = metrics["hierarchy"]["text_to_text"]
    assert hierarchy["hp_at_2"] == pytest.approx(one.precision_MC[asked, 0].mean())
    details = details_tree(changed, np.array([0]))
    counts = {"queries": int(asked.sum()), "unanswerable_queries": int((~asked).sum())}
    assert details["retrieval"]["text_to_text"] == counts
    assert details["retrieval"]["image_to_text"] == {"queries": 40, "unanswerable_queries": 0}
    # The paper's rule stands beside it, where every query counts and finds its own variants.
    assert details["paper_rule"]["text_to_text"]["r_at_1"] > retrieval["r_at_1"] * asked.mean()


def test_a_direction_that_answers_nothing_is_no_figure_and_in_no_headline(measured):
    groups = {"image": torch.arange(40), "text": measured.label_N, "fused": torch.arange(40)}
    directions = measure_directions(
        measured.embedded, measured.label_N, PARTS, k=[1, 5], hp_k=[2], groups=groups
    )
    changed = replace(measured, directions=directions)
    metrics = metrics_tree(changed)
    assert "text_to_text" not in metrics["retrieval"]
    three = ["image_to_image", "image_to_text", "text_to_image"]
    mean = sum(metrics["retrieval"][name]["r_at_1"] for name in three) / 3
    assert metrics["r_at_1"] == pytest.approx(mean)
    details = details_tree(changed, np.array([0]))
    assert details["retrieval"]["text_to_text"] == {"queries": 0, "unanswerable_queries": 40}
    assert "text_to_text" not in details["graded_hierarchy"]


def test_hierarchical_precision_over_the_whole_tree_is_no_headline(measured):
    # Of a<x and a<y the smallest part with two classes is a; of b<z and c<w it is the whole tree.
    share = float((measured.label_N >= 2).double().mean())
    details = details_tree(measured, np.array([0]))
    assert details["whole_tree_share"] == {"hp_at_2": pytest.approx(share)}
    assert share > 0.1
    assert "hp_at_2" not in metrics_tree(measured)
    parts = [["a", "x"], ["a", "y"], ["b", "z"], ["b", "w"]]
    deep = replace(measured, class_parts=parts)
    assert details_tree(deep, np.array([0]))["whole_tree_share"] == {"hp_at_2": 0.0}
    assert "hp_at_2" in metrics_tree(deep)


def test_the_headline_has_the_largest_cutoff_that_says_something(measured):
    parts = [["a", "x"], ["a", "y"], ["b", "z"], ["b", "w"]]
    directions = measure_directions(
        measured.embedded, measured.label_N, parts, k=[1, 5], hp_k=[2, 1]
    )
    swapped = replace(measured, class_parts=parts, hp_k=[2, 1], directions=directions)
    metrics = metrics_tree(swapped)
    assert "hp_at_2" in metrics
    assert "hp_at_1" not in metrics


def test_intervals_stand_for_figures_alone(measured):
    asked = replace(measured, baseline_right={"fused": np.ones(40)})
    metrics = metrics_tree(asked)
    assert "baseline" not in metrics
    assert "baseline" not in metrics["intervals"]


def test_intervals_are_over_groups(measured):
    low, high = metrics_tree(measured)["intervals"]["classification"]["text"]["accuracy"]
    together = replace(measured, group_N=np.arange(40) // 10)
    wide = metrics_tree(together)["intervals"]["classification"]["text"]["accuracy"]
    alone = replace(measured, group_N=np.arange(40))
    narrow = metrics_tree(alone)["intervals"]["classification"]["text"]["accuracy"]
    assert (low, high) != tuple(wide) != tuple(narrow)
    assert set(metrics_tree(measured)["intervals"]) >= {"r_at_1", "map_at_r", "accuracy"}
