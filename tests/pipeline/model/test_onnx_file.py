import json
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from scipy.sparse import csr_matrix

from pipeline.core.errors import InputError
from pipeline.evaluate.predictions import predict_pairs
from pipeline.features.text_input import MixedText, stored_text
from pipeline.model import onnx_file
from pipeline.model.fusion import Fusion
from pipeline.model.model_file import StoredModel

FUSION = Fusion(0.3, image_temperature=1.5, text_temperature=0.7, fused_temperature=2.0)
CLASSES = {"classes": [{"name": name, "parts": [name]} for name in ("a", "b", "Chloé")]}


@pytest.fixture(
    params=[
        {},
        {"fusion": "concat"},
        {"fusion": "product"},
        {"classifier": "per_modality", "logit_scale": "none"},
        {"residual": True, "input_dropout": 0.5},
    ]
)
def stored(request, make_model, make_pairs):
    model, pairs = make_model(**request.param), make_pairs(30)
    model.standardise(pairs.image_NI, pairs.text_NT)
    return StoredModel(model, replace(FUSION, rule=model.config.fusion), CLASSES, {})


def test_onnxruntime_gives_what_torch_gives(stored, make_pairs, tmp_path):
    path = tmp_path / "model.onnx"
    assert onnx_file.export_onnx(stored, path) < 1e-4
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for count in (1, 7):
        pairs = make_pairs(count, seed=3)
        found = dict(
            zip(
                onnx_file.OUTPUTS,
                session.run(
                    onnx_file.OUTPUTS,
                    {
                        "image_features": pairs.image_NI.numpy(),
                        "text_features": pairs.text_NT.numpy(),
                    },
                ),
                strict=True,
            )
        )
        for modality, wanted in predict_pairs(stored, pairs).items():
            embedding_ND = wanted.embedding_ND.numpy()
            assert np.abs(found[f"{modality}_embedding"] - embedding_ND).max() < 1e-4
            probability_NK = found[f"{modality}_probability"]
            assert np.abs(probability_NK.max(1) - wanted.score_N.numpy()).max() < 1e-4
            assert np.allclose(probability_NK.sum(1), 1, atol=1e-5)


def test_the_file_names_the_classes_and_nothing_of_this_machine(stored, tmp_path):
    onnx_file.export_onnx(stored, tmp_path / "model.onnx")
    content = (tmp_path / "model.onnx").read_bytes()
    assert b".py" not in content
    properties = {
        item.key: item.value for item in onnx.load(tmp_path / "model.onnx").metadata_props
    }
    assert json.loads(properties["classes"]) == ["a", "b", "Chloé"]
    assert properties["weights_digest"] == stored.digest()


def test_a_graph_that_differs_from_torch_is_not_written(stored, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_file, "TOLERANCE", -1.0)
    with pytest.raises(InputError, match="not written: onnxruntime differs from torch"):
        onnx_file.export_onnx(stored, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_the_model_can_still_be_trained(stored, make_pairs, tmp_path):
    onnx_file.export_onnx(stored, tmp_path / "model.onnx")
    pairs = make_pairs(4)
    stored.model(pairs.image_NI, pairs.text_NT).image_BD.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in stored.model.image_tower.parameters())


@pytest.mark.parametrize("residual", [False, True])
def test_a_sparse_part_of_the_text_features_is_an_input(make_model, make_pairs, tmp_path, residual):
    stored = StoredModel(make_model(text_words=50, residual=residual), FUSION, CLASSES, {})
    pairs = make_pairs(6)
    generator = torch.Generator().manual_seed(1)
    word_NL = torch.randint(50, (6, 4), generator=generator)
    weight_NL = torch.rand(6, 4, generator=generator)
    weight_NL[2, 1:] = 0
    words_NV = csr_matrix((weight_NL.numpy().ravel(), word_NL.numpy().ravel(), range(0, 25, 4)))
    stored.model.standardise(pairs.image_NI, stored_text(pairs.text_NT.numpy(), words_NV))
    onnx_file.export_onnx(stored, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    tensors = (pairs.image_NI, pairs.text_NT, word_NL, weight_NL)
    given = {name: x.numpy() for name, x in zip(onnx_file.INPUTS, tensors, strict=True)}
    (found_ND,) = session.run(["text_embedding"], given)
    with torch.inference_mode():
        wanted_ND = stored.model.text_tower(MixedText(pairs.text_NT, word_NL, weight_NL))
    assert np.abs(found_ND - wanted_ND.numpy()).max() < 1e-5
