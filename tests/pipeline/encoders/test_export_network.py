import json
import shutil
from functools import partial

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from pipeline.core.errors import InputError
from pipeline.encoders import export_network as module
from pipeline.encoders.export_network import NetworkParts, copy_tokenizer, export_network
from pipeline.encoders.text.sentence import Encoder, Settings
from pipeline.encoders.text_network import TextFacts, TextNetwork

HOW = {"input": "text", "batch_size": 2, "device": "cpu", "precision": "fp32"}
TEXTS = ["Red Shirt", "blue hats with silk, size 38", "wool", "word " * 500]


def library(model):
    """The encoder with its library loaded."""
    return Encoder(Settings(model=str(model), **HOW))


def export(encoder, folder):
    return export_network(
        folder,
        encoder._parts,
        lambda network: network.encode(module.TEXTS, 2),
        partial(encoder._encode, module.TEXTS),
    )


def changed(folder, tmp_path, name, change):
    """A model of a folder with other settings in one of its files."""
    made = tmp_path / "changed"
    shutil.copytree(folder, made)
    path = made / name
    content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    path.write_text(json.dumps({**content, **change}), encoding="utf-8")
    return made


def test_the_packaged_models_network_gives_what_the_library_gives(tmp_path):
    encoder = library("packaged/all_minilm_l6_v2")
    network = export(encoder, tmp_path)
    assert network is not None
    assert (network.facts.prefix, network.facts.dimension) == ("", 384)
    assert np.abs(network.encode(TEXTS, 2) - encoder.encode(TEXTS)).max() < 1e-5
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["network.onnx", "network.weights", "tokenizer.json"]
    # The graph alone is read as a whole by every start.
    assert (tmp_path / "network.onnx").stat().st_size < 1_000_000


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
    folder = changed(sentence_model, tmp_path, name, change)
    network = export(library(folder), tmp_path / "out")
    assert network is not None
    wanted = SentenceTransformer(str(folder), device="cpu").encode(TEXTS)
    assert np.abs(network.encode(TEXTS, 3) - wanted).max() < 1e-5


def test_a_network_that_differs_from_the_library_is_not_kept(sentence_model, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TOLERANCE", -1.0)
    assert export(library(sentence_model), tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_cannot_be_traced_is_left_to_the_library(
    sentence_model, tmp_path, monkeypatch
):
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("unknown operation")

    monkeypatch.setattr(module.torch.onnx, "export", refuse)
    assert export(library(sentence_model), tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_graph_that_cannot_be_read_is_not_kept(sentence_model, tmp_path, monkeypatch):
    def damaged(folder: object, facts: object) -> None:
        raise InputError(f"{folder}: damaged text model")

    monkeypatch.setattr(module, "TextNetwork", damaged)
    assert export(library(sentence_model), tmp_path) is None
    assert list(tmp_path.iterdir()) == []


class _OneByOne(torch.nn.Module):
    """Traced as what it does to the example: it makes two rows of the examples' tokens."""

    def forward(self, token_BL):
        return torch.zeros(2, 3) + token_BL.float().mean(1, keepdim=True)


def test_what_onnx_runtime_refuses_to_run_is_not_kept(sentence_model, tmp_path):
    # Five texts do not fit on two rows, which the library behind it would have said too.
    fast = copy_tokenizer(library(sentence_model)._model.tokenizer)
    fast.enable_padding()
    parts = NetworkParts(_OneByOne(), ("token",), fast, TextFacts(dimension=3))
    said = []

    def encode_by(network: TextNetwork) -> np.ndarray:
        try:
            return network.encode(module.TEXTS, len(module.TEXTS))
        except Exception as error:
            said.append(type(error).__module__)
            raise

    wanted = partial(np.zeros, (len(module.TEXTS), 3))
    assert export_network(tmp_path, lambda: parts, encode_by, wanted) is None
    assert said[0].startswith("onnxruntime")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("is_folder", [True, False])
def test_a_model_without_a_token_to_fill_up_with_is_left_to_the_library(
    sentence_model, tmp_path, is_folder
):
    encoder = library(sentence_model)
    encoder._model.tokenizer.pad_token = None
    folder = tmp_path / "encoder"
    folder.mkdir() if is_folder else folder.touch()
    assert export(encoder, folder) is None
    assert list(tmp_path.rglob("*")) == [folder]


def test_a_folder_that_cannot_be_written_to_is_an_error(sentence_model, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        export(library(sentence_model), tmp_path / "file")


def test_the_model_itself_stays_as_it_was(sentence_model, tmp_path):
    encoder = library(sentence_model)
    before = encoder.encode(TEXTS)
    tokenizer = encoder._model.tokenizer.backend_tokenizer
    state = tokenizer.to_str()
    encoder._write_network(tmp_path)
    assert tokenizer.to_str() == state
    assert np.array_equal(encoder.encode(TEXTS), before)
