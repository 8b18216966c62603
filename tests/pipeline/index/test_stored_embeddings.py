import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from pipeline.core.errors import InputError
from pipeline.index import stored_embeddings as module
from pipeline.index.stored_embeddings import (
    MOST_QUERIES,
    EmbeddedItems,
    choose_queries,
    read_modality,
)


@pytest.fixture(scope="module")
def embeddings(finished_project):
    return finished_project.root / "data" / "evaluate" / "embeddings.parquet"


def test_one_modality_comes_back_in_its_order(embeddings):
    whole = pd.read_parquet(embeddings)
    for modality in ("image", "text", "fused"):
        wanted = whole[whole["modality"] == modality].reset_index(drop=True)
        frame, vector_ND = read_modality(embeddings, modality)
        assert vector_ND.dtype == np.float32
        assert np.array_equal(vector_ND, np.stack(wanted["vector"]))
        pd.testing.assert_frame_equal(frame, wanted[list(frame.columns)])


def test_embeddings_of_items_come_in_their_order_and_are_nan_where_there_are_none(
    embeddings, tmp_path
):
    texts = pd.read_parquet(embeddings).query("modality == 'text'")
    chosen = texts.iloc[[5, 0, 5]]
    found = EmbeddedItems(embeddings, "text").read([*chosen["item_id"], "none"])
    assert np.array_equal(found[:3], np.stack(chosen["vector"]))
    assert np.isnan(found[3]).all()
    images = pq.read_table(embeddings, filters=[("modality", "=", "image")])
    pq.write_table(images, tmp_path / "x.parquet")
    nothing = EmbeddedItems(tmp_path / "x.parquet", "text").read(chosen["item_id"].tolist())
    assert np.isnan(nothing).all()
    assert nothing.shape == (3, found.shape[1])


def test_a_modality_that_is_not_there_is_told(embeddings, tmp_path):
    images = pq.read_table(embeddings, filters=[("modality", "=", "image")])
    pq.write_table(images, tmp_path / "x.parquet")
    with pytest.raises(InputError, match=r"no embeddings of modality fused; it has image; see"):
        read_modality(tmp_path / "x.parquet", "fused")
    queries_QD = choose_queries(tmp_path / "x.parquet")
    assert 0 < len(queries_QD) <= MOST_QUERIES


def test_queries_are_images_and_texts_of_test_items(embeddings):
    frame = pd.read_parquet(embeddings)
    test = frame[(frame["split"] == "test") & (frame["modality"] != "fused")]
    found = {tuple(row) for row in choose_queries(embeddings)}
    assert found == {tuple(row) for row in test["vector"]}


def test_there_are_no_more_queries_than_needed(embeddings, monkeypatch):
    monkeypatch.setattr(module, "MOST_QUERIES", 5)
    assert 2 <= len(choose_queries(embeddings)) <= 10


def test_missing_embeddings_are_told(tmp_path):
    with pytest.raises(InputError, match="not found; run the stage that makes it first"):
        choose_queries(tmp_path / "embeddings.parquet")
