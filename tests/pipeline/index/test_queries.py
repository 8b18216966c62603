import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.index import queries
from pipeline.index.queries import choose_queries


def test_queries_are_images_and_texts_of_test_items(finished_project):
    path = finished_project.root / "data" / "evaluate" / "embeddings.parquet"
    frame = pd.read_parquet(path)
    test = frame[(frame["split"] == "test") & (frame["modality"] != "fused")]
    found = {tuple(row) for row in choose_queries(path)}
    assert found == {tuple(row) for row in test["vector"]}


def test_there_are_no_more_than_needed(finished_project, monkeypatch):
    monkeypatch.setattr(queries, "MOST", 5)
    path = finished_project.root / "data" / "evaluate" / "embeddings.parquet"
    assert 2 <= len(choose_queries(path)) <= 10
    assert np.isfinite(choose_queries(path)).all()


def test_missing_embeddings_are_told(tmp_path):
    with pytest.raises(InputError, match="not found; run the stage that makes it first"):
        choose_queries(tmp_path / "embeddings.parquet")
