import numpy as np
import pytest
import torch

from pipeline.evaluation.directions import measure_directions
from pipeline.evaluation.figures import Measured, details_tree, metrics_tree

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
        embedded, label_N, measure_directions(embedded, label_N, PARTS, k=[1, 5], hp_k=[2])
    )


def plain_numbers(tree, prefix=""):
    """Leaves as DVC's tables show them: numbers within dicts."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from plain_numbers(value, f"{prefix}{key}.")
        elif isinstance(value, int | float):
            yield f"{prefix}{key}", value


def test_names_that_runs_are_compared_by(measured):
    metrics = metrics_tree(measured, GRAPH)
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
    metrics = metrics_tree(measured, GRAPH)
    four = ["image_to_image", "image_to_text", "text_to_image", "text_to_text"]
    mean = sum(metrics["retrieval"][name]["r_at_1"] for name in four) / 4
    assert metrics["r_at_1"] == pytest.approx(mean)
    assert metrics["accuracy"] == metrics["classification"]["fused"]["accuracy"]


def test_every_headline_figure_has_an_interval_around_it(measured):
    metrics = metrics_tree(measured, GRAPH)
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
    details = details_tree(measured, np.array([0, 0, 1, 3]), PARTS)
    assert details["test"] == {
        "items": 40,
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
    ]
    levels = details["classification"]["text"]
    assert levels["level_1_accuracy"] >= levels["level_2_accuracy"]
    assert levels["level_2_accuracy"] == pytest.approx(
        metrics_tree(measured, GRAPH)["classification"]["text"]["accuracy"]
    )


def test_an_items_own_picture_comes_first_where_both_coincide(measured):
    same = measured.embedded["image"]
    coincide = measured._replace(embedded={"image": same, "text": same})
    details = details_tree(coincide, np.array([0]), PARTS)
    assert details["instance"]["text_to_image"] == {
        "r_at_1": 1.0,
        "r_at_5": 1.0,
        "r_at_10": 1.0,
        "median_rank": 1.0,
    }


def test_without_directions_what_still_makes_sense_is_there(measured):
    one_class = measured._replace(directions={}, label_N=torch.zeros(40, dtype=torch.int64))
    metrics = metrics_tree(one_class, GRAPH)
    assert "retrieval" not in metrics
    assert "graph_correlation" not in metrics
    assert 0 < metrics["accuracy"] < 1
    details = details_tree(one_class, np.array([0]), PARTS)
    assert details["test"]["classes"] == 1
    assert set(details["instance"]) == {"image_to_text", "text_to_image"}


def test_without_test_items_they_are_counted(make_embedded):
    nothing = torch.zeros(0, dtype=torch.int64)
    measured = Measured({"image": make_embedded(nothing)}, nothing, {})
    assert metrics_tree(measured, GRAPH) == {"test": {"items": 0, "classes": 0}}
    assert details_tree(measured, np.array([0]), PARTS)["test"]["items"] == 0


def test_labels_have_a_figure_of_their_own(measured):
    share_N = torch.linspace(0, 1, len(measured.label_N), dtype=torch.float64)
    embedded = {name: one._replace(shared_N=share_N) for name, one in measured.embedded.items()}
    metrics = metrics_tree(measured._replace(embedded=embedded), GRAPH)
    assert metrics["classification"]["image"]["top3_share"] == pytest.approx(0.5)
    assert metrics["top3_share"] == pytest.approx(0.5)
    low, high = metrics["intervals"]["classification"]["image"]["top3_share"]
    assert low < 0.5 < high
    assert "top3_share" not in metrics_tree(measured, GRAPH)
