import json
import shutil

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from pipeline.core.errors import InputError
from pipeline.encoders import export_sentence as module
from pipeline.encoders.export_sentence import export_sentence
from pipeline.encoders.find_model import locate_model

TEXTS = ["Red Shirt", "blue hats with silk, size 38", "wool", "word " * 500]


def changed(folder, tmp_path, name, change):
    """A model of a folder with other settings in one of its files."""
    made = tmp_path / "changed"
    shutil.copytree(folder, made)
    content = json.loads((made / name).read_text(encoding="utf-8"))
    (made / name).write_text(json.dumps({**content, **change}), encoding="utf-8")
    return SentenceTransformer(str(made), device="cpu")


def test_the_packaged_models_network_gives_what_the_library_gives(tmp_path):
    model = SentenceTransformer(locate_model("packaged/all_minilm_l6_v2"), device="cpu")
    network = export_sentence(model, tmp_path)
    assert network is not None
    assert (network.facts.prefix, network.facts.dimension) == ("", 384)
    assert np.abs(network.encode(TEXTS, 2) - model.encode(TEXTS)).max() < 1e-5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["network.onnx", "tokenizer.json"]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (
            "config_sentence_transformers.json",
            {"prompts": {"q": "ask: "}, "default_prompt_name": "q"},
        ),
        ("sentence_bert_config.json", {"max_seq_length": 5}),
        ("sentence_bert_config.json", {"do_lower_case": True}),
    ],
)
def test_what_a_model_does_to_a_text_before_its_tokens_is_done(
    sentence_model, tmp_path, name, change
):
    if not (sentence_model / name).is_file():
        (tmp_path / "whole").mkdir()
        sentence_model = shutil.copytree(sentence_model, tmp_path / "whole" / "model")
        (sentence_model / name).write_text("{}", encoding="utf-8")
    model = changed(sentence_model, tmp_path, name, change)
    network = export_sentence(model, tmp_path / "out")
    assert network is not None
    assert np.abs(network.encode(TEXTS, 3) - model.encode(TEXTS)).max() < 1e-5


def test_a_network_that_differs_from_the_library_is_not_kept(sentence_model, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TOLERANCE", -1.0)
    model = SentenceTransformer(str(sentence_model), device="cpu")
    assert export_sentence(model, tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_cannot_be_traced_is_left_to_the_library(
    sentence_model, tmp_path, monkeypatch
):
    model = SentenceTransformer(str(sentence_model), device="cpu")

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("unknown operation")

    monkeypatch.setattr(module.torch.onnx, "export", refuse)
    assert export_sentence(model, tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_graph_that_cannot_be_read_is_not_kept(sentence_model, tmp_path, monkeypatch):
    model = SentenceTransformer(str(sentence_model), device="cpu")

    def damaged(folder: object, facts: object) -> None:
        raise InputError(f"{folder}: damaged text model")

    monkeypatch.setattr(module, "TextNetwork", damaged)
    assert export_sentence(model, tmp_path) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("is_folder", [True, False])
def test_a_model_without_a_token_to_fill_up_with_is_left_to_the_library(
    sentence_model, tmp_path, is_folder
):
    model = SentenceTransformer(str(sentence_model), device="cpu")
    model.tokenizer.pad_token = None
    folder = tmp_path / "encoder"
    folder.mkdir() if is_folder else folder.touch()
    assert export_sentence(model, folder) is None
    assert list(tmp_path.rglob("*")) == [folder]


def test_a_folder_that_cannot_be_written_to_is_an_error(sentence_model, tmp_path):
    model = SentenceTransformer(str(sentence_model), device="cpu")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        export_sentence(model, tmp_path / "file")


def test_the_model_itself_stays_as_it_was(sentence_model, tmp_path):
    model = SentenceTransformer(str(sentence_model), device="cpu")
    before = model.encode(TEXTS)
    export_sentence(model, tmp_path)
    assert np.array_equal(model.encode(TEXTS), before)
