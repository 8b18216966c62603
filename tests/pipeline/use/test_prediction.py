import numpy as np
import pytest

from pipeline.decide.thresholds import Threshold
from pipeline.features.class_tree import ClassTree
from pipeline.features.classes import make_classes
from pipeline.use.prediction import Guess, make_predictions

PATHS = ["clothing<dress", "clothing<knitwear<fine", "clothing<knitwear<thick", "shoes"]
# At levels 1, 2 and 3.
STRICT = [Threshold(1, 0.7, 9, 9), Threshold(2, 0.8, 9, 9), Threshold(3, 0.9, 9, 9)]


def predict(*probabilities, paths=PATHS, thresholds=STRICT, k=2, rule="probable"):
    tree = ClassTree(make_classes(paths, separator="<", label="path"))
    (found,) = make_predictions(
        tree,
        np.array([probabilities], dtype=np.float32),
        [thresholds],
        k=k,
        rule=rule,
        beta=1.0,
    )
    return found


def close(guess, path, probability):
    assert guess == Guess(path, pytest.approx(probability, abs=1e-6))


@pytest.mark.parametrize(
    ("probabilities", "path", "probability", "state"),
    [
        ((0.02, 0.95, 0.02, 0.01), PATHS[1], 0.95, "filed"),
        ((0.05, 0.45, 0.45, 0.05), "clothing<knitwear", 0.9, "filed above"),
        ((0.3, 0.3, 0.3, 0.1), "clothing", 0.9, "filed above"),
        # A class of one level, which is the most probable class as well.
        ((0.1, 0.1, 0.1, 0.7), "shoes", 0.7, "filed"),
    ],
)
def test_an_item_is_filed_as_deep_as_the_thresholds_allow(probabilities, path, probability, state):
    found = predict(*probabilities)
    close(found.filed, path, probability)
    assert found.state == state


def test_what_is_not_certain_at_any_level_is_for_a_person():
    found = predict(0.2, 0.2, 0.2, 0.4)
    assert found.filed is None
    assert found.state == "review"
    for nothing in ([], [Threshold(level, None, 0, 0) for level in (1, 2, 3)]):
        assert predict(0.0, 1.0, 0.0, 0.0, thresholds=nothing).state == "review"


def test_the_most_probable_classes_come_first():
    found = predict(0.1, 0.35, 0.3, 0.25, k=3)
    for guess, wanted in zip(
        found.top, [(PATHS[1], 0.35), (PATHS[2], 0.3), (PATHS[3], 0.25)], strict=True
    ):
        close(guess, *wanted)
    assert len(predict(0.1, 0.35, 0.3, 0.25, k=9).top) == 4


def test_a_class_with_others_below_it_has_its_own_probability():
    # Sorted: bags, shoes, shoes<boots. The node shoes holds both.
    found = predict(0.1, 0.6, 0.3, paths=["shoes", "shoes<boots", "bags"], thresholds=STRICT[:2])
    close(found.top[0], "shoes", 0.6)
    close(found.decided, "shoes", 0.9)
    close(found.filed, "shoes", 0.9)
    assert found.state == "filed"


def test_the_rule_decides():
    probabilities = (0.2, 0.2, 0.2, 0.4)
    close(predict(*probabilities).decided, "shoes", 0.4)
    # Expected F1 of clothing 0.2 * 2/3 + 0.4 * 1/2, of knitwear 0.2 * 1/2 + 0.4 * 4/5.
    close(predict(*probabilities, rule="hf_beta").decided, "clothing<knitwear", 0.4)


def test_nothing_is_filed_as_a_class_that_no_threshold_speaks_for():
    # Node 5 is the last class: whole tree, clothing, dress, knitwear, thick.
    paths = ["clothing<dress", "clothing<knitwear<thick", "clothing<socks"]
    tree = ClassTree(make_classes(paths, separator="<", label="path"))
    probability_NK = np.array([[0.02, 0.02, 0.96], [0.96, 0.02, 0.02]], np.float32)

    def predict_with(thresholds, trained_nodes):
        return make_predictions(
            tree,
            probability_NK,
            [thresholds] * 2,
            k=1,
            rule="probable",
            beta=1.0,
            trained_nodes=trained_nodes,
        )

    assert [one.state for one in predict_with(STRICT, None)] == ["filed", "filed"]
    new, old = predict_with(STRICT, 5)
    close(new.top[0], "clothing<socks", 0.96)
    close(new.filed, "clothing", 1.0)
    assert new.state == "filed above"
    assert old.state == "filed"
    without = [one if one.level > 1 else one._replace(least=None) for one in STRICT]
    assert [one.state for one in predict_with(without, 5)] == ["review", "filed"]
