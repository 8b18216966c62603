import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pipeline.core.errors import InputError
from pipeline.features.encoder_digest import KEY, encoder_digest
from pipeline.image_features.network_file import save_network
from pipeline.image_features.versions import decisive_versions
from pipeline.model.model_file import load_model
from pipeline.use.raw_features import RawFeatures
from tests.feature_tables import read_vectors

RED = Image.new("RGB", (30, 20), "red")


@pytest.fixture(scope="module")
def features(finished_project):
    folder = finished_project.root / "data" / "model"
    return RawFeatures(folder, load_model(folder).recipe, pytest.fail)


@pytest.fixture(scope="module")
def items(finished_project):
    return pd.read_parquet(finished_project.root / "data/catalog/items.parquet").iloc[::20]


def test_texts_get_the_features_of_the_text_stage(finished_project, features, items):
    ids, vector_NT = read_vectors(finished_project.root / "data/features/text.parquet", "glove")
    rows = pd.Index(ids).get_indexer(items["item_id"])
    found_NT, reasons = features.texts(items["text"].tolist())
    assert reasons == [None] * len(items)
    assert np.abs(found_NT - vector_NT[rows]).max() < 1e-6


def test_pictures_get_the_features_of_the_image_stage(finished_project, features, items):
    ids, vector_NI = read_vectors(finished_project.root / "data/features/image.parquet", "vector")
    rows = pd.Index(ids).get_indexer(items["item_id"])
    folder = finished_project.root / "data/raw/openmoji/images"
    found_NI, reasons = features.images([folder / name for name in items["image"]])
    assert reasons == [None] * len(items)
    assert np.abs(found_NI - vector_NI[rows]).max() < 1e-5 * np.abs(vector_NI).max()


def test_a_picture_that_cannot_be_used_has_a_reason_and_the_others_their_features(
    features, tmp_path
):
    (tmp_path / "broken.png").write_bytes(b"x")
    good = Image.new("RGB", (30, 20), "red")
    found_NI, reasons = features.images([tmp_path / "broken.png", good, tmp_path / "gone.png"])
    assert reasons[0] == "not a picture in a known format"
    assert reasons[1:] == [None, "file not found"]
    assert np.isfinite(found_NI).all(axis=1).tolist() == [False, True, False]


def test_other_versions_of_packages_are_told_once_and_only_for_pictures(features, tmp_path):
    made = features.recipe["image"] | {"versions": "pillow 1.0, onnxruntime 1.0"}
    said = []
    other = RawFeatures(features.folder, features.recipe | {"image": made}, said.append)
    other.texts(["red heart"])
    assert said == []
    for _ in range(2):
        _, reasons = other.images([Image.new("RGB", (30, 20), "red")])
        assert reasons == [None]
    (line,) = said
    assert "were made with pillow 1.0, onnxruntime 1.0, here is pillow" in line


def test_the_networks_own_file_is_run_and_no_backbone_is_loaded(features, monkeypatch):
    monkeypatch.setattr("pipeline.image_features.load_backbone.load_backbone", pytest.fail)
    monkeypatch.setattr("torch.onnx.export", pytest.fail)
    fresh = RawFeatures(features.folder, features.recipe, pytest.fail)
    assert fresh.images([RED])[1] == [None]


@pytest.fixture
def model(features, tmp_path):
    """A copy of the model's folder."""
    return Path(shutil.copytree(features.folder, tmp_path / "model"))


def test_a_model_of_an_earlier_version_works_and_says_once_that_it_is_slower(features, model):
    shutil.rmtree(model / "image_encoder")
    image = {key: value for key, value in features.recipe["image"].items() if key != KEY}
    said = []
    earlier = RawFeatures(model, features.recipe | {"image": image}, said.append)
    for _ in range(2):
        found_NI, reasons = earlier.images([RED])
    assert reasons == [None]
    expected_NI = features.images([RED])[0]
    assert np.abs(found_NI - expected_NI).max() < 1e-5 * np.abs(expected_NI).max()
    (line,) = said
    assert line.endswith("slower; run image_features and train again")


def test_a_model_whose_pictures_torch_ran_works_and_says_once_that_it_is_slower(features, model):
    save_network(model / "image_encoder", None)
    noted = {KEY: encoder_digest(model / "image_encoder")}
    versions = decisive_versions("torch")
    image = features.recipe["image"] | noted | {"runtime": "torch", "versions": versions}
    said = []
    by_torch = RawFeatures(model, features.recipe | {"image": image}, said.append)
    for _ in range(2):
        found_NI, reasons = by_torch.images([RED])
    assert reasons == [None]
    assert np.abs(found_NI - features.images([RED])[0]).max() < 1e-4
    (line,) = said
    assert "slower; set image.runtime to onnxruntime, run image_features and train again" in line


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-1] + b"x"),
        lambda path: path.unlink(),
        lambda path: save_network(path.parent, __file__),
    ],
    ids=["damaged", "missing", "of another model"],
)
def test_a_network_that_is_not_the_models_is_refused(features, model, change):
    change(model / "image_encoder" / "network.onnx")
    with pytest.raises(InputError, match=r"image_encoder: not the encoder that .* train again"):
        RawFeatures(model, features.recipe, pytest.fail).images([RED])


def test_nothing_gives_nothing(features):
    found_NI, reasons = features.images([])
    found_NT, why = features.texts([])
    assert len(found_NI) == len(reasons) == len(found_NT) == len(why) == 0


def test_the_encoder_of_another_model_is_refused(finished_project, tmp_path):
    """As stage train leaves the folder if it is killed before it copies the encoder."""
    folder = tmp_path / "model"
    shutil.copytree(finished_project.root / "data" / "model", folder)
    features = RawFeatures(folder, load_model(folder).recipe, pytest.fail)
    words = folder / "text_encoder" / "glove" / "words.json"
    words.write_text(words.read_text(encoding="utf-8").replace('"red"', '"crimson"'))
    with pytest.raises(InputError, match=r"not the encoder .* train again"):
        features.texts(["red heart"])
