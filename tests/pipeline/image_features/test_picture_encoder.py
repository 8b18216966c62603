import errno

import numpy as np
import pytest
from PIL import Image
from torch import nn

from pipeline.core.errors import InputError
from pipeline.image_features.backbone import Backbone
from pipeline.image_features.extract import write_features
from pipeline.image_features.picture_encoder import load_picture_encoder


def test_new_pictures_get_the_vectors_of_the_stage(pictures, run, small, tmp_path):
    names = pictures(5)
    found, files = run(names)
    stored_NI = files.store.read([places[0] for _, places in found.usable])
    encoder = load_picture_encoder(small.recipe.metadata())
    paths = [pictures.folder / name for name in names]
    (tmp_path / "text.jpg").write_text("404")
    opened = Image.open(paths[2])
    vector_NI, reasons = encoder.encode([*paths[:2], tmp_path / "text.jpg", opened, *paths[3:]])
    assert reasons == [None, None, "not a picture in a known format", None, None, None]
    assert np.isnan(vector_NI[2]).all()
    assert np.abs(np.delete(vector_NI, 2, axis=0) - stored_NI).max() < 1e-5
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
    greys = [Image.new("RGB", (9, 9), (n, n, n)) for n in range(7)]
    assert encoder.encode(greys)[0][:, 2].tolist() == [0, 1, 2, 3, 4, 5, 6]


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
    sizes = [one.views(path.read_bytes(), [0], "crop_flip")[0] for one in (exact, scaled)]
    assert sizes == [640 * 480] * 2


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
    assert load_picture_encoder(read_metadata(tmp_path / "x.parquet")).recipe == small.recipe


def test_weights_that_have_changed_are_named(small):
    metadata = small.recipe.metadata() | {"weights_digest": "f" * 64}
    with pytest.raises(InputError, match=r"image\.backbone torchvision/squeezenet1_1: its weights"):
        load_picture_encoder(metadata)


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
