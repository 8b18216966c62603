import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.model.description import EMBEDDINGS
from pipeline.use.new_items import read_items
from pipeline.use.write_embeddings import write_embedded


def write(huse, table, folder, out):
    batches = read_items(huse, table, folder, {})
    return write_embedded(huse, out, out.with_suffix(".csv"), batches)


def test_every_item_has_a_row_for_each_modality_that_it_has(
    huse, table, picture_folder, picture_names, tmp_path
):
    out = tmp_path / "out" / "embeddings.parquet"
    counts = write(huse, table, picture_folder, out)
    assert counts == (3, 4)
    frame = pd.read_parquet(out)
    assert set(zip(frame["row"], frame["modality"], strict=True)) == {
        *[(1, "image"), (1, "text"), (1, "fused")],
        *[(2, "text"), (2, "fused")],
        *[(3, "image"), (3, "fused")],
    }
    first = frame[frame["row"] == 1].set_index("modality")
    assert set(first["image"]) == {picture_names[0]}
    assert set(first["text"]) == {"red heart"}
    wanted = huse.embed([picture_folder / picture_names[0]], ["red heart"])
    for modality, matrix in wanted.modalities.items():
        assert np.allclose(first.loc[modality, "vector"], matrix[0], atol=1e-6)
    assert pd.read_csv(out.with_suffix(".csv"))["row"].tolist() == [4, 5, 6, 7]


def test_the_towers_run_once_for_what_is_asked(
    huse, table, picture_folder, tmp_path, asked_of_the_towers
):
    write(huse, table, picture_folder, tmp_path / "e.parquet")
    assert asked_of_the_towers == [EMBEDDINGS]


def test_a_table_that_breaks_off_leaves_no_file(huse, tmp_path):
    table = tmp_path / "new.csv"
    table.write_text('text\nheart\n"open\n', encoding="utf-8")
    with pytest.raises(InputError, match="quote that is not closed"):
        write(huse, table, tmp_path, tmp_path / "out" / "e.parquet")
    assert list((tmp_path / "out").iterdir()) == []
