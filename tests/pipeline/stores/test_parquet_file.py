import json
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pipeline.stores.parquet_file import SIDE, write_items
from pipeline.stores.rows import ItemRows


class Evaluated:
    """The first item has a prediction, the others were added later."""

    def predicted(self, row_M):
        path_M = ["shoes" if row == 0 else None for row in row_M]
        score_M = [0.5 if row == 0 else None for row in row_M]
        return pa.table({"predicted_path": path_M, "score": pa.array(score_M, pa.float32())})


@pytest.fixture
def path(tmp_path, make_catalogue):
    """Items 0 and 9 have no picture, that of item 2 is damaged."""
    catalogue = make_catalogue(range(12))
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for n in range(12):
        Image.new("RGBA", (40 + n, 400), (255, 0, 0, 0)).save(pictures / f"{n}.png")
    (pictures / "2.png").write_bytes(b"nothing")
    path = tmp_path / "out" / "items.parquet"
    rows = ItemRows(catalogue, None)
    assert write_items(path, catalogue, rows, Evaluated(), pictures, "#0000ff") == 12
    return path


def test_a_row_per_item_with_all_that_is_known_of_it(path):
    table = pq.read_table(path)
    assert table.column_names == [
        *("item_id", "text", "class_path", "split", "image", "class_nodes"),
        *("price", "cost", "shoe size", "brand", "sale", "day", "seen", "sold"),
        *("predicted_path", "score", "x", "y", "vector"),
    ]
    assert table["item_id"].to_pylist() == [f"it's-{n}" for n in range(12)]
    assert table["predicted_path"].to_pylist() == ["shoes", *[None] * 11]
    assert table["x"].to_pylist() == list(range(12))
    said = json.loads(table.schema.metadata[b"huse"])
    assert (said["model"], said["modality"], said["dimension"]) == ("3f", "fused", 16)


def test_a_picture_is_a_small_jpeg_and_its_name(path):
    images = pq.read_table(path)["image"].to_pylist()
    assert images[0] is images[9] is None
    shown = Image.open(BytesIO(images[1]["bytes"]))
    assert (shown.format, shown.size) == ("JPEG", (23, SIDE))
    assert shown.getpixel((10, 10))[2] > 240  # what shows through
    assert images[1]["path"] == "1.png"
    assert Image.open(BytesIO(images[2]["bytes"])).getpixel((5, 5)) == (153, 153, 153)


def test_the_same_items_make_the_same_bytes(path, tmp_path, make_catalogue):
    catalogue = make_catalogue(range(12))
    again = tmp_path / "again.parquet"
    write_items(
        again, catalogue, ItemRows(catalogue, None), Evaluated(), tmp_path / "pictures", "#0000ff"
    )
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.slow  # datasets takes seconds to import
def test_datasets_shows_pictures_without_a_line_of_code(path, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    found = datasets.load_dataset(
        "parquet", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert isinstance(found.features["image"], datasets.Image)
    assert found[1]["image"].size == (23, SIDE)
    assert found[0]["image"] is None
    assert len(found[0]["vector"]) == 16
