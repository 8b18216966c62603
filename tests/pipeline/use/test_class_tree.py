import numpy as np
import pytest

from pipeline.features.classes import make_classes
from pipeline.use.class_tree import ClassTree, Guess

PATHS = ["clothing<dress", "clothing<knitwear<fine", "clothing<knitwear<thick", "shoes"]


@pytest.fixture
def tree():
    return ClassTree(make_classes(PATHS, separator="<", label="path"))


def predict(tree, *probabilities, k=2, threshold=0.5):
    probability_1K = np.array([probabilities], dtype=np.float32)
    (prediction,) = tree.predict(probability_1K, k=k, threshold=threshold)
    return prediction


def close(guess, path, probability):
    assert guess == Guess(path, pytest.approx(probability, abs=1e-6))


def test_the_most_probable_classes_come_first(tree):
    prediction = predict(tree, 0.1, 0.35, 0.3, 0.25, k=3)
    for guess, wanted in zip(
        prediction.top, [(PATHS[1], 0.35), (PATHS[2], 0.3), (PATHS[3], 0.25)], strict=True
    ):
        close(guess, *wanted)


# knitwear is 0.35 + 0.3, clothing 0.75.
KNITWEAR = (0.1, 0.35, 0.3, 0.25)


@pytest.mark.parametrize(
    ("numbers", "threshold", "path", "probability"),
    [
        (KNITWEAR, 0.3, PATHS[1], 0.35),
        (KNITWEAR, 0.5, "clothing<knitwear", 0.65),
        (KNITWEAR, 0.7, "clothing", 0.75),
        (KNITWEAR, 0.8, "", 1.0),
        # A class that is less deep; a probability on the threshold.
        ((0.1, 0.1, 0.1, 0.7), 0.5, "shoes", 0.7),
        ((0.5, 0.25, 0.0, 0.25), 0.5, "clothing<dress", 0.5),
    ],
)
def test_it_is_sure_down_to_the_last_part_that_passes(tree, numbers, threshold, path, probability):
    close(predict(tree, *numbers, threshold=threshold).sure, path, probability)


def test_no_more_classes_are_named_than_there_are(tree):
    assert len(predict(tree, 0.25, 0.25, 0.25, 0.25, k=9).top) == 4


def test_nodes_agree_with_a_plain_loop(tree):
    generator = np.random.default_rng(0)
    probability_NK = generator.dirichlet(np.ones(4), size=50).astype(np.float32)
    for threshold in (0.2, 0.5, 0.9):
        predictions = tree.predict(probability_NK, k=1, threshold=threshold)
        for row, prediction in zip(probability_NK, predictions, strict=True):
            best = (0, 1.0, "")
            for depth in (1, 2, 3):
                totals = {}
                for path, probability in zip(PATHS, row, strict=True):
                    if path.count("<") + 1 >= depth:
                        node = "<".join(path.split("<")[:depth])
                        totals[node] = totals.get(node, 0.0) + float(probability)
                passing = [(total, node) for node, total in totals.items() if total >= threshold]
                if passing:
                    best = (depth, *max(passing))
            close(prediction.sure, best[2], best[1])


def test_where_every_part_is_a_label_paths_are_predicted():
    tree = ClassTree(make_classes(PATHS, separator="<", label="parts"))
    assert tree.path_K == PATHS
    close(predict(tree, 0.1, 0.35, 0.3, 0.25).sure, "clothing<knitwear", 0.65)
