import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.core.errors import InputError
from pipeline.core.vectors import vector_array
from pipeline.stores.evaluated import EvaluatedItems


@pytest.fixture
def path(tmp_path, make_catalogue):
    """Two modalities; items in another order than in the index, and without the last ten."""
    numbers = [n for n in range(80) if n % 2] + [n for n in range(80) if not n % 2]
    vector_ND = make_catalogue().vectors(np.array(numbers))
    parts = [
        pa.table(
            {
                "item_id": [f"it's-{n}" for n in numbers],
                "modality": [modality] * 80,
                "predicted_path": [f"{modality} {n}" for n in numbers],
                "score": pa.array([n / 100 for n in numbers], pa.float32()),
                "vector": vector_array(vector_ND * sign),
            }
        )
        for modality, sign in (("image", -1), ("fused", 1))
    ]
    table = pa.concat_tables(parts).replace_schema_metadata({"model": "3f"})
    pq.write_table(table, tmp_path / "embeddings.parquet", row_group_size=33)
    return tmp_path / "embeddings.parquet"


def test_items_are_found_by_their_name_and_modality(path, make_catalogue):
    catalogue = make_catalogue()
    evaluated = EvaluatedItems(path, catalogue)
    row_M = np.array([85, 3, 0, 40])
    assert evaluated.known(row_M).tolist() == [False, True, True, True]
    assert evaluated.predicted(row_M)["predicted_path"].to_pylist() == [
        *(None, "fused 3", "fused 0", "fused 40"),
    ]
    assert evaluated.predicted(row_M)["score"].to_pylist() == [
        None,
        *(pytest.approx(n / 100) for n in (3, 0, 40)),
    ]
    assert np.array_equal(evaluated.vectors(row_M[1:]), catalogue.vectors(row_M[1:]))


def test_another_model_s_are_refused(path, make_catalogue):
    with pytest.raises(InputError, match="made by another model than the index"):
        EvaluatedItems(path, make_catalogue(model="4a"))
