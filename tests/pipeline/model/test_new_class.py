import numpy as np
import pytest

from pipeline.model.new_class import (
    EVIDENCE,
    EXAMPLES,
    NEAREST,
    NewClassRule,
    Place,
    evidence,
    log_odds,
    place_of_name,
    prototype,
    with_new_classes,
)

IMAGE_KD = np.eye(3, dtype=np.float32)[:2]
TEXT_KD = IMAGE_KD[::-1].copy()
NEW_D = np.eye(3, dtype=np.float32)[2]


@pytest.fixture
def rule():
    # Another weight for every modality, number of examples and kind of evidence.
    weight_3SE = np.arange(1.0, 1 + 3 * len(EXAMPLES) * len(EVIDENCE))
    weight_3SE = weight_3SE.reshape(3, len(EXAMPLES), len(EVIDENCE))
    return NewClassRule(IMAGE_KD, TEXT_KD, TEXT_KD, weight_3SE)


def test_weights_are_those_of_the_next_smaller_number_of_examples(rule):
    for examples, row in ((0, 0), (1, 1), (4, 1), (5, 2), (19, 2), (20, 3), (500, 3)):
        np.testing.assert_array_equal(rule.weight(1, examples), rule.weight_3SE[1, row])


def test_the_name_counts_as_one_example():
    one_D, other_D, name_D = np.eye(3, dtype=np.float32)
    found_D = prototype(np.stack([one_D, other_D, other_D]), name_D)
    np.testing.assert_allclose(found_D, np.array([1, 2, 1]) / np.sqrt(6), atol=1e-6)
    np.testing.assert_array_equal(prototype(np.zeros((0, 3)), name_D), name_D)
    np.testing.assert_array_equal(prototype(one_D[None], None), one_D)
    assert prototype(np.zeros((0, 3)), None) is None


def test_a_name_alone_is_moved_as_the_nearest_names_are_from_their_items():
    generator = np.random.default_rng(0)
    name_KD = generator.normal(size=(6, 5))
    name_KD /= np.linalg.norm(name_KD, axis=1, keepdims=True)
    # Items are off in the same direction but for those of a class that is far from the new one.
    moved_D = np.array([0.3, 0.0, 0.0, -0.2, 0.0])
    mean_KD = name_KD + moved_D
    new_D = name_KD[:3].sum(axis=0)
    new_D /= np.linalg.norm(new_D)
    order = np.argsort(-(name_KD @ new_D))
    mean_KD[order[NEAREST:]] = 7.0
    wanted_D = new_D + moved_D
    wanted_D /= np.linalg.norm(wanted_D)
    np.testing.assert_allclose(place_of_name(new_D, name_KD, mean_KD), wanted_D, atol=1e-6)
    # A class without items tells nothing, and of fewer classes all that there are tell.
    mean_KD[order[1:]] = 0.0
    np.testing.assert_allclose(place_of_name(new_D, name_KD, mean_KD), wanted_D, atol=1e-6)
    nothing_KD = np.zeros_like(mean_KD)
    np.testing.assert_allclose(place_of_name(new_D, name_KD, nothing_KD), new_D, atol=1e-6)


def test_what_an_item_lacks_is_no_evidence():
    nan = np.array([np.nan])
    one = np.array([0.5])
    found_NE = evidence(one, nan, np.array([0.2]), nan, np.array([-0.1]))
    np.testing.assert_allclose(found_NE, [[0.3, 0.0, -0.1, 1.0]])


def test_odds_are_by_what_an_item_has(rule):
    nothing_D = np.full(3, np.nan, np.float32)
    image_ND = np.stack([NEW_D, NEW_D, nothing_D])
    text_ND = np.stack([NEW_D, nothing_D, IMAGE_KD[0]])
    probability_NK = np.array([[0.5, 0.5], [0.9, 0.1], [0.2, 0.8]], np.float32)
    place = Place(NEW_D, NEW_D, 6, 1)
    found_NA = log_odds(rule, [place, place], image_ND, text_ND, probability_NK)
    # Fused by the smaller number of examples, a picture by six, a text by one.
    both, image, text = rule.weight_3SE[2, 1], rule.weight_3SE[0, 2], rule.weight_3SE[1, 1]
    wanted = [
        both @ [1, 1, np.log(0.5), 1],
        image @ [1, 0, np.log(0.9), 1],
        text @ [0, -1, np.log(0.8), 1],
    ]
    np.testing.assert_allclose(found_NA, np.stack([wanted, wanted], axis=1), rtol=1e-6)


def test_old_classes_keep_their_proportions():
    probability_NK = np.array([[0.75, 0.25], [0.5, 0.5]], np.float32)
    found_NC = with_new_classes(probability_NK, np.array([[0.0, np.log(2.0)], [-1e9, 1e9]]))
    np.testing.assert_allclose(found_NC[0], np.array([0.75, 0.25, 1, 2]) / 4, rtol=1e-6)
    np.testing.assert_allclose(found_NC.sum(axis=1), 1, rtol=1e-6)
    assert found_NC[1].argmax() == 3
    assert found_NC[1, 0] == found_NC[1, 1] > 0
