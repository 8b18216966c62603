import hashlib
import json
from copy import deepcopy
from dataclasses import asdict

import pandas as pd
import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.core.table import write_table
from pipeline.model.fusion import Fusion
from pipeline.model.model_file import StoredModel, check_features, load_model, save_model

FUSION = Fusion(0.3, image_temperature=1.5, text_temperature=0.7, fused_temperature=1.0)
CLASSES = {
    "label": "path",
    "separator": "<",
    "classes": [{"name": name, "parts": [name], "count": 1} for name in ("a", "b", "Chloé")],
}
RECIPE = {"image": {"backbone": "packaged/efficientnet_lite0"}, "text": {"recipe": "letters"}}


@pytest.fixture
def stored(make_model, make_pairs):
    model = make_model()
    pairs = make_pairs(20)
    model.standardise(pairs.image_NI, pairs.text_NT)
    return StoredModel(model, FUSION, CLASSES, RECIPE)


@pytest.fixture
def folder(stored, tmp_path):
    save_model(tmp_path / "model", stored)
    return tmp_path / "model"


def damage(folder, **changed):
    path = folder / "model.json"
    description = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**description, **changed}), encoding="utf-8")


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"fusion": "concat"},
        {"classifier": "per_modality", "logit_scale": "none"},
        {"image_layers": 1},
    ],
)
def test_a_loaded_model_gives_the_same_bits(make_model, make_pairs, tmp_path, changed):
    model, pairs = make_model(**changed), make_pairs(20)
    model.standardise(pairs.image_NI, pairs.text_NT)
    save_model(tmp_path, StoredModel(model, FUSION, CLASSES, RECIPE))
    loaded = load_model(tmp_path)
    assert not loaded.model.training
    before = model(pairs.image_NI, pairs.text_NT)
    after = loaded.model(pairs.image_NI, pairs.text_NT)
    for one, other in zip(before, after, strict=True):
        assert one is other is None or torch.equal(one, other)
    assert (loaded.fusion, loaded.classes, loaded.recipe) == (FUSION, CLASSES, RECIPE)
    assert loaded.model.config == model.config


def test_the_same_model_gives_the_same_bytes(stored, folder, tmp_path):
    save_model(tmp_path / "again", stored)
    assert sorted(path.name for path in folder.iterdir()) == ["model.json", "model.safetensors"]
    for path in folder.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def test_a_model_from_a_newer_program_is_refused(folder):
    damage(folder, format_version=99)
    with pytest.raises(InputError, match=r"model\.json: format version 99, .*update the program"):
        load_model(folder)


def test_a_model_from_an_older_program_or_without_a_version_is_refused(folder):
    damage(folder, format_version=0)
    with pytest.raises(InputError, match=r"format version 0, this program reads \d+; train again"):
        load_model(folder)
    for content in ('{"config": {}}', "[1, 2]", '{"format_version": "1"}'):
        (folder / "model.json").write_text(content, encoding="utf-8")
        with pytest.raises(InputError, match=r"model\.json: damaged \(.*\); train again"):
            load_model(folder)


@pytest.mark.parametrize("name", ["model.json", "model.safetensors"])
def test_a_missing_or_truncated_file_is_refused(folder, name):
    whole = (folder / name).read_bytes()
    for content in (b"", whole[: len(whole) // 2], whole[:-1] if name.endswith("s") else b"{}"):
        (folder / name).write_bytes(content)
        with pytest.raises(InputError, match=str(folder)):
            load_model(folder)
    (folder / name).unlink()
    with pytest.raises(InputError, match=str(folder)):
        load_model(folder)


def test_weights_and_description_must_belong_together(folder, stored, make_model):
    config = asdict(stored.model.config)
    for changed in (
        {"config": {**config, "dim": 16}},
        {"config": {**config, "logit_scale": "none"}},
        {"config": {**config, "colour": "red"}},
        {"config": {"dim": 8}},
        {"fusion": {"weight": 0.5}},
    ):
        save_model(folder, stored)
        damage(folder, **changed)
        with pytest.raises(InputError, match=r"damaged .*train again"):
            load_model(folder)
    save_model(folder, stored)
    assert load_model(folder).fusion == FUSION


def test_weights_of_another_model_of_the_same_sizes_are_told(folder, stored, tmp_path):
    other = deepcopy(stored)
    torch.nn.init.ones_(other.model.classifiers[0].weight)
    save_model(tmp_path / "other", other)
    weights = (tmp_path / "other" / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights)
    with pytest.raises(InputError) as caught:
        load_model(folder)
    assert str(caught.value) == (
        f"{folder / 'model.safetensors'}: not the weights that model.json was written with; a run "
        "was cut off, or the files are of different models: train again"
    )


def test_a_loaded_model_knows_the_digest_of_its_weights(folder, stored):
    weights = (folder / "model.safetensors").read_bytes()
    described = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    loaded = load_model(folder)
    assert hashlib.sha256(weights).hexdigest() == described["weights_digest"]
    assert loaded.digest() == loaded.noted_digest == stored.digest() == described["weights_digest"]


def test_features_that_were_made_otherwise_are_refused(stored, tmp_path):
    path = tmp_path / "image.parquet"
    table = pd.DataFrame({"item_id": ["a"]})
    write_table(path, table, RECIPE["image"])
    check_features(stored.recipe["image"], path, "train")
    for made_by, difference in [
        ({"backbone": "torchvision/resnet18"}, "backbone is torchvision/resnet18"),
        ({}, "backbone is None"),
        ({**RECIPE["image"], "jpeg": "scaled"}, "jpeg is scaled"),
    ]:
        write_table(path, table, made_by)
        line = rf"{path}: {difference}, stage train worked with .*; run stage train again"
        with pytest.raises(InputError, match=line):
            check_features(stored.recipe["image"], path, "train")


def test_the_message_on_a_damaged_model_is_one_short_line(folder, stored):
    damage(folder, config={**asdict(stored.model.config), "image_layers": 3, "dim": 5})
    with pytest.raises(InputError) as caught:
        load_model(folder)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
