import numpy as np
import pyarrow as pa
import pytest

from pipeline.core.vectors import vector_matrix
from pipeline.index.settings import HnswSettings, IvfpqSettings
from pipeline.stores.rows import ItemRows


def test_batches_have_every_item_once_and_in_order(make_catalogue):
    catalogue = make_catalogue()
    rows = ItemRows(catalogue, None)
    batches = list(rows.batches(40))
    assert [len(row_M) for row_M, _ in batches] == [40, 40, 10]
    assert np.concatenate([row_M for row_M, _ in batches]).tolist() == list(range(90))
    table = pa.concat_tables([batch for _, batch in batches])
    assert table.schema == rows.schema
    for name in ("item_id", "text", "image", "class_path"):
        assert table[name].to_pylist() == catalogue.items[name].tolist()
    assert rows.item_ids() == set(catalogue.items["item_id"])


def test_an_item_is_found_by_every_node_above_its_class(make_rows):
    _, batch = next(make_rows().batches(4))
    assert batch["class_nodes"].to_pylist() == [
        ["shoes", "shoes<boots", "shoes<boots<ankle"],
        ["shoes", "shoes<boots"],
        ["shoes"],
        ["o'hats & caps"],
    ]


def test_attributes_are_of_few_types_and_numbers_stay_as_they_are_written(make_rows):
    _, batch = next(make_rows().batches(3))
    assert batch["price"].to_pylist() == [0.9, 1.9, 2.9]  # float32 in the user's table
    assert batch["cost"].to_pylist() == [1.5] * 3  # a decimal
    assert batch["shoe size"].to_pylist() == [0, None, None]
    types = {name: str(batch.schema.field(name).type) for name in batch.column_names[6:-1]}
    assert types == {
        "price": "double",
        "cost": "double",
        "shoe size": "int64",
        "brand": "string",
        "sale": "bool",
        "day": "date32[day]",
        "seen": "timestamp[us]",
        "sold": "timestamp[us, tz=UTC]",
    }


@pytest.mark.parametrize("settings", [None, HnswSettings(links=4, build_depth=20, search_depth=2)])
def test_vectors_are_those_that_were_indexed(make_catalogue, settings):
    _, batch = next(ItemRows(make_catalogue(settings=settings), None).batches(100))
    flat = make_catalogue()
    assert np.array_equal(vector_matrix(batch["vector"]), flat.vectors(np.arange(90)))


class Evaluated:
    """Items with even numbers, all of them at one place."""

    def known(self, row_M):
        return row_M % 2 == 0

    def vectors(self, row_M):
        assert not (row_M % 2).any()
        return np.full((len(row_M), 16), 0.25, np.float32)


def test_an_index_of_approximations_gives_them_only_for_what_was_not_evaluated(make_catalogue):
    settings = IvfpqSettings(lists=2, probes=1, code_bytes=4)
    catalogue = make_catalogue([n % 180 for n in range(300)], settings=settings)
    row_M, batch = next(ItemRows(catalogue, Evaluated()).batches(7))
    vector_MD = vector_matrix(batch["vector"])
    assert (vector_MD[::2] == 0.25).all()
    assert np.array_equal(vector_MD[1::2], catalogue.vectors(row_M[1::2]))


def test_the_description_says_what_vectors_can_be_compared_with(make_rows):
    found = make_rows().description
    assert (found.model, found.modality, found.dimension, found.separator) == (
        *("3f", "fused", 16, "<"),
    )
    assert found.attributes["price"] == "double"
    assert make_rows(model="4a").description != found


def test_items_that_were_removed_from_the_index_are_left_out(catalogue):
    live_N = np.arange(len(catalogue.table)) % 4 > 0
    catalogue.vector_index.live_N = live_N
    rows = ItemRows(catalogue, None)
    ids = [item_id for _, batch in rows.batches(32) for item_id in batch["item_id"].to_pylist()]
    assert ids == [f"it's-{n}" for n in np.flatnonzero(live_N)]
    assert rows.item_ids() == set(ids)
