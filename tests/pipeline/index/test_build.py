import faiss
import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.index.build import build_index, measure_recall
from pipeline.index.settings import HnswSettings, IvfpqSettings

HNSW = HnswSettings(links=16, build_depth=60, search_depth=60)
IVFPQ = IvfpqSettings(lists=8, probes=4, code_bytes=8)


def unit_vectors(count, dimension=16, seed=0):
    vector_ND = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return vector_ND / np.linalg.norm(vector_ND, axis=1, keepdims=True)


def test_a_flat_index_finds_what_a_plain_sort_finds():
    vector_ND, query_QD = unit_vectors(300), unit_vectors(20, seed=1)
    found_QK = build_index(vector_ND, None).search(query_QD, 10)[1]
    assert np.array_equal(found_QK, np.argsort(-query_QD @ vector_ND.T, axis=1)[:, :10])


@pytest.mark.parametrize("settings", [None, HNSW, IVFPQ])
def test_the_same_vectors_give_the_same_bytes(settings):
    vector_ND = unit_vectors(600)
    one, other = (faiss.serialize_index(build_index(vector_ND, settings)) for _ in range(2))
    assert np.array_equal(one, other)


@pytest.mark.parametrize(("settings", "least"), [(None, 1.0), (HNSW, 0.95), (IVFPQ, 0.2)])
def test_recall_is_the_share_of_the_truly_nearest(settings, least):
    vector_ND, query_QD = unit_vectors(600), unit_vectors(40, seed=1)
    index = build_index(vector_ND, settings)
    true_QK = np.argsort(-query_QD @ vector_ND.T, axis=1)[:, :10]
    found_QK = index.search(query_QD, 10)[1]
    shares = [len(set(t) & set(f)) / 10 for t, f in zip(true_QK, found_QK, strict=True)]
    recall = measure_recall(index, vector_ND, query_QD)
    assert recall == pytest.approx(np.mean(shares))
    assert least <= recall <= 1


def test_recall_over_fewer_items_than_asked_for():
    vector_ND = unit_vectors(4)
    assert measure_recall(build_index(vector_ND, None), vector_ND, vector_ND) == 1


def test_compressed_vectors_take_a_fraction_of_the_bytes():
    vector_ND = unit_vectors(2000, dimension=64)
    flat, compressed = (
        faiss.serialize_index(build_index(vector_ND, settings)).nbytes for settings in (None, IVFPQ)
    )
    assert compressed < flat / 3


@pytest.mark.parametrize(
    ("count", "changed", "message"),
    [
        (
            600,
            {"code_bytes": 5},
            r"code_bytes: 5 does not divide model\.dim 16",
        ),
        (200, {}, "needs at least 256 items, not 200; use flat"),
        (600, {"lists": 700}, "needs at least 700 items"),
    ],
)
def test_settings_that_do_not_fit_are_refused(count, changed, message):
    with pytest.raises(InputError, match=message):
        build_index(unit_vectors(count), IVFPQ.model_copy(update=changed))
