import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.index.catalog_index import CatalogIndex
from pipeline.index.settings import IvfpqSettings
from pipeline.index.words import WordIndex
from tests.small_index import KINDS, NUMBER, PATHS, make_index


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


@pytest.mark.parametrize("settings", KINDS)
def test_an_expression_finds_all_items_it_is_true_of_and_no_others(settings):
    vector_ND, index = make_index(settings)
    for where, wanted in [
        ("price < 2 and brand == 'Nike'", {n for n in range(NUMBER) if n % 10 in (0, 1) and n % 2}),
        ("brand is None", {n for n in range(NUMBER) if n % 2 == 0}),
        ("class_path == 'Symbols' and 'thing 3' in text", {3, 31, 35, 39, *range(303, 400, 4)}),
    ]:
        (hits,) = index.search(vector_ND[:1], NUMBER, where=where)
        assert {hit.row for hit in hits} == wanted
        # As many as are wanted, if there are as many.
        assert len(index.search(vector_ND[:1], 4, where=where)[0]) == 4
    (hits,) = index.search(vector_ND[:1], NUMBER, "Symbols", where="price == 3")
    assert {hit.row for hit in hits} == {n for n in range(NUMBER) if n % 4 == 3 and n % 10 == 3}
    assert 3 not in [hit.row for hit in index.similar(3, NUMBER, where="price == 3")]
    assert len(index.similar(3, NUMBER, where="price == 3")) == NUMBER / 10 - 1


@pytest.mark.parametrize("settings", [None, KINDS[1]])
def test_the_nearest_that_an_expression_is_true_of_come_first(settings):
    vector_ND, index = make_index(settings)
    inside = np.flatnonzero(np.arange(NUMBER) % 10 == 3)
    (hits,) = index.search(vector_ND[:1], 5, where="price == 3")
    best = inside[np.argsort(-(vector_ND[inside] @ vector_ND[0]))]
    assert [hit.row for hit in hits] == best[:5].tolist()


@pytest.mark.parametrize("settings", KINDS)
def test_an_expression_holds_for_words_too(settings):
    vector_ND, index = make_index(settings, "words")
    where = "price == 3"
    for mode, within in (("words", range(103, 200, 10)), ("hybrid", range(3, NUMBER, 10))):
        (hits,) = index.search(vector_ND[:1], NUMBER, None, ["sku"], mode, where)
        assert {hit.row for hit in hits} == set(within)
    (hits,) = index.search(vector_ND[:1], 5, None, ["152"], where=where)
    assert hits == index.search(vector_ND[:1], 5, where=where)[0]


def test_expressions_that_no_item_meets_are_told():
    vector_ND, index = make_index()
    for within, where, message in [
        (None, "price > 10", "where: no item has price > 10"),
        (None, "brand == 'nike'", "where: no item has brand == 'nike'; brand has 'Nike'"),
        (None, "prise > 1", "where: no column 'prise'; did you mean price? there are class_path, "),
        ("Symbols", "price == 2", "no item of class 'Symbols' has price == 2"),
    ]:
        with pytest.raises(InputError) as caught:
            index.search(vector_ND[:1], 3, within, where=where)
        assert str(caught.value).startswith(message)


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


@pytest.mark.parametrize("settings", KINDS)
def test_an_exact_word_is_found_that_the_embedding_misses(settings):
    vector_ND, index = make_index(settings, "hybrid", weight=2.0)
    query_1D = -vector_ND[150:151]  # the embedding says the opposite
    found = {
        mode: index.search(query_1D, 5, texts=["sku 150"], mode=mode)[0]
        for mode in (None, "hybrid", "words", "dense")
    }
    assert found[None] == found["hybrid"] == index.search(query_1D, 5, None, ["sku 150"])[0]
    assert found["hybrid"][0].row == found["words"][0].row == 150
    assert found["hybrid"][0].distance == pytest.approx(2, abs=0.1)
    assert found["hybrid"][0].words > found["hybrid"][1].words
    assert 150 not in [hit.row for hit in found["dense"]]
    assert {hit.words for hit in found["dense"]} == {None}


def test_a_hybrid_search_is_the_order_of_the_sum_over_all_items():
    vector_ND, index = make_index(None, "hybrid", weight=0.7)
    for text in ("sku thing", "thing 7", "sku 120 unheard"):
        score_N = WordIndex.build(index.items["text"].tolist()).scores(text)
        (hits,) = index.search(vector_ND[:1], 30, texts=[text])
        sum_N = vector_ND @ vector_ND[0] + 0.7 * score_N
        assert [hit.row for hit in hits] == np.argsort(-sum_N, kind="stable")[:30].tolist()
        assert [hit.words for hit in hits] == score_N[[hit.row for hit in hits]].tolist()


@pytest.mark.parametrize("settings", KINDS)
def test_a_filter_holds_for_words_too(settings):
    vector_ND, index = make_index(settings, "words")
    for mode in ("words", "hybrid"):
        (hits,) = index.search(vector_ND[:1], NUMBER, "Symbols", ["sku"], mode)
        wanted = set(range(103, 200, 4) if mode == "words" else range(3, NUMBER, 4))
        assert {hit.row for hit in hits} == wanted
        assert len(hits) == len(wanted)
    # No item there has the word: the embedding alone.
    (hits,) = index.search(vector_ND[:1], 5, "Symbols", ["152"])
    assert hits == index.search(vector_ND[:1], 5, "Symbols")[0]


def test_queries_without_a_text_or_a_known_word_are_searched_by_embedding():
    vector_ND, index = make_index(None, "hybrid")
    dense = index.search(vector_ND[:4], 5)
    found = index.search(vector_ND[:4], 5, texts=[None, "unheard", "sku", "!"])
    assert [found[n] == dense[n] for n in range(4)] == [True, True, False, True]


@pytest.mark.parametrize("settings", KINDS)
def test_vectors_of_items_are_those_that_it_was_made_of_or_near_them(settings):
    vector_ND, index = make_index(settings)
    tolerance = 0.5 if isinstance(settings, IvfpqSettings) else 0
    found_MD = index.vectors(np.array([7, 2, 399]))
    np.testing.assert_allclose(found_MD, vector_ND[[7, 2, 399]], rtol=0, atol=tolerance)


@pytest.mark.parametrize("settings", KINDS)
def test_what_is_probably_of_an_added_class_is_found_there_and_told_everywhere(settings):
    vector_ND, index = make_index(settings)
    beside = index.beside({"gadgets<phone": ["id-4", "id-7", "gone"], "toys": []})
    (hits,) = beside.search(vector_ND[:1], NUMBER, "gadgets")
    assert {hit.row: hit.likely_path for hit in hits} == dict.fromkeys((4, 7), "gadgets<phone")
    assert {hit.class_path for hit in hits} == {PATHS[0], PATHS[3]}
    (hits,) = beside.search(vector_ND[:1], NUMBER, where="price == 4")
    assert {hit.item_id for hit in hits if hit.likely_path} == {"id-4"}
    (hits,) = beside.search(vector_ND[:1], NUMBER, "gadgets<phone", where="price == 7")
    assert [hit.row for hit in hits] == [7]
    # What was filed there since is no prediction any more.
    filed = index.beside({"Symbols": ["id-3", "id-4"]})
    assert filed.likely_rows["Symbols"].tolist() == [4]
    (hits,) = filed.search(vector_ND[:1], NUMBER, where="price < 5")
    assert {hit.item_id for hit in hits if hit.likely_path} == {"id-4"}
    # Without added classes all is as it was.
    for within in (None, "Symbols"):
        (before,) = index.search(vector_ND[:1], 9, within)
        (after,) = beside.search(vector_ND[:1], 9, within)
        assert [hit._replace(likely_path=None) for hit in after] == before
    with pytest.raises(InputError, match="no item is of class 'gadgets'"):
        index.search(vector_ND[:1], 5, "gadgets")


def test_what_was_removed_is_found_by_nothing_and_counted_nowhere():
    vector_ND, index = make_index()
    live_N = np.arange(NUMBER) % 4 < 3
    live_N[4] = False
    vectors = index.vector_index.with_added(vector_ND[:0], live_N)
    left = CatalogIndex(vectors, index.table, index.description, None, index.attributes)
    beside = left.beside({"gadgets": ["id-4", "id-5"], "toys": ["id-3"]})
    assert {path: at.tolist() for path, at in beside.likely_rows.items()} == {
        "gadgets": [5],
        "toys": [],
    }
    for within, where, said in [
        ("symbols", None, "no item is of class 'symbols'; "),
        ("toys", None, "no item is of class 'toys', which was added to the model: none is filed"),
        (None, "class_path == 'Symbols'", "where: no item has class_path == 'Symbols'"),
    ]:
        with pytest.raises(InputError) as caught:
            beside.search(vector_ND[:1], 5, within, where=where)
        assert str(caught.value).startswith(said)
