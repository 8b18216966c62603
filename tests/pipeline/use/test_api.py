import shutil
import traceback
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from huse import Huse
from pipeline.core.errors import InputError
from pipeline.core.table import read_table
from pipeline.model.model_file import load_model, save_model
from pipeline.model.onnx_file import export_onnx
from pipeline.use.added_classes import add_class

PICTURES = Path("data/raw/openmoji/images")


@pytest.fixture(scope="module")
def model(finished_project):
    return Huse.load(finished_project.root / "data" / "model")


@pytest.fixture(scope="module")
def items(finished_project):
    """A few items with their stored embeddings, by modality."""
    embedded = pd.read_parquet(finished_project.root / "data/evaluate/embeddings.parquet")
    table = read_table(
        finished_project.root / "data/catalog/items.parquet", ["item_id", "image", "text"]
    )
    some = table[table["item_id"].isin(embedded["item_id"])].iloc[::8]
    vectors = {
        modality: np.stack(rows.set_index("item_id").loc[some["item_id"], "vector"])
        for modality, rows in embedded.groupby("modality")
    }
    return some, vectors


@pytest.fixture
def pictures(finished_project, items):
    return [finished_project.root / PICTURES / name for name in items[0]["image"]]


def test_catalogue_items_get_the_vectors_of_the_evaluate_stage(model, items, pictures):
    some, vectors = items
    found = model.embed(pictures, some["text"].tolist())
    for modality, matrix in found.modalities.items():
        assert matrix.dtype == np.float32
        assert np.abs(matrix - vectors[modality]).max() < 1e-5


def test_pictures_may_be_names_paths_or_decoded(model, pictures):
    with Image.open(pictures[0]) as image:
        found = model.embed(images=[str(pictures[0]), pictures[0], image])
    assert np.abs(found.image_ND - found.image_ND[0]).max() < 1e-6
    names = [str(pictures[0]), [str(pictures[0]), "nowhere.png"], "nowhere.png"]
    features, reasons = model.read_features(names, [None] * 3, lambda lost: None)
    assert reasons == ["", "", "nowhere.png: file not found"]
    assert np.array_equal(features.image_PI[0], features.image_PI[1])


def test_images_and_texts_may_be_missing_by_item(model, items, pictures):
    some, vectors = items
    texts = some["text"].tolist()
    found = model.embed([pictures[0], None, pictures[2]], [texts[0], texts[1], None])
    assert np.abs(found.fused_ND[0] - vectors["fused"][0]).max() < 1e-5
    assert np.abs(found.fused_ND[1] - vectors["text"][1]).max() < 1e-5
    assert np.abs(found.fused_ND[2] - vectors["image"][2]).max() < 1e-5


def test_pictures_alone_need_no_text_encoder(finished_project, items, pictures, tmp_path):
    shutil.copytree(finished_project.root / "data" / "model", tmp_path / "model")
    shutil.rmtree(tmp_path / "model" / "text_encoder")
    found = Huse.load(tmp_path / "model").embed(pictures[:2])
    assert np.abs(found.fused_ND - items[1]["image"][:2]).max() < 1e-5


def test_an_item_finds_itself(model, items, pictures):
    some, _ = items
    hits = model.search(model.embed(pictures, some["text"].tolist()), k=3)
    assert [found[0].item_id for found in hits] == some["item_id"].tolist()
    assert all(found[0].distance == pytest.approx(0, abs=1e-5) for found in hits)
    assert [len(found) for found in hits] == [3] * len(hits)


def test_only_what_an_expression_is_true_of_is_found(model):
    items = model.index.items
    v = model.embed(texts=[items["text"].iloc[0]])
    names = items["item_id"].iloc[:3].tolist()
    where = f"item_id in {names!r}"
    for query in (v, v.fused_ND):
        (hits,) = model.search(query, k=5, where=where)
        assert {hit.item_id for hit in hits} == set(names)
    with pytest.raises(InputError, match="where: no column 'price'"):
        model.search(v, where="price < 5")


def test_a_class_is_predicted_with_its_probability(model, items, pictures):
    predictions = model.classify(model.embed(pictures), k=2)
    paths = {model.class_tree.path_J[node] for node in model.class_tree.class_node_K}
    for prediction in predictions:
        first, second = prediction.top
        assert {first.path, second.path} <= paths
        assert 1 >= first.probability >= second.probability >= 0
    with pytest.raises(ValueError, match="k of at least 1"):
        model.classify(model.embed(pictures), k=0)
    with pytest.raises(ValueError, match="shares"):
        model.classify(model.embed(pictures), precision=1)


def test_items_are_filed_by_the_thresholds_of_what_they_have(shipped_project):
    """A picture alone has to be more certain of itself, or less, than both together."""
    model = Huse.load(shipped_project.root / "data" / "model")
    table = pd.read_parquet(shipped_project.root / "data/catalog/items.parquet").iloc[::9]
    pictures = [shipped_project.root / PICTURES / name for name in table["image"]]
    texts = table["text"].tolist()
    for modality, v in (
        ("image", model.embed(pictures)),
        ("text", model.embed(None, texts)),
        ("fused", model.embed(pictures, texts)),
    ):
        fitted = model.filing.thresholds(modality, 0.5, 0.5)
        assert any(one.least is not None for one in fitted), "the sample is large enough"
        found = model.classify(v, precision=0.5, confidence=0.5)
        assert {one.state for one in found} & {"filed", "filed above"}
        for one in found:
            levels = [] if one.filed is None else [one.filed.path.count("<") + 1]
            for level in levels:
                assert one.filed.probability >= fitted[level - 1].least
    # A precision that no validation split of this size can speak for.
    strict = model.classify(v, precision=0.999, confidence=0.95)
    assert {one.state for one in strict} == {"review"}


def test_pictures_and_texts_alone_are_one_array(model, items, pictures):
    some, vectors = items
    for found, modality in (
        (model.encode_image(pictures), "image"),
        (model.encode_text(some["text"].tolist()), "text"),
    ):
        assert found.dtype == np.float32
        assert np.abs(found - vectors[modality]).max() < 1e-5
    for nothing in (model.encode_image([]), model.encode_text([])):
        assert (nothing.shape, nothing.dtype) == ((0, found.shape[1]), np.float32)
    with pytest.raises(ValueError, match="texts: give a list"):
        model.encode_text("sad cat")


def test_probabilities_have_a_column_per_class(model, items, pictures):
    images, texts = [pictures[0], None, pictures[2]], [*items[0]["text"].iloc[:2], None]
    probability_NC = model.predict_proba(images, texts)
    assert probability_NC.shape == (3, len(model.classes_))
    assert probability_NC.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    best = [one.top[0] for one in model.classify(model.embed(images, texts), k=1)]
    assert model.predict(images, texts).tolist() == [one.path for one in best]
    assert probability_NC.max(axis=1) == pytest.approx([one.probability for one in best], abs=1e-6)
    assert model.predict_proba(texts=[]).shape == (0, len(model.classes_))
    with pytest.raises(InputError, match="item 0: text is empty"):
        model.predict(texts=[" "])


def test_an_added_class_is_the_last_column(finished_project, tmp_path):
    shutil.copytree(finished_project.root / "data" / "model", tmp_path / "model")
    trained = Huse.load(tmp_path / "model")
    add_class(trained, "Food & Drink<cheese", [trained.embed(texts=["cheese wedge"])], "again")
    model = Huse.load(tmp_path / "model")
    assert model.classes_.tolist() == [*trained.classes_, "Food & Drink<cheese"]
    probability_NC = model.predict_proba(texts=["cheese wedge"])
    assert probability_NC.shape == (1, len(model.classes_))
    assert probability_NC[0, -1] > 0


@pytest.mark.parametrize(
    ("images", "texts", "message"),
    [
        (None, None, "give images, texts or both"),
        (["a.png"], ["one", "two"], "1 images and 2 texts"),
        ("a.png", None, "images: give a list"),
        (None, "sad cat", "texts: give a list"),
        ([["a.png", None]], None, "item 0: NoneType in place of a picture"),
        (None, ["cat", ["sad", "dog"]], "item 1: list in place of a text"),
    ],
)
def test_slips_of_a_programmer_are_told(model, images, texts, message):
    with pytest.raises(ValueError, match=message):
        model.embed(images, texts)


@pytest.mark.parametrize(
    ("image", "text", "message"),
    [
        ("nowhere.png", None, r"item 1: nowhere\.png: file not found"),
        (None, " \n", "item 1: text is empty"),
        (None, None, "item 1: no image and no text"),
    ],
)
def test_an_item_that_cannot_be_used_is_named(model, image, text, message):
    with pytest.raises(InputError, match=message):
        model.embed([None, image], ["cat", text])


def test_a_text_whose_features_are_not_finite_is_named_and_the_others_are_embedded(
    model, overflowing_model, pictures
):
    broken = Huse.load(overflowing_model)
    reason = "features of the text are not finite (glove); write it otherwise"
    texts = ["blue heart", "red heart", None]
    features, reasons = broken.read_features([None, pictures[1], pictures[2]], texts)
    assert reasons == ["", reason, ""]
    expected = model.embed([None, pictures[2]], ["blue heart", None])
    assert np.allclose(
        broken.embed_features(features).fused_ND, expected.fused_ND, rtol=0, atol=1e-6
    )
    with pytest.raises(InputError, match=r"^item 1: features of the text are not finite \(glove\)"):
        broken.embed(texts=texts[:2])


def test_texts_without_a_known_word_are_near_nothing(model, items):
    """Such a text is told even where there are too few validation items for a limit."""
    known, unknown = model.near(model.embed(texts=[items[0]["text"].iloc[0], "xyzzyx"]))
    assert (known.near, known.limit) == (None, None)
    assert known.distance == pytest.approx(0, abs=1e-3)
    assert (unknown.near, unknown.distance) == (False, None)


def test_an_index_of_another_model_is_refused(finished_project, tmp_path):
    data = finished_project.root / "data"
    shutil.copytree(data / "model", tmp_path / "model")
    shutil.copytree(data / "index", tmp_path / "index")
    stored = load_model(tmp_path / "model")
    torch.nn.init.zeros_(stored.model.classifiers[0].weight)
    # As a model that was only just made: it knows no earlier digest.
    other = replace(stored, noted_digest=None)
    save_model(tmp_path / "model", other)
    export_onnx(other, tmp_path / "model" / "towers.onnx")
    model = Huse.load(tmp_path / "model")
    with pytest.raises(InputError, match="made by another model"):
        model.search(model.embed(texts=["cat"]))


def test_the_place_of_the_index_may_be_given(finished_project, tmp_path):
    folder = finished_project.root / "data" / "model"
    model = Huse.load(folder, index=tmp_path)
    with pytest.raises(InputError, match="no index here; run dvc repro"):
        model.search(model.embed(texts=["cat"]))


def test_a_model_that_is_not_there_is_one_error(tmp_path):
    with pytest.raises(InputError, match=r"model\.json: not found") as caught:
        Huse.load(tmp_path / "model")
    printed = "".join(traceback.format_exception(caught.value))
    assert printed.count("Traceback") == 1
    assert "FileNotFoundError" not in printed
