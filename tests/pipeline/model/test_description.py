import json
from dataclasses import MISSING, fields
from typing import get_type_hints

import pytest

from pipeline.core.errors import InputError
from pipeline.model.description import ModelFile, read_description
from pipeline.model.fusion import Fusion
from pipeline.model.model_file import StoredModel, save_model
from pipeline.model.towers import TowersConfig
from tests.fresh_process import modules_after

FUSION = Fusion(0.3, image_temperature=1.5, text_temperature=0.7, fused_temperature=2.0)
CLASSES = {
    "label": "path",
    "separator": "<",
    "classes": [{"name": name, "parts": [name], "count": 1} for name in ("a", "b", "c")],
}
RECIPE = {"image": {"backbone": "b"}, "text": {"recipe": "letters"}}


@pytest.fixture
def folder(make_model, tmp_path):
    save_model(tmp_path, StoredModel(make_model(), FUSION, CLASSES, RECIPE))
    return tmp_path


def test_everything_but_the_weights_is_told(folder):
    found = read_description(folder)
    written = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    assert found.dimension == found.config["dim"] == 8
    assert (found.classes, found.recipe) == (CLASSES, RECIPE)
    assert found.fusion["image_temperature"] == 1.5
    assert found.digest == written["weights_digest"]


@pytest.mark.parametrize(("key", "made"), [("config", TowersConfig), ("fusion", Fusion)])
def test_what_a_file_is_checked_for_are_the_fields_of_what_is_made_of_it(key, made):
    checked = get_type_hints(ModelFile)[key]
    assert get_type_hints(checked) == get_type_hints(made)
    # Every version has written the vocabulary's size, also where it was none.
    needed = {"text_words"} & {one.name for one in fields(made)}
    needed |= {one.name for one in fields(made) if one.default is MISSING}
    assert checked.__required_keys__ == needed


def test_weights_of_another_model_are_refused(folder):
    (folder / "model.safetensors").write_bytes(b"other")
    with pytest.raises(InputError, match=r"not the weights that model\.json was written with"):
        read_description(folder)


def test_a_model_without_weights_is_damaged(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"damaged model .*train again"):
        read_description(folder)


def test_torch_is_not_imported():
    assert "torch" not in modules_after("import pipeline.model.description")
