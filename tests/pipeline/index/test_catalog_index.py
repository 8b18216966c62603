import json

import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.core.json_file import write_json
from pipeline.index.build import build_index
from pipeline.index.catalog_index import CatalogIndex
from pipeline.index.settings import HnswSettings, IvfpqSettings

KINDS = [
    None,
    HnswSettings(links=4, build_depth=20, search_depth=2),
    IvfpqSettings(lists=16, probes=1, code_bytes=16),
]
PATHS = ["Animals & Nature<cat", "Animals & Nature<dog", "Animals & Naturals", "Symbols"]
NUMBER = 400


def make_index(settings=None):
    vector_ND = np.random.default_rng(0).normal(size=(NUMBER, 16)).astype(np.float32)
    vector_ND /= np.linalg.norm(vector_ND, axis=1, keepdims=True)
    items = pd.DataFrame(
        {
            "item_id": [f"id-{n}" for n in range(NUMBER)],
            "image": [f"{n}.png" for n in range(NUMBER)],
            "text": [f"thing {n}" for n in range(NUMBER)],
            "class_path": [PATHS[n % 4] for n in range(NUMBER)],
            "split": "train",
            "x": np.zeros(NUMBER, np.float32),
            "y": np.zeros(NUMBER, np.float32),
        }
    )
    description = {"kind": "any", "modality": "fused", "separator": "<"}
    return vector_ND, CatalogIndex(build_index(vector_ND, settings), items, description)


@pytest.fixture
def place(tmp_path):
    """An index saved beside the model that it is of."""
    write_json(tmp_path / "model" / "model.json", {"weights_digest": "3f"})
    make_index()[1].save(tmp_path / "index", model=tmp_path / "model")
    return tmp_path


def load(place):
    return CatalogIndex.load(place / "index", model=place / "model")


def test_hits_say_what_was_found_and_how_far_it_is():
    vector_ND, index = make_index()
    query_QD = np.random.default_rng(1).normal(size=(5, 16)).astype(np.float32)
    query_QD /= np.linalg.norm(query_QD, axis=1, keepdims=True)
    distance_QN = 1 - query_QD @ vector_ND.T
    for distance_N, hits in zip(distance_QN, index.search(query_QD, 7), strict=True):
        rows = np.argsort(distance_N)[:7]
        assert [hit.row for hit in hits] == rows.tolist()
        assert [hit.item_id for hit in hits] == [f"id-{row}" for row in rows]
        assert [hit.image for hit in hits] == [f"{row}.png" for row in rows]
        assert [hit.text for hit in hits] == [f"thing {row}" for row in rows]
        assert [hit.class_path for hit in hits] == [PATHS[row % 4] for row in rows]
        assert [hit.distance for hit in hits] == pytest.approx(distance_N[rows], abs=1e-5)


@pytest.mark.parametrize("settings", KINDS)
def test_a_filter_finds_all_items_of_a_class_and_no_others(settings):
    vector_ND, index = make_index(settings)
    for within, wanted in [
        ("Animals & Nature", (0, 1)),
        ("animals &  nature < DOG", (1,)),
        ("Symbols", (3,)),
    ]:
        (hits,) = index.search(vector_ND[:1], NUMBER, within)
        assert {hit.row for hit in hits} == {n for n in range(NUMBER) if n % 4 in wanted}


def test_a_filtered_search_is_exact_in_a_graph():
    vector_ND, index = make_index(KINDS[1])
    inside = np.arange(3, NUMBER, 4)
    for query in vector_ND[:5]:
        (hits,) = index.search(query[None], 5, "Symbols")
        assert [hit.row for hit in hits] == inside[np.argsort(-(vector_ND[inside] @ query))][
            :5
        ].tolist()


@pytest.mark.parametrize("wrong", ["Animals", "animals & natur", "", " < "])
def test_a_class_that_is_not_there_is_told_with_what_is_close(wrong):
    _, index = make_index()
    with pytest.raises(InputError, match="no item is of class"):
        index.within(wrong)
    with pytest.raises(InputError, match="did you mean 'Animals & Nature'"):
        index.within("Animals & Nture")


@pytest.mark.parametrize(
    ("wrong", "close"),
    [
        ("Animals", "'Animals & Naturals', 'Animals & Nature'"),
        ("animals & nature<c", "'Animals & Nature<cat'"),
        ("Dog", "'Animals & Nature<dog'"),
        ("Symbol", "'Symbols'"),
    ],
)
def test_what_is_suggested_begins_or_ends_alike(wrong, close):
    with pytest.raises(InputError) as caught:
        make_index()[1].within(wrong)
    assert str(caught.value) == f"no item is of class {wrong!r}; did you mean {close}?"


@pytest.mark.parametrize("settings", KINDS)
def test_more_like_an_item_leaves_the_item_out(settings):
    vector_ND, index = make_index(settings)
    hits = index.similar(7, 5)
    assert len(hits) == 5
    assert 7 not in [hit.row for hit in hits]
    if settings is None:
        assert [hit.row for hit in hits] == np.argsort(-(vector_ND @ vector_ND[7]))[1:6].tolist()
    with pytest.raises(ValueError, match="row 400"):
        index.similar(NUMBER, 5)


def test_queries_of_another_shape_are_refused():
    _, index = make_index()
    for query in (np.zeros(16), np.zeros((1, 8))):
        with pytest.raises(ValueError, match="queries"):
            index.search(query, 3)
    with pytest.raises(ValueError, match="k 0"):
        index.search(np.zeros((1, 16)), 0)


def test_more_results_than_items_gives_all(place):
    vector_ND, _ = make_index()
    assert len(load(place).search(vector_ND[:1], 1000)[0]) == NUMBER


def test_a_loaded_index_finds_the_same(place):
    vector_ND, index = make_index()
    assert load(place).search(vector_ND[:3], 4) == index.search(vector_ND[:3], 4)


def test_a_damaged_or_newer_index_is_refused(place):
    path = place / "index" / "index.faiss"
    whole = path.read_bytes()
    for content in (b"", b"nonsense" * 10, whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(InputError, match="damaged index"):
            load(place)
    path.write_bytes(whole)
    description = place / "index" / "index.json"
    fields = json.loads(description.read_text(encoding="utf-8"))
    description.write_text(json.dumps({**fields, "format_version": 9}), encoding="utf-8")
    with pytest.raises(InputError, match="format version 9"):
        load(place)


def test_an_index_without_its_model_is_refused(place):
    write_json(place / "model" / "model.json", {"weights_digest": "a0"})
    with pytest.raises(InputError, match="made by another model"):
        load(place)
    write_json(place / "model" / "model.json", {})
    with pytest.raises(InputError, match="model: does not name its weights; train again"):
        load(place)
    (place / "model" / "model.json").unlink()
    with pytest.raises(InputError, match=r"model\.json: not found"):
        load(place)


def test_an_index_of_another_list_of_items_is_refused(place):
    items = place / "index" / "items.parquet"
    pd.read_parquet(items).iloc[:-1].to_parquet(items)
    with pytest.raises(InputError, match="400 vectors but 399 items"):
        load(place)
