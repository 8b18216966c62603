import json
import shutil

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file

from huse import Huse
from pipeline.use.network import TowersNetwork


@pytest.fixture
def folder(project):
    """The model of a project of the test's own."""
    return project.root / "data" / "model"


@pytest.fixture
def model(folder):
    return Huse.load(folder, warn=pytest.fail)


@pytest.fixture
def items(project):
    """That model's catalogue."""
    return pd.read_parquet(project.root / "data" / "catalog" / "items.parquet")


@pytest.fixture(scope="session")
def picture_names(picture_folder):
    return sorted(path.name for path in picture_folder.iterdir())[:3]


@pytest.fixture
def table(tmp_path, picture_names):
    """Rows with both, with a text, with a picture, and four that cannot be used."""
    first, second, _ = picture_names
    path = tmp_path / "new.csv"
    rows = [
        f"{first},red heart",
        ",blue heart",
        f"./{second},",
        "nowhere.png,green heart",
        ",",
        f"{first},one,too many",
        "../params.yaml,black heart",
    ]
    path.write_text("\n".join(["image,text", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def asked_of_the_towers(monkeypatch):
    """The outputs that each pass over items asked for."""
    asked = []
    run = TowersNetwork.__call__

    def counted(self, image_NI, text_NF, outputs):
        asked.append(outputs)
        return run(self, image_NI, text_NF, outputs)

    monkeypatch.setattr(TowersNetwork, "__call__", counted)
    return asked


@pytest.fixture(scope="session")
def overflowing_model(finished_project, tmp_path_factory):
    """Folder of the trained model with a text encoder whose vector of `red` is not finite."""
    folder = tmp_path_factory.mktemp("overflowing") / "model"
    shutil.copytree(finished_project.root / "data" / "model", folder)
    glove = folder / "text_encoder" / "glove"
    tensors = load_file(glove / "encoder.safetensors")
    red = json.loads((glove / "words.json").read_text(encoding="utf-8")).index("red")
    tensors["vectors"][red, 3] = np.inf
    save_file(tensors, glove / "encoder.safetensors")
    described = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    # As in a model of an earlier version, which does not tell its encoder.
    del described["recipe"]["text"]["encoder_digest"]
    (folder / "model.json").write_text(json.dumps(described), encoding="utf-8")
    return folder
