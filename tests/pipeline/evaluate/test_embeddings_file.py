import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from pipeline.evaluate.embeddings_file import fit_map, write_embeddings
from pipeline.evaluate.evaluation_items import index_items

ATTRIBUTES = pa.table(
    {
        "item_id": [f"item-{n}" for n in range(12)],
        "price": [float(n) for n in range(12)],
        "brand": ["Nike", None, "Puma"] * 4,
    }
)


@pytest.fixture
def written(write_artifacts, stored, tmp_path):
    items = index_items(**write_artifacts())
    plane = fit_map(stored, items, method="pca", seed=0)
    test = write_embeddings(tmp_path / "embeddings.parquet", stored, items, plane, ATTRIBUTES)
    return items, plane, test, pq.read_table(tmp_path / "embeddings.parquet")


def test_every_item_is_there_in_every_modality(written):
    _, _, _, table = written
    frame = table.select(["item_id", "modality", "split", "class_path", "predicted_path"])
    frame = frame.to_pandas()
    assert frame.groupby("modality").size().to_dict() == {"image": 12, "text": 12, "fused": 12}
    assert frame.groupby("item_id").size().eq(3).all()
    assert set(frame["predicted_path"]) <= {"bags<big", "bags<small", "hats"}
    row = frame[frame["item_id"] == "item-3"].iloc[0]
    assert (row["split"], row["class_path"]) == ("test", "bags<big")


def test_columns_have_the_agreed_names_and_types(written):
    _, _, _, table = written
    assert table.schema.names == [
        "item_id",
        "modality",
        "split",
        "vector",
        "class_path",
        "predicted_path",
        "score",
        "x",
        "y",
        "price",
        "brand",
    ]
    assert str(table.schema.field("vector").type) == "fixed_size_list<element: float>[8]"
    vector_ND = np.stack(table["vector"].to_pylist())
    np.testing.assert_allclose(np.linalg.norm(vector_ND, axis=1), 1, atol=1e-5)
    assert np.isfinite(table["x"].to_numpy()).all()


def test_every_row_has_the_attributes_of_its_item(written):
    _, _, _, table = written
    assert [str(table[name].type) for name in ("price", "brand")] == ["double", "string"]
    for row in table.select(["item_id", "price", "brand"]).to_pylist():
        number = int(row["item_id"].removeprefix("item-"))
        assert row["price"] == number
        assert row["brand"] == ["Nike", None, "Puma"][number % 3]


def test_the_test_items_come_back_as_they_were_written(written):
    items, _, test, table = written
    frame = table.to_pandas()
    for modality, one in test.items():
        rows = frame[(frame["modality"] == modality) & (frame["split"] == "test")]
        assert rows["item_id"].tolist() == items.table["item_id"].iloc[items.test].tolist()
        np.testing.assert_array_equal(np.stack(rows["vector"].tolist()), one.embedding_ND)


def test_the_plane_is_laid_out_from_one_item_of_each_group(written):
    _, plane, _, _ = written
    # Six groups of two items, images and texts.
    assert plane.point_MD.shape == (12, 8)
    assert torch.isfinite(plane.place_M2).all()


def test_only_the_evaluated_modality_is_written(write_artifacts, stored, tmp_path):
    items = index_items(**write_artifacts(images=[]))
    plane = fit_map(stored, items, method="pacmap", seed=0)
    nothing = ATTRIBUTES.select(["item_id"])
    test = write_embeddings(tmp_path / "embeddings.parquet", stored, items, plane, nothing)
    assert set(test) == {"text"}
    table = pq.read_table(tmp_path / "embeddings.parquet")
    assert table.column_names[-1] == "y"
    assert set(table["modality"].to_pylist()) == {"text"}


def test_an_item_has_no_embedding_of_what_it_lacks(write_artifacts, stored, tmp_path):
    have = {"images": [n for n in range(12) if n != 3], "texts": [n for n in range(12) if n != 5]}
    items = index_items(**write_artifacts(**have, require="any"))
    plane = fit_map(stored, items, method="pca", seed=0)
    test = write_embeddings(tmp_path / "embeddings.parquet", stored, items, plane, ATTRIBUTES)
    frame = pq.read_table(tmp_path / "embeddings.parquet").to_pandas()
    assert frame.groupby("modality").size().to_dict() == {"image": 11, "text": 11, "fused": 12}
    assert np.isfinite(np.stack(frame["vector"])).all()
    assert np.isfinite(frame[["x", "y", "score"]]).all(axis=None)
    # What the table says of an item is beside each of its rows, and beside no other's.
    assert ("item-" + frame["price"].astype(int).astype(str)).tolist() == frame["item_id"].tolist()
    of = frame.set_index(["item_id", "modality"])
    for item, only in (("item-3", "text"), ("item-5", "image")):
        one, fused = of.loc[(item, only)], of.loc[(item, "fused")]
        np.testing.assert_allclose(one["vector"], fused["vector"], atol=1e-6)
        assert (one["predicted_path"], one["score"]) == (fused["predicted_path"], fused["score"])
    assert [one.has_N.tolist() for one in test.values()] == [
        [False, True, True],
        [True, True, True],
        [True, True, True],
    ]
