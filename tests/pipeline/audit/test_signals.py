import numpy as np

from pipeline.audit.out_of_fold import Opinion, OutOfFold
from pipeline.audit.signals import LEAST_LOG_P, describe, mates
from pipeline.audit.tree import Tree
from pipeline.features.classes import make_classes


def test_mates_are_counted_as_by_plain_loops():
    random = np.random.default_rng(0)
    group_N, label_N, asked_N = (random.integers(0, high, size=60) for high in (15, 3, 3))
    same_N, different_N = mates(group_N * 1000, label_N, asked_N, 3)
    for n in range(60):
        others = [m for m in range(60) if m != n and group_N[m] == group_N[n]]
        same = sum(label_N[m] == asked_N[n] for m in others)
        assert (same_N[n], different_N[n]) == (same, len(others) - same)


def test_signals_say_what_is_said_of_the_class_and_of_the_best_other():
    tree = Tree(make_classes(["a<b", "a<c", "d<e"], separator="<", label="path"))
    log_p = np.log(np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]], dtype=np.float32))
    log_p[1, 0] = -50
    asked_N = np.array([0, 0])

    def opinion(log_p_NK):
        best_N2 = np.argsort(-log_p_NK, axis=1)[:, :2]
        return Opinion(log_p_NK[:, :1], best_N2, np.take_along_axis(log_p_NK, best_N2, axis=1))

    fused, image = opinion(log_p), opinion(log_p[::-1])
    support_NA = np.array([[4], [0]])
    found = OutOfFold(image, fused, fused, np.array([1, 2]), support_NA)
    shared_N3 = np.array([[0, 0, 0], [0, 1, 1]])
    described = describe(found, 0, asked_N, np.array([0, 1]), shared_N3, tree)
    p = np.log([0.7, 0.2])
    least = LEAST_LOG_P
    fused_0, fused_1 = [p[0], p[1] - p[0]], [least, p[0] - least]
    # Best others: a<c for the first, d<e for the second; and the second's mate is of class a<b.
    expected = [
        [*fused_0, *fused_1, *fused_0, np.log(5), 0, np.log(2), 0, 0, 0, 0],
        [*fused_1, *fused_0, *fused_1, 0, np.log(2), 0, 0, 0, 0, 0],
    ]
    np.testing.assert_allclose(described.signal_NS, expected, rtol=1e-5)
    assert described.distance_N.tolist() == [2, 4]
