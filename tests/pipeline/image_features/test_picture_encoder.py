import errno

import numpy as np
import pytest
from PIL import Image
from torch import nn

from pipeline.core.cores import usable_cores
from pipeline.core.errors import InputError
from pipeline.image_features.backbone import Backbone
from pipeline.image_features.extract import write_features
from pipeline.image_features.picture_encoder import PictureEncoder, Square, load_picture_encoder
from pipeline.image_features.runtimes.onnxruntime import OnnxRunner
from tests.fresh_process import modules_after


def test_new_pictures_get_the_vectors_of_the_stage(pictures, run, small, tmp_path):
    names = pictures(5)
    found, files = run(names)
    stored_NI = files.store.read([places[0] for _, places in found.usable])
    encoder = load_picture_encoder(small.recipe.metadata(), small.onnx_file)
    paths = [pictures.folder / name for name in names]
    (tmp_path / "text.jpg").write_text("404")
    opened = Image.open(paths[2])
    vector_NI, reasons = encoder.encode([*paths[:2], tmp_path / "text.jpg", opened, *paths[3:]])
    assert reasons == [None, None, "not a picture in a known format", None, None, None]
    assert np.isnan(vector_NI[2]).all()
    difference = np.abs(np.delete(vector_NI, 2, axis=0) - stored_NI).max()
    assert difference <= 1e-5 * np.abs(stored_NI).max()
    assert encoder.encode([])[0].shape == (0, 512)


def test_pixels_are_normalised_as_the_transform_says(mean_colour, make_encoder):
    encoder = make_encoder(mean_colour, background="#64326e")
    plain = Image.new("RGB", (30, 20), (110, 60, 7))
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    # plain: (110 - 100) / 10, (60 - 50) / 5, (7 - 0) / 1; clear is the background: 100, 50, 110.
    assert encoder.encode([plain, clear])[0].tolist() == [[1, 2, 7], [0, 0, 110]]


@pytest.mark.parametrize("batch_size", [1, 2, 3, 100])
def test_results_come_in_order_for_any_batch_size(mean_colour, make_encoder, batch_size):
    encoder = make_encoder(mean_colour, batch_size=batch_size)
    squares = (Square(n, np.full((8, 8, 3), n, np.uint8)) for n in range(7))
    results = list(encoder.run(squares))
    assert [name for names, _ in results for name in names] == [0, 1, 2, 3, 4, 5, 6]
    assert np.concatenate([row for _, row in results])[:, 2].tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_threads_change_no_vector_and_no_order(pictures, small):
    paths = [pictures.folder / name for name in pictures(40)]
    opened = Image.open(paths[0])
    asked = [*paths[:7], pictures.folder / "gone.png", *paths[7:], opened, opened]
    results = []
    for threads in (1, 4):
        runner = OnnxRunner(small.onnx_file, 1, threads)
        results.append(PictureEncoder(small.recipe, runner).encode(asked))
    (one_NI, reasons), (four_NI, again) = results
    assert reasons == again == [None] * 7 + ["file not found"] + [None] * 35
    assert np.array_equal(one_NI, four_NI, equal_nan=True)
    assert np.array_equal(one_NI[[-2, -1]], one_NI[[0, 0]])


def test_a_picture_is_run_by_itself_and_read_once(pictures, small, monkeypatch):
    """However many are asked for: nothing is filled up, and none waits in memory for others."""
    read, shapes = [], []
    encoder = load_picture_encoder(small.recipe.metadata(), small.onnx_file)
    submit = encoder.runner.submit
    original = type(pictures.folder).read_bytes

    def read_bytes(path):
        # Of as many pictures as there are threads the vector may be on its way.
        assert len(read) - len(shapes) <= encoder.runner.threads
        read.append(path)
        return original(path)

    def counted(pixels_BSS3):
        shapes.append(pixels_BSS3.shape)
        return submit(pixels_BSS3)

    monkeypatch.setattr(type(pictures.folder), "read_bytes", read_bytes)
    monkeypatch.setattr(encoder.runner, "submit", counted)
    paths = [pictures.folder / name for name in pictures(20)]
    encoder.encode(paths)
    assert sorted(read) == sorted(paths)
    assert shapes == [(1, 64, 64, 3)] * 20
    assert encoder.runner.threads == usable_cores()


def test_the_file_of_the_network_is_enough_and_torch_is_not_loaded(pictures, small):
    (name,) = pictures(1)
    code = f"""
from pathlib import Path
from pipeline.image_features.network_file import find_network
from pipeline.image_features.picture_encoder import load_picture_encoder
encoder = load_picture_encoder({small.recipe.metadata()!r}, Path({str(small.onnx_file)!r}))
assert encoder.encode([Path({str(pictures.folder / name)!r})])[1] == [None]
"""
    assert "torch" not in modules_after(code)


def test_too_many_pixels_and_a_cut_picture_are_reasons(mean_colour, make_encoder, tmp_path):
    encoder = make_encoder(mean_colour, max_pixels=100)
    Image.new("RGB", (10, 10), (1, 2, 3)).save(tmp_path / "x.bmp")
    (tmp_path / "cut.bmp").write_bytes((tmp_path / "x.bmp").read_bytes()[:100])
    cut = Image.open(tmp_path / "cut.bmp")
    vector_NI, reasons = encoder.encode([Image.new("L", (11, 10)), cut, tmp_path / "x.bmp"])
    assert reasons[0] == "too many pixels (110, image.max_pixels is 100)"
    assert reasons[1].startswith("broken picture (")
    assert reasons[2] is None
    assert np.isfinite(vector_NI[2]).all()


def test_scaled_jpegs_give_nearly_the_exact_vectors(mean_colour, make_encoder, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    path = tmp_path / "x.jpg"
    Image.fromarray(noise).resize((640, 480), Image.Resampling.BICUBIC).save(path)
    exact, scaled = (make_encoder(mean_colour, jpeg=jpeg) for jpeg in ("exact", "scaled"))
    by_both = [one.encode([path])[0] for one in (exact, scaled)]
    assert not np.array_equal(*by_both)
    # In units of the normalised channels: half a pixel value is 0.05, 0.1 and 0.5.
    assert (np.abs(by_both[0] - by_both[1]) < [[0.05, 0.1, 0.5]]).all()


def test_a_turned_picture_is_seen_upright(mean_colour, make_encoder, tmp_path):
    halves = Image.new("RGB", (8, 8))
    halves.paste((200, 200, 200), (0, 0, 8, 4))
    exif = Image.Exif()
    exif[0x0112] = 6
    halves.save(tmp_path / "turned.png", exif=exif)
    encoder = make_encoder(mean_colour)
    opened, by_path = Image.open(tmp_path / "turned.png"), tmp_path / "turned.png"
    pixels = [encoder._rgb(picture) for picture in (opened, by_path)]
    assert np.array_equal(*map(np.asarray, pixels))
    assert np.asarray(pixels[0])[0, :, 0].tolist() == [0] * 4 + [200] * 4


def test_the_recipe_of_a_features_file_is_enough(pictures, run, small, tmp_path):
    from pipeline.core.table import read_metadata

    found, files = run(pictures(1))
    write_features(tmp_path / "x.parquet", found, files, small.recipe.metadata() | {"views": "1"})
    made_by = read_metadata(tmp_path / "x.parquet")
    for network in (small.onnx_file, None):
        encoder = load_picture_encoder(made_by, network)
        assert encoder.recipe == small.recipe
        vector_NI, _ = encoder.encode([pictures.folder / "0-0.png"])
        stored_NI = files.store.read([found.usable[0][1][0]])
        assert np.abs(vector_NI - stored_NI).max() < 1e-5 * np.abs(stored_NI).max()


def test_weights_that_have_changed_are_named(small):
    metadata = small.recipe.metadata() | {"weights_digest": "f" * 64}
    with pytest.raises(InputError, match=r"image\.backbone torchvision/squeezenet1_1: its weights"):
        load_picture_encoder(metadata, None)


def test_features_that_are_not_finite_are_a_reason(mean_colour, make_encoder):
    network = nn.Sequential(mean_colour.module, _Reciprocal())
    encoder = make_encoder(Backbone(network, mean_colour.transform))
    plain, mean = Image.new("RGB", (8, 8), (110, 60, 1)), Image.new("RGB", (8, 8), (100, 50, 0))
    vector_NI, reasons = encoder.encode([plain, mean, plain])
    assert reasons == [None, "the network's output is not finite", None]
    assert np.isfinite(vector_NI).all(axis=1).tolist() == [True, False, True]
    assert np.isnan(vector_NI[1]).all()


@pytest.mark.parametrize("step", ["load", "getexif", "convert", "resize"])
@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.EMFILE, "Too many open files")])
def test_the_machines_trouble_is_no_fault_of_a_picture(
    mean_colour, make_encoder, monkeypatch, step, error
):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(Image.Image, step, fail)
    with pytest.raises(InputError, match="that is this machine's limit"):
        make_encoder(mean_colour).encode([Image.new("L", (9, 9))])


class _Reciprocal(nn.Module):
    """Infinite where a picture has the mean colour."""

    def forward(self, feature_BI):
        return 1 / feature_BI
