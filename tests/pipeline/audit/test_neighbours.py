import numpy as np
import pytest

from pipeline.audit import neighbours as module
from pipeline.audit.neighbours import nearest_others


def pairs_of_points(count):
    """Every even row has a near copy after it."""
    random = np.random.default_rng(0)
    point_NF = random.normal(size=(count // 2, 20)).repeat(2, axis=0)
    return (point_NF + 0.05 * random.normal(size=point_NF.shape)).astype(np.float32)


@pytest.mark.parametrize("exact", [1000, 10], ids=["all distances", "lists"])
def test_the_nearest_comes_first_and_nothing_is_near_itself(exact, monkeypatch):
    monkeypatch.setattr(module, "EXACT_ROWS", exact)
    monkeypatch.setattr(module, "ROWS", 64)
    vector_NF = pairs_of_points(400)
    found_NK = nearest_others(vector_NF.__getitem__, 400, 3)
    number_N = np.arange(400)
    assert found_NK.shape == (400, 3)
    assert (found_NK[:, 0] == (number_N ^ 1)).mean() > 0.99
    assert not (found_NK == number_N[:, None]).any()


def test_where_there_are_too_few_others_it_is_filled_up():
    found_NK = nearest_others(pairs_of_points(4).__getitem__, 4, 5)
    assert (np.sort(found_NK, axis=1)[:, :2] == -1).all()
    assert [sorted(row[row >= 0]) for row in found_NK] == [
        [1, 2, 3],
        [0, 2, 3],
        [0, 1, 3],
        [0, 1, 2],
    ]


@pytest.mark.parametrize("count", [0, 1])
def test_of_fewer_than_two_none_is_near(count):
    found = nearest_others(lambda at: np.ones((len(at), 3)), count, 2)
    assert found.tolist() == [[-1, -1]] * count


def test_vectors_that_are_all_the_same_do_no_harm():
    found_NK = nearest_others(lambda at: np.ones((len(at), 3), dtype=np.float32), 6, 2)
    assert ((found_NK >= 0) & (found_NK != np.arange(6)[:, None])).all()
