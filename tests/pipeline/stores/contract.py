"""What every store is held to; its own test says how to open it and how its users search it."""

from contextlib import closing

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.stores.mirror import mirror
from pipeline.stores.rows import ItemRows

K = 7


def fill(open_store, rows, **options):
    with closing(open_store()) as store:
        return mirror(rows, store, **options)


def ids_of(open_store):
    with closing(open_store()) as store:
        assert store.describe() is not None
        return sorted(store.item_ids())


def check_searches_equal_those_of_the_index(open_store, search, catalogue):
    """`search` takes query_D, k, a class or None, whether price < 5 and brand is Nike are asked.

    It returns identifiers and cosine distances.
    """
    assert fill(open_store, ItemRows(catalogue, None)) == (len(catalogue), 0)
    query_QD = np.random.default_rng(1).normal(size=(3, 16)).astype(np.float32)
    query_QD /= np.linalg.norm(query_QD, axis=1, keepdims=True)
    for query_D in query_QD:
        for within in (None, "shoes", "shoes<boots", "o'hats & caps"):
            for asked in (False, True):
                where = "price < 5 and brand == 'Nike'" if asked else None
                wanted = catalogue.search(query_D[None], K, within, where=where)[0]
                assert len(wanted) == K
                found = search(query_D, K, within, asked)
                assert [one for one, _ in found] == [hit.item_id for hit in wanted]
                distances = [hit.distance for hit in wanted]
                assert [one for _, one in found] == pytest.approx(distances, abs=1e-5)


def check_a_collection_follows_the_catalogue(open_store, make_rows):
    fill(open_store, make_rows(range(20)))
    # Some are gone, some are new; others may stay if that is asked for.
    assert fill(open_store, make_rows(range(10, 30)), keep_others=True) == (20, 0)
    assert ids_of(open_store) == sorted(f"it's-{n}" for n in range(30))
    assert fill(open_store, make_rows(range(10, 30))) == (20, 10)
    assert ids_of(open_store) == sorted(f"it's-{n}" for n in range(10, 30))
    assert fill(open_store, make_rows(range(10, 30))) == (20, 0)


def check_a_killed_run_is_completed_by_another(open_store, make_rows, monkeypatch):
    rows = make_rows(range(20))
    with closing(open_store()) as store:
        monkeypatch.setattr(type(store), "rows_at_once", 8)
        upsert, done = store.upsert, []

        def interrupted(batch):
            if done:
                raise KeyboardInterrupt
            upsert(batch)
            done.append(batch)

        monkeypatch.setattr(store, "upsert", interrupted)
        with pytest.raises(KeyboardInterrupt):
            mirror(rows, store)
    assert len(ids_of(open_store)) == 8
    assert fill(open_store, rows) == (20, 0)
    assert len(ids_of(open_store)) == 20


def check_what_cannot_be_mixed_is_refused(open_store, make_rows):
    fill(open_store, make_rows(range(20)))
    for options, message in (
        ({"model": "4a"}, "holds vectors of another model"),
        ({"modality": "image"}, "modality there is fused, and of the index image"),
        ({"kept": ["price", "brand"]}, "attribute cost is not the same"),
    ):
        with pytest.raises(InputError, match=message) as caught:
            fill(open_store, make_rows(range(10), **options))
        assert "\n" not in str(caught.value)
        assert "--replace" in str(caught.value)
    assert len(ids_of(open_store)) == 20
    assert fill(open_store, make_rows(range(10), model="4a"), replace=True) == (10, 0)
    assert len(ids_of(open_store)) == 10
