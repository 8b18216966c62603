import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.index.build import build_index
from pipeline.index.vector_index import VectorIndex, read_faiss
from tests.small_index import KINDS

NUMBER, ADDED = 400, 30


def unit_vectors(count, seed=0):
    vector_ND = np.random.default_rng(seed).normal(size=(count, 16)).astype(np.float32)
    return vector_ND / np.linalg.norm(vector_ND, axis=1, keepdims=True)


VECTOR_ND = unit_vectors(NUMBER + ADDED)
QUERY_QD = unit_vectors(20, seed=1)
LIVE_N = np.ones(NUMBER + ADDED, bool)
LIVE_N[[0, 7, 300, NUMBER + 2]] = False


def both(settings, live_N=LIVE_N):
    return VectorIndex(build_index(VECTOR_ND[:NUMBER], settings), VECTOR_ND[NUMBER:], live_N)


@pytest.mark.parametrize("inside", [None, np.arange(NUMBER + ADDED) % 3 == 0])
def test_what_came_after_is_found_as_in_one_index_of_all(inside):
    similarity_QK, row_QK = both(None).nearest(QUERY_QD, 25, inside)
    wanted_N = LIVE_N if inside is None else LIVE_N & inside
    rows = np.flatnonzero(wanted_N)
    order_QK = np.argsort(-(QUERY_QD @ VECTOR_ND[rows].T), axis=1, kind="stable")[:, :25]
    assert np.array_equal(row_QK, rows[order_QK])
    exact_QN = QUERY_QD @ VECTOR_ND.T
    assert similarity_QK == pytest.approx(np.take_along_axis(exact_QN, row_QK, 1), abs=1e-6)
    assert (row_QK >= NUMBER).any()


@pytest.mark.parametrize("settings", KINDS)
@pytest.mark.parametrize("inside", [None, np.arange(NUMBER + ADDED) % 3 == 0])
def test_hidden_rows_are_never_found_in_any_kind_of_index(settings, inside):
    index = both(settings)
    # The hidden vectors themselves as queries, for all there is.
    _, row_QK = index.nearest(VECTOR_ND[~LIVE_N], len(index), inside)
    found = row_QK[row_QK >= 0]
    assert LIVE_N[found].all()
    if inside is not None:
        assert inside[found].all()
        assert all(len(set(row[row >= 0])) == (LIVE_N & inside).sum() for row in row_QK)
    # What came after is looked at one by one, whatever the kind.
    _, row_QK = index.nearest(VECTOR_ND[NUMBER + 5 :][:1], 1)
    assert row_QK.tolist() == [[NUMBER + 5]]


@pytest.mark.parametrize("settings", KINDS)
def test_hiding_nothing_changes_nothing(settings):
    built = build_index(VECTOR_ND[:NUMBER], settings)
    plain, hiding = VectorIndex(built), VectorIndex(built, live_N=np.ones(NUMBER, bool))
    assert hiding.live_N is None
    for one, other in zip(plain.nearest(QUERY_QD, 5), hiding.nearest(QUERY_QD, 5), strict=True):
        assert np.array_equal(one, other)


def test_a_graph_is_searched_no_worse_than_it_was_built_to_where_rows_are_hidden():
    built = build_index(VECTOR_ND[:NUMBER], KINDS[1])
    plain_QK = VectorIndex(built).nearest(QUERY_QD, 5)[1]
    live_N = np.ones(NUMBER, bool)
    live_N[np.setdiff1d(np.arange(NUMBER), plain_QK)[:3]] = False  # none that was found
    hiding_QK = VectorIndex(built, live_N=live_N).nearest(QUERY_QD, 5)[1]
    exact_QN = QUERY_QD @ VECTOR_ND.T
    for row_K, plain_K, exact_N in zip(hiding_QK, plain_QK, exact_QN, strict=True):
        assert exact_N[row_K].sum() >= exact_N[plain_K].sum() - 1e-6


def test_with_all_rows_hidden_nothing_is_found():
    similarity_QK, row_QK = both(None, np.zeros(NUMBER + ADDED, bool)).nearest(QUERY_QD, 5)
    assert similarity_QK.shape == row_QK.shape == (20, 0)


@pytest.mark.parametrize("settings", KINDS[:2])
def test_every_row_has_its_vector(settings):
    index = both(settings)
    rows = np.array([NUMBER, 0, NUMBER - 1, NUMBER + ADDED - 1])
    assert index.vectors(rows) == pytest.approx(VECTOR_ND[rows])


def test_the_file_holds_what_the_index_was_made_of(tmp_path):
    both(None).save(tmp_path / "index.faiss")
    assert read_faiss(tmp_path / "index.faiss").ntotal == NUMBER
    (tmp_path / "index.faiss").write_bytes(b"nonsense")
    with pytest.raises(InputError, match="damaged index"):
        read_faiss(tmp_path / "index.faiss")


@pytest.mark.parametrize("hidden", [3, 200])
def test_a_graph_finds_what_is_near_where_the_nearest_are_hidden(hidden):
    built = build_index(VECTOR_ND, KINDS[1])
    live_N = np.ones(len(VECTOR_ND), bool)
    similarity_N = VECTOR_ND @ QUERY_QD[0]
    live_N[np.argsort(-similarity_N)[:hidden]] = False
    found = VectorIndex(built, live_N=live_N).nearest(QUERY_QD[:1], 5)[1][0]
    wanted = [row for row in np.argsort(-similarity_N) if live_N[row]][:5]
    assert len(set(found) & set(wanted)) >= 4
