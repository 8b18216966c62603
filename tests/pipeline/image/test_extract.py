import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from pipeline.errors import InputError
from pipeline.files.table import read_metadata
from pipeline.files.vectors import read_vectors
from pipeline.image.extract import Failure, Picture, extract_features, load_backbone


def extract(pictures, backbone, out, *, batch_size=4, background="#ffffff", **metadata):
    return extract_features(
        pictures,
        backbone,
        out,
        batch_size=batch_size,
        device=torch.device("cpu"),
        background=background,
        metadata=metadata,
    )


def test_features_keep_the_order_given(make_pictures, pooled_backbone, tmp_path):
    pictures = make_pictures(5)
    assert extract(pictures, pooled_backbone, tmp_path / "a.parquet", batch_size=2) == []
    assert extract(pictures[::-1], pooled_backbone, tmp_path / "b.parquet", batch_size=2) == []
    ids, vector_NI = read_vectors(tmp_path / "a.parquet", "vector")
    reversed_ids, reversed_NI = read_vectors(tmp_path / "b.parquet", "vector")
    assert ids == [picture.item_id for picture in pictures]
    assert reversed_ids == ids[::-1]
    assert vector_NI.shape == (5, 1280)
    assert vector_NI.dtype == np.float32
    assert np.abs(vector_NI - reversed_NI[::-1]).max() < 1e-4
    # Different pictures have different features, far beyond rounding.
    assert all(np.abs(vector_NI[0] - vector_NI[row]).max() > 0.1 for row in range(1, 5))


def test_features_do_not_depend_on_the_batch_size(make_pictures, pooled_backbone, tmp_path):
    pictures = make_pictures(5)
    results = []
    for batch_size in (1, 3, 64):
        extract(pictures, pooled_backbone, tmp_path / "x.parquet", batch_size=batch_size)
        results.append(read_vectors(tmp_path / "x.parquet", "vector")[1])
    assert np.abs(results[0] - results[1]).max() < 1e-4
    assert np.abs(results[0] - results[2]).max() < 1e-4


def test_the_same_pictures_give_the_same_bytes(make_pictures, pooled_backbone, tmp_path):
    pictures = make_pictures(3)
    for name in ("a", "b"):
        extract(pictures, pooled_backbone, tmp_path / name, batch_size=2, layer="pooled")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_pixels_are_normalised_as_the_backbone_says(mean_colour, tmp_path):
    Image.new("RGB", (30, 20), (110, 60, 7)).save(tmp_path / "x.png")
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "y.png")
    pictures = [Picture("x", tmp_path / "x.png"), Picture("y", tmp_path / "y.png")]
    extract(pictures, mean_colour, tmp_path / "out", background="#64326e")
    # x: (110 - 100) / 10, (60 - 50) / 5, (7 - 0) / 1; y is the background: 100, 50, 110.
    assert read_vectors(tmp_path / "out", "vector")[1].tolist() == [[1, 2, 7], [0, 0, 110]]


@pytest.mark.parametrize("batch_size", [1, 2, 3, 100])
def test_pictures_that_cannot_be_used_are_listed(make_pictures, mean_colour, tmp_path, batch_size):
    good = make_pictures(4)
    (tmp_path / "text.jpg").write_text("404")
    gone, text = Picture("gone", tmp_path / "gone.jpg"), Picture("text", tmp_path / "text.jpg")
    mixed = [gone, good[0], text, good[1], good[2], good[3], gone, text]
    failures = extract(mixed, mean_colour, tmp_path / "out", batch_size=batch_size)
    missing = Failure("gone", str(gone.path), "file not found")
    unknown = Failure("text", str(text.path), "not a picture in a known format")
    assert failures == [missing, unknown, missing, unknown]
    ids, vector_NI = read_vectors(tmp_path / "out", "vector")
    assert ids == ["item-0", "item-1", "item-2", "item-3"]
    extract(good, mean_colour, tmp_path / "alone", batch_size=batch_size)
    assert np.array_equal(vector_NI, read_vectors(tmp_path / "alone", "vector")[1])


def test_no_usable_picture_gives_an_empty_table(mean_colour, tmp_path):
    pictures = [Picture(str(n), tmp_path / f"{n}.png") for n in range(3)]
    assert len(extract(pictures, mean_colour, tmp_path / "out")) == 3
    assert extract([], mean_colour, tmp_path / "none") == []
    for name in ("out", "none"):
        ids, vector_NI = read_vectors(tmp_path / name, "vector")
        assert ids == []
        assert vector_NI.shape == (0, 3)


def test_the_file_says_what_made_it(make_pictures, mean_colour, tmp_path):
    extract(make_pictures(2), mean_colour, tmp_path / "out", layer="pooled")
    assert read_metadata(tmp_path / "out") == {
        "layer": "pooled",
        "weights_digest": "none",
        "dimension": "3",
        "background": "#ffffff",
        "transform": "resize 8 bicubic, mean (100.0, 50.0, 0.0), std (10.0, 5.0, 1.0)",
    }
    table = pq.read_table(tmp_path / "out")
    assert table.column_names == ["item_id", "view", "vector"]
    assert table["view"].to_pylist() == [0, 0]


def test_a_place_that_cannot_be_written_is_named(make_pictures, mean_colour, tmp_path):
    (tmp_path / "data").write_text("a file where a folder is needed")
    with pytest.raises(InputError, match=r"data/image\.parquet: cannot be written"):
        extract(make_pictures(1), mean_colour, tmp_path / "data" / "image.parquet")


def test_an_unknown_backbone_is_named_with_the_known():
    with pytest.raises(
        InputError, match=r"image\.backbone: got 'resnet18'; known: .*packaged/efficientnet_lite0"
    ):
        load_backbone("resnet18", "pooled")
