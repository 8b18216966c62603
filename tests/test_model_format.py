"""A reader of saved models written from docs/model_format.md alone: numpy, safetensors, json."""

import hashlib
import json
import re

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from scipy.sparse import csr_matrix

from huse import Huse
from pipeline.features.text_input import MixedText, stored_text
from pipeline.model.fusion import Fusion
from pipeline.model.model_file import StoredModel, load_model, save_model
from pipeline.model.towers import Towers, TowersConfig
from tests.conftest import ROOT

CONFIG = {
    "image_features": 6,
    "text_features": 4,
    "num_classes": 3,
    "dim": 8,
    "image_layers": 3,
    "text_layers": 2,
    "width": 16,
    "dropout": 0.15,
    "logit_scale": "learned",
    "classifier": "shared",
    "fusion": "late",
}
WORDS = 20


def softmax(logits):
    exponent = np.exp(logits - logits.max())
    return exponent / exponent.sum()


def unit(vector):
    return vector / max(np.linalg.norm(vector), 1e-12)


class Reader:
    """What the document says, for one item at a time."""

    def __init__(self, folder):
        self.folder = folder
        self.json = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        assert self.json["format_version"] == 3
        weights = (folder / "model.safetensors").read_bytes()
        assert self.json["weights_digest"] == hashlib.sha256(weights).hexdigest()
        self.tensor = load_file(folder / "model.safetensors")
        self.scale = 1.0
        if self.json["config"]["logit_scale"] == "learned":
            self.scale = float(np.exp(self.tensor["log_scale"]))

    def tower(self, side, feature, words=()):
        t = {name.removeprefix(f"{side}_tower."): x for name, x in self.tensor.items()}
        h = x = (feature - t["mean_F"]) / t["std_F"]
        for n in range(1, self.json["config"][f"{side}_layers"] + 1):
            name = f"{side}_tower.layers.{3 * (n - 1)}"
            h = self.tensor[f"{name}.weight"] @ (h if n == 1 else np.maximum(h, 0))
            h = h + self.tensor[f"{name}.bias"]
            if n == 1 and f"{side}_tower.words.weight" in self.tensor:
                for word, value in words:
                    h = h + t["word_scale"] * value * t["words.weight"][word]
        if "skip.weight" in t:
            h = h + t["skip.weight"] @ x
        for word, value in words if "skip_words.weight" in t else ():
            h = h + t["word_scale"] * value * t["skip_words.weight"][word]
        return unit(h)

    def probabilities(self, image, text):
        config, fusion, t = self.json["config"], self.json["fusion"], self.tensor
        own = config["classifier"] == "per_modality" or config["fusion"] == "concat"
        sides = [
            self.scale * (t[f"classifiers.{n}.weight"] @ embedding)
            for n, embedding in ((0, image), (1 if own else 0, text))
        ]
        if config["fusion"] == "concat":
            bias = [t["bias_K"], t["bias_K"]]
        else:
            bias = [self.scale * t[f"classifiers.{n}.bias"] for n in (0, 1 if own else 0)]
        p_image = softmax((sides[0] + bias[0]) / fusion["image_temperature"])
        p_text = softmax((sides[1] + bias[1]) / fusion["text_temperature"])
        weight = fusion["image_weight"]
        if fusion["rule"] == "late":
            return p_image, p_text, weight * p_image + (1 - weight) * p_text
        if fusion["rule"] == "concat":
            fused_logits = sides[0] + sides[1] + t["bias_K"]
        else:
            fused_logits = weight * (sides[0] + bias[0]) / fusion["image_temperature"]
            fused_logits += (1 - weight) * (sides[1] + bias[1]) / fusion["text_temperature"]
        return p_image, p_text, softmax(fused_logits / fusion["fused_temperature"])

    def glove(self, clean_text):
        folder = self.folder / "text_encoder" / "glove"
        words = json.loads((folder / "words.json").read_text(encoding="utf-8"))
        t = load_file(folder / "encoder.safetensors")
        total, weight_sum = np.zeros(t["vectors"].shape[1]), 0.0
        for word in clean_text.split():
            if word in words:
                place = words.index(word)
                total += t["idf"][place] * t["vectors"][place]
                weight_sum += t["idf"][place]
        return total / weight_sum if weight_sum else total


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"image_layers": 1, "text_layers": 1},
        {"fusion": "concat"},
        {"fusion": "product"},
        {"classifier": "per_modality", "logit_scale": "none"},
        {"text_words": WORDS},
        {"residual": True, "text_layers": 1},
        {"residual": True, "text_words": WORDS, "input_dropout": 0.5},
    ],
)
def test_the_document_is_enough_to_embed_and_classify_from_features(tmp_path, changed):
    torch.manual_seed(0)
    model = Towers(TowersConfig(**{**CONFIG, **changed})).eval()
    image_NI, dense_NT = torch.randn(30, 6) * 3 + 1, torch.randn(30, 4) - 2
    word_NL, weight_NL = torch.randint(WORDS, (30, 3)), torch.rand(30, 3)
    text, stored_NT = dense_NT, dense_NT
    if "text_words" in changed:
        text = MixedText(dense_NT, word_NL, weight_NL)
        words = (weight_NL.numpy().ravel(), word_NL.numpy().ravel(), range(0, 91, 3))
        stored_NT = stored_text(dense_NT.numpy(), csr_matrix(words, shape=(30, WORDS)))
    model.standardise(image_NI, stored_NT)
    for bias in [model.bias_K] if hasattr(model, "bias_K") else []:
        torch.nn.init.normal_(bias)
    fusion = Fusion(
        0.3,
        image_temperature=1.5,
        text_temperature=0.7,
        fused_temperature=2.0,
        rule=model.config.fusion,
    )
    stored = StoredModel(model, fusion, {"classes": []}, {})
    save_model(tmp_path, stored)
    reader = Reader(tmp_path)
    with torch.inference_mode():
        output = model(image_NI, text)
        wanted = fusion.probabilities(output)
    for n in range(5):
        image = reader.tower("image", image_NI[n].numpy())
        words = list(zip(word_NL[n].tolist(), weight_NL[n].tolist(), strict=True))
        described = reader.tower("text", dense_NT[n].numpy(), words)
        assert np.abs(image - output.image_BD[n].numpy()).max() < 1e-5
        assert np.abs(described - output.text_BD[n].numpy()).max() < 1e-5
        for found, modality in zip(
            reader.probabilities(image, described), ("image", "text", "fused"), strict=True
        ):
            assert np.abs(found - wanted[modality][n].numpy()).max() < 1e-5


def test_the_document_is_enough_to_embed_a_text(finished_project):
    folder = finished_project.root / "data" / "model"
    reader, model = Reader(folder), Huse.load(folder)
    described = json.loads((folder / "text_encoder" / "text_encoder.json").read_text())
    assert described["format_version"] == 1
    assert described["blocks"] == {"glove": "clean_text"}
    assert described["cleaning"] == {"recipe": "letters", "fold_accents": True}
    for text in model.index.items["text"].head(5):
        # Function words are in no clean text, so the encoder knows none of them.
        clean = re.sub("[^a-z]+", " ", text.lower())
        found = reader.tower("text", reader.glove(clean))
        assert np.abs(found - model.embed(texts=[text]).text_ND[0]).max() < 1e-5


def test_the_document_names_every_key_and_tensor(finished_project):
    text = (ROOT / "docs" / "model_format.md").read_text(encoding="utf-8")
    stored = load_model(finished_project.root / "data" / "model")
    for name in stored.model.config.__dataclass_fields__:
        assert f"config.{name}`" in text or f"`config.{name}" in text, name
    for name in stored.fusion.__dataclass_fields__:
        assert name in text, name
    for name in stored.model.state_dict():
        assert re.sub(r"\.layers\..*", "", name).split(".")[-1] in text, name
