from itertools import takewhile

import numpy as np
import pytest

from pipeline.decide.rules import decide
from pipeline.features.class_tree import ClassTree
from pipeline.features.classes import make_classes

PATHS = ["clothing<dress", "clothing<knitwear<fine", "clothing<knitwear<thick", "shoes<boots"]


def make_tree(paths):
    return ClassTree(make_classes(paths, separator="<", label="path"))


def decided(rule, *probabilities, paths=PATHS, beta=1.0):
    tree = make_tree(paths)
    (node,) = decide(tree, np.array([probabilities], dtype=np.float32), rule, beta=beta)
    return tree.path_J[node]


def common(one, other):
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def distance(one, other):
    return len(one) + len(other) - 2 * common(one, other)


def f_beta(answer, truth, beta):
    precision, recall = common(answer, truth) / len(answer), common(answer, truth) / len(truth)
    if precision + recall == 0:
        return 0.0
    return (1 + beta**2) * precision * recall / (beta**2 * precision + recall)


def test_boots_are_most_probable_but_three_kinds_of_clothing_are_nearer_to_each_other():
    probabilities = (0.2, 0.2, 0.2, 0.4)
    assert decided("probable", *probabilities) == "shoes<boots"
    # Expected edges: boots 0.2 * 4 + 0.4 * 5 = 2.8; dress 0.4 * 3 + 0.4 * 4 = 2.8;
    # fine knitwear 0.2 * 3 + 0.2 * 2 + 0.4 * 5 = 3. With a little more for the dress it wins.
    assert decided("least_cost", 0.21, 0.2, 0.2, 0.39) == "clothing<dress"
    # Expected F1 of clothing: 0.2 * 2/3 + 0.4 * 2/4 = 0.333; of boots 0.4; of knitwear
    # 0.2 * 2/4 + 0.4 * 4/5 = 0.42; of fine knitwear 0.2 * 2/5 + 0.2 * 1 + 0.2 * 4/6 = 0.413.
    assert decided("hf_beta", *probabilities) == "clothing<knitwear"


def test_beta_says_how_deep_an_answer_may_be():
    # Knitwear is likely, which kind of it is open.
    probabilities = (0.05, 0.45, 0.45, 0.05)
    assert decided("hf_beta", *probabilities, beta=0.25) == "clothing<knitwear"
    assert decided("hf_beta", *probabilities, beta=4.0) == "clothing<knitwear<fine"
    # With beta near 0 only precision counts: the top level is right most often.
    assert decided("hf_beta", *probabilities, beta=0.01) == "clothing"


def test_slips_of_a_programmer_are_told():
    with pytest.raises(ValueError, match="a rule of probable, least_cost, hf_beta"):
        decided("least-cost", 1, 0, 0, 0)
    with pytest.raises(ValueError, match="beta above 0"):
        decided("hf_beta", 1, 0, 0, 0, beta=0)


@pytest.mark.parametrize("rule", ["probable", "least_cost", "hf_beta"])
def test_a_certain_item_is_given_its_class(rule):
    for label, path in enumerate(PATHS):
        assert decided(rule, *np.eye(4)[label]) == path


def test_without_a_hierarchy_all_rules_are_one():
    generator = np.random.default_rng(1)
    tree = make_tree(["a", "b", "c"])
    probability_NK = generator.dirichlet(np.ones(3), size=50).astype(np.float32)
    answers = [
        decide(tree, probability_NK, rule, beta=1.0).tolist()
        for rule in ("probable", "least_cost", "hf_beta")
    ]
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_random_trees_agree_with_the_definitions(beta):
    generator = np.random.default_rng(0)
    paths = sorted({"<".join(generator.choice(list("abc"), size=n)) for n in (1, 2, 3, 4) * 9})
    tree = make_tree(paths)
    parts = [path.split("<") for path in paths]
    probability_NK = generator.dirichlet(np.full(len(paths), 0.3), size=40).astype(np.float32)
    cost_KK = np.array([[distance(one, other) for other in parts] for one in parts])
    nodes = [path.split("<") for path in tree.path_J[1:]]
    gain_JK = np.array([[f_beta(node, one, beta) for one in parts] for node in nodes])
    cost_NK, gain_NJ = probability_NK @ cost_KK.T, probability_NK @ gain_JK.T
    rows = np.arange(len(probability_NK))
    # By value and not by answer: rounding may part equal ones.
    class_of = {node: label for label, node in enumerate(tree.class_node_K)}
    least = [class_of[n] for n in decide(tree, probability_NK, "least_cost", beta=beta)]
    np.testing.assert_allclose(cost_NK[rows, least], cost_NK.min(axis=1), rtol=1e-5)
    best_N = decide(tree, probability_NK, "hf_beta", beta=beta)
    np.testing.assert_allclose(gain_NJ[rows, best_N - 1], gain_NJ.max(axis=1), rtol=1e-5)
    # The rules do differ here.
    assert (np.array(least) != probability_NK.argmax(axis=1)).any()
    assert (best_N != tree.class_node_K[probability_NK.argmax(axis=1)]).any()
