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
        # A class of one level.
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
    # Shoes of its own, or boots? That is left open.
    close(found.filed, "shoes", 0.9)
    assert found.state == "filed above"


def test_the_rule_decides():
    probabilities = (0.2, 0.2, 0.2, 0.4)
    close(predict(*probabilities).decided, "shoes", 0.4)
    # Expected F1 of clothing 0.2 * 2/3 + 0.4 * 1/2, of knitwear 0.2 * 1/2 + 0.4 * 4/5.
    close(predict(*probabilities, rule="hf_beta").decided, "clothing<knitwear", 0.4)


def test_nothing_is_filed_as_a_class_that_no_threshold_speaks_for():
    paths = ["clothing<dress", "clothing<knitwear<thick", "shoes"]
    old = ClassTree(make_classes(paths, separator="<", label="path"))
    added = {"name": "clothing<socks<long<warm", "parts": ["clothing", "socks", "long", "warm"]}
    classes = make_classes(paths, separator="<", label="path")
    tree = ClassTree({**classes, "classes": [*classes["classes"], added]})

    def predict_with(old_probabilities, share, thresholds=STRICT):
        trained_NK = np.array([old_probabilities], np.float32)
        probability_NC = np.append((1 - share) * trained_NK, [[share]], axis=1)
        (found,) = make_predictions(
            tree,
            probability_NC,
            [thresholds],
            k=1,
            rule="probable",
            beta=1.0,
            trained=(old, trained_NK),
        )
        return found

    # The old classes are for clothing, and so is the new one; however sure that one is.
    for share in (0.6, 0.999):
        found = predict_with((0.9, 0.05, 0.05), share)
        close(found.top[0], "clothing<socks<long<warm", share)
        close(found.filed, "clothing", 0.95)
        assert found.state == "filed above"
    # They are not certain that it is clothing, or certain that it is none.
    assert predict_with((0.3, 0.2, 0.5), 0.999).state == "review"
    assert predict_with((0.02, 0.02, 0.96), 0.6).state == "review"
    without = [one if one.level > 1 else one._replace(least=None) for one in STRICT]
    assert predict_with((0.9, 0.05, 0.05), 0.6, without).state == "review"
    # An old class is filed as if no class had been added.
    found = predict_with((0.9, 0.05, 0.05), 0.3)
    close(found.top[0], "clothing<dress", 0.63)
    close(found.filed, "clothing<dress", 0.9)
    assert found.state == "filed"
