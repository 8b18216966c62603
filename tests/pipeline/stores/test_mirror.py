from collections.abc import Iterator

import pytest

from pipeline.core.errors import InputError
from pipeline.stores.mirror import mirror


class Dictionary:
    """A store in memory; those of others are held to the same in tests of their own."""

    rows_at_once = 8
    place = "memory, collection items"

    def __init__(self):
        self.description, self.rows, self.done = None, {}, []

    def describe(self):
        return self.description

    def create(self, description, schema):
        self.description = description
        self.done.append("create")

    def drop(self):
        self.description, self.rows = None, {}
        self.done.append("drop")

    def upsert(self, batch):
        assert len(batch) <= self.rows_at_once
        self.rows |= {row["item_id"]: row for row in batch.to_pylist()}

    def item_ids(self) -> Iterator[str]:
        yield from list(self.rows)

    def delete(self, item_ids):
        for item_id in item_ids:
            del self.rows[item_id]

    def finish(self):
        self.done.append("finish")

    def close(self):
        pass


def test_a_collection_is_made_once_and_follows_the_catalogue(make_rows):
    store = Dictionary()
    assert mirror(make_rows(range(20)), store) == (20, 0)
    assert mirror(make_rows(range(5, 25)), store) == (20, 5)
    assert set(store.rows) == {f"it's-{n}" for n in range(5, 25)}
    assert store.done == ["create", "finish", "finish"]


def test_nothing_is_deleted_if_others_are_to_be_kept(make_rows):
    store = Dictionary()
    mirror(make_rows(range(20)), store)
    assert mirror(make_rows(range(5)), store, keep_others=True) == (5, 0)
    assert len(store.rows) == 20


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "4a"}, "holds vectors of another model, which compare with none"),
        ({"modality": "text"}, "modality there is fused, and of the index text"),
        ({"kept": []}, "attribute brand is not the same there and in the index"),
    ],
)
def test_what_cannot_be_mixed_is_refused_before_anything_is_written(make_rows, options, message):
    store = Dictionary()
    mirror(make_rows(range(20)), store)
    before = dict(store.rows)
    with pytest.raises(InputError, match=f"^memory, collection items: {message}") as caught:
        mirror(make_rows(range(20, 30), **options), store)
    assert str(caught.value).endswith("--replace makes it anew, --name makes another")
    assert store.rows == before
    assert mirror(make_rows(range(20, 30), **options), store, replace=True) == (10, 0)
    assert len(store.rows) == 10
    assert store.done == ["create", "finish", "drop", "create", "finish"]
