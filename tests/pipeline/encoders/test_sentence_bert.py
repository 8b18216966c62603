import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.encoders.find_model import locate_model
from pipeline.encoders.pretrained import weights_digest
from pipeline.encoders.sentence_bert import load_sentence_bert
from pipeline.encoders.text.sentence import Encoder, Settings

MODEL = "packaged/all_minilm_l6_v2"
TEXTS = ["sad cat", "Chloé's  long-sleeved, BLACK dress (size 38)", "x", "word " * 400]


@pytest.fixture(scope="module")
def reference():
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(locate_model(MODEL), device="cpu")


def test_it_gives_what_the_library_gives(reference):
    model = load_sentence_bert(Path(locate_model(MODEL)))
    assert model is not None
    wanted_ME = reference.encode(TEXTS)
    assert np.abs(model.encode(TEXTS) - wanted_ME).max() < 1e-5
    assert model.dimension == wanted_ME.shape[1]
    assert model.digest == weights_digest(reference)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("config.json", {"model_type": "mpnet"}),
        ("config.json", {"hidden_act": "relu"}),
        ("config.json", {"position_embedding_type": "relative_key"}),
        ("1_Pooling/config.json", {"pooling_mode_cls_token": True}),
        ("sentence_bert_config.json", {"max_seq_length": None}),
        ("config_sentence_transformers.json", {"default_prompt_name": "query"}),
        ("modules.json", None),
    ],
)
def test_another_shape_is_left_to_the_library(tmp_path, name, change):
    folder = tmp_path / "model"
    shutil.copytree(locate_model(MODEL), folder)
    content = json.loads((folder / name).read_text(encoding="utf-8"))
    content = content[:1] if change is None else {**content, **change}
    (folder / name).write_text(json.dumps(content), encoding="utf-8")
    assert load_sentence_bert(folder) is None
    (folder / "modules.json").unlink()
    assert load_sentence_bert(folder) is None


def test_a_stored_encoder_gives_the_features_it_was_stored_with(tmp_path):
    how = {"input": "text", "batch_size": 2, "device": "cpu", "precision": "fp32"}
    fitted = Encoder(Settings(model=MODEL, **how))
    fitted.save(tmp_path)
    loaded = Encoder.load(tmp_path)
    texts = ["", *TEXTS, " "]
    found = loaded.encode(texts)
    assert np.abs(found - fitted.encode(texts)).max() < 1e-5
    assert not found[[0, -1]].any()
    assert loaded.encode([""]).shape == (1, found.shape[1])
    assert loaded.fingerprint == fitted.fingerprint
