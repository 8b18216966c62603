import numpy as np
import pytest
import torch

from pipeline.evaluate.directions import measure_directions
from pipeline.evaluate.gallery import RESULTS, choose_random, choose_worst, gallery_rows

PARTS = [["bags", "big"], ["bags", "small"], ["hats"]]


@pytest.fixture
def directions(make_embedded, frame):
    label_N = torch.from_numpy(frame["label"].to_numpy().copy())
    embedded = {name: make_embedded(label_N, seed=n, noise=1.0) for n, name in enumerate("it")}
    embedded = {"image": embedded["i"], "text": embedded["t"]}
    return measure_directions(embedded, label_N, PARTS, k=[1], hp_k=[2])


def test_random_queries_are_of_different_classes_as_far_as_there_are():
    label_N = np.array([0] * 50 + [1, 1, 2])
    chosen = choose_random(label_N, 3, seed=0)
    assert sorted(label_N[chosen]) == [0, 1, 2]
    more = choose_random(label_N, 5, seed=0)
    assert more[:3] == chosen
    assert sorted(label_N[more]) == [0, 0, 1, 1, 2]


def test_the_same_seed_shows_the_same_queries_and_another_seed_others():
    label_N = np.arange(100)
    assert choose_random(label_N, 5, seed=0) == choose_random(label_N, 5, seed=0)
    assert choose_random(label_N, 5, seed=0) != choose_random(label_N, 5, seed=1)


def test_more_queries_than_items_are_all_items():
    assert sorted(choose_random(np.array([0, 0, 1]), 9, seed=0)) == [0, 1, 2]


def test_the_worst_queries_can_be_answered_and_are_not_perfect(directions):
    direction = directions["image_to_text"]._replace(
        average_precision_M=np.array([0.5, 0.0, 1.0, 0.2, 0.1, 1.0, 0.3, 0.9, 0.9, 0.9, 0.9, 0.9]),
        candidates_M=np.array([1, 0] + [1] * 10),
    )
    label_N = np.array([0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2])
    # The worst of each class first: 4 (0.1), 6 (0.3), 8 (0.9); then seconds: 3 (0.2), ...
    assert choose_worst(direction, label_N, 4) == [4, 6, 8, 3]


def test_rows_show_the_results_in_order_with_hits_marked(directions, frame):
    rows = gallery_rows("text_to_image", "random", directions["text_to_image"], [5, 0], frame)
    assert [row.query.text for row in rows] == ["thing 5", "thing 0"]
    found = directions["text_to_image"].found_MR[5, :RESULTS].tolist()
    assert [card.text for card in rows[0].results] == [f"thing {n}" for n in found]
    assert [card.hit for card in rows[0].results] == [n % 3 == 5 % 3 for n in found]
    assert rows[0].query.shown == "text"
    assert {card.shown for card in rows[0].results} == {"image"}
