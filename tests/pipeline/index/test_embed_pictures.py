import hashlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from pipeline.core.json_file import read_json, write_json
from pipeline.core.mapped_table import MappedVectors, map_table
from pipeline.core.vectors import vector_array
from pipeline.features.vector_rows import VectorRows
from pipeline.index import embed_pictures as module
from pipeline.index.embed_pictures import embed_pictures
from pipeline.index.item_pictures import COLUMNS, FILE, SEARCHED, ItemPictures
from pipeline.model.description import DIGEST, WEIGHTS
from pipeline.model.embed import embed
from pipeline.model.model_file import load_model


@pytest.fixture
def features(finished_project, tmp_path):
    """Image features of a trained model's kind, of four items; the items."""
    stored = VectorRows(finished_project.root / "data/features/image.parquet", ["vector"])
    vector_MI = stored.read(np.arange(8))
    rows = [
        ("one", 0, "1.jpg"),
        ("two", 0, None),
        ("two", 1, "2a.jpg"),
        ("two", 2, "2a.jpg"),
        ("two", 3, "2b.jpg"),
        ("two", 4, "2b.jpg"),
        ("left", 0, "3b.jpg"),
        ("gone", 0, None),
    ]
    table = pa.table(
        {
            "item_id": [row[0] for row in rows],
            "view": pa.array([row[1] for row in rows], pa.int8()),
            "image": pa.array([row[2] for row in rows], pa.string()),
            "vector": vector_array(vector_MI),
        }
    )
    pq.write_table(table, tmp_path / "image.parquet")
    items = pd.DataFrame(
        {"item_id": ["left", "two", "one"], "image": ["3a.jpg", "2a.jpg", "1.jpg"]}
    )
    return tmp_path / "image.parquet", items, vector_MI


def test_clean_views_of_items_that_have_several_are_embedded(features, finished_project, tmp_path):
    path, items, vector_MI = features
    model = finished_project.root / "data/model"
    assert embed_pictures(tmp_path, items, path, model, embeddings=tmp_path / "none") == 3
    found = map_table(tmp_path / FILE, COLUMNS)
    assert found.column_names == COLUMNS
    # Of `left` the first picture could not be used.
    assert found["row"].to_pylist() == [0, 1, 1]
    assert found["image"].to_pylist() == ["3b.jpg", "2a.jpg", "2b.jpg"]
    image_PI = torch.from_numpy(vector_MI[[6, 2, 4]])
    expected = embed(load_model(model).model, image_PI, torch.empty(0, 0), None, np.zeros(3, bool))
    vector_PD = np.array(found["vector"].to_pylist(), np.float32)
    assert vector_PD == pytest.approx(expected["image"].numpy(), abs=1e-6)
    assert np.linalg.norm(vector_PD, axis=1) == pytest.approx(1, abs=1e-5)


def test_what_is_searched_is_of_each_picture_with_the_text(features, finished_project, tmp_path):
    path, items, _ = features
    model = finished_project.root / "data/model"
    text_MD = np.zeros((2, 16), np.float32)
    text_MD[[0, 1], [3, 4]] = 1
    table = pa.table(
        {
            "item_id": ["one", "two", "two"],
            "modality": ["text", "text", "image"],
            "vector": vector_array(text_MD[[0, 1, 0]]),
        }
    )
    pq.write_table(table, tmp_path / "embeddings.parquet")

    def searched(of):
        embed_pictures(
            tmp_path, items, path, model, embeddings=tmp_path / "embeddings.parquet", searched=of
        )
        found = map_table(tmp_path / FILE, [*COLUMNS, SEARCHED])
        return tuple(
            np.array(found[name].to_pylist(), np.float32) for name in ("vector", "searched")
        )

    alone_PD, fused_PD = searched("fused")
    # `left` has no text.
    both_PD = alone_PD[1:] + text_MD[1]
    both_PD /= np.linalg.norm(both_PD, axis=1, keepdims=True)
    assert fused_PD == pytest.approx(np.vstack([alone_PD[:1], both_PD]), abs=1e-6)
    assert np.array_equal(*searched("image"))


def test_batches_make_no_difference(features, finished_project, tmp_path, monkeypatch):
    path, items, _ = features
    model = finished_project.root / "data/model"
    embed_pictures(tmp_path / "whole", items, path, model, embeddings=tmp_path / "none")
    monkeypatch.setattr(module, "AT_ONCE", 2)
    embed_pictures(tmp_path / "parts", items, path, model, embeddings=tmp_path / "none")
    whole, parts = (map_table(tmp_path / one / FILE, COLUMNS) for one in ("whole", "parts"))
    assert parts["vector"].num_chunks == 2
    assert parts.drop_columns("vector") == whole.drop_columns("vector")
    vector_PD = MappedVectors(parts["vector"])[np.arange(3)]
    assert vector_PD == pytest.approx(MappedVectors(whole["vector"])[np.arange(3)], abs=1e-6)


def test_a_catalogue_with_one_picture_per_item_needs_no_towers(
    features, finished_project, tmp_path
):
    path, items, _ = features
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / WEIGHTS).write_bytes(b"no towers")
    described = read_json(finished_project.root / "data/model/model.json")
    described[DIGEST] = hashlib.sha256(b"no towers").hexdigest()
    write_json(tmp_path / "model" / "model.json", described)
    for searched in (None, "fused"):
        one = items.iloc[2:], path, tmp_path / "model"
        none = embed_pictures(tmp_path, *one, embeddings=tmp_path / "none", searched=searched)
        assert none == 0
        assert not ItemPictures.load(tmp_path).are_searched
