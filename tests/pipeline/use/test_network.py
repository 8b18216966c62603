import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from pipeline.core.errors import InputError
from pipeline.model.description import OUTPUTS, read_description
from pipeline.model.fusion import Fusion
from pipeline.model.model_file import StoredModel, save_model
from pipeline.model.onnx_file import export_onnx
from pipeline.use import network as module
from pipeline.use.network import copy_network, load_network
from tests.fresh_process import modules_after

FUSION = Fusion(0.3, image_temperature=1.5, text_temperature=0.7, fused_temperature=2.0)
CLASSES = {
    "label": "path",
    "separator": "<",
    "classes": [{"name": name, "parts": [name], "count": 1} for name in "abc"],
}


def store(folder, model):
    stored = StoredModel(model, FUSION, CLASSES, {"image": {}, "text": {}})
    save_model(folder, stored)
    export_onnx(stored, folder / "towers.onnx")
    return folder


@pytest.fixture
def folder(make_model, tmp_path):
    return store(tmp_path / "model", make_model())


def run(folder, warn=pytest.fail, *, text_words=0):
    random = np.random.default_rng(0)
    image_NI = random.normal(size=(7, 6)).astype(np.float32)
    text_NF = random.normal(size=(7, 4)).astype(np.float32)
    if text_words:
        words_NV = csr_matrix(np.eye(7, text_words, dtype=np.float32))
        text_NF = csr_matrix(np.hstack([text_NF, words_NV.toarray()]))
    network = load_network(folder, read_description(folder), warn)
    parts = list(network(image_NI, text_NF, OUTPUTS))
    return parts, {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def test_items_some_at_a_time_get_the_same(folder, monkeypatch):
    _, whole = run(folder)
    monkeypatch.setattr(module, "CHUNK", 3)
    parts, found = run(folder)
    assert [len(part["fused_embedding"]) for part in parts] == [3, 3, 1]
    for name, wanted in whole.items():
        assert np.allclose(found[name], wanted, atol=1e-6)


def test_words_of_texts_are_passed_on(make_model, tmp_path):
    folder = store(tmp_path, make_model(text_words=9, residual=True))
    _, found = run(folder, text_words=9)
    embedding_ND = found["text_embedding"]
    assert embedding_ND.shape == (7, 8)
    assert np.linalg.norm(embedding_ND, axis=1) == pytest.approx(1, abs=1e-5)


def test_texts_without_a_word_need_no_sparse_matrix(make_model, tmp_path):
    """As items without a text are given: zeros of the dense part alone."""
    folder = store(tmp_path, make_model(text_words=9, residual=True))
    network = load_network(folder, read_description(folder), pytest.fail)
    image_NI = np.ones((2, 6), np.float32)
    (dense,) = network(image_NI, np.zeros((2, 4), np.float32), OUTPUTS)
    (sparse,) = network(image_NI, csr_matrix((2, 13), dtype=np.float32), OUTPUTS)
    for name, wanted in sparse.items():
        assert np.allclose(dense[name], wanted, atol=1e-6)


def test_a_model_of_an_earlier_version_is_used_and_said_to_be_slower(folder):
    _, wanted = run(folder)
    (folder / "towers.onnx").unlink()
    said = []
    _, found = run(folder, said.append)
    (line,) = said
    assert line.startswith(f"{folder} has no towers.onnx")
    assert line.endswith("train again")
    assert np.allclose(found["fused_probability"], wanted["fused_probability"], atol=1e-6)


def test_the_graph_of_another_model_is_refused(folder, make_model, tmp_path):
    other = store(tmp_path / "other", make_model(dim=9))
    shutil.copyfile(other / "towers.onnx", folder / "towers.onnx")
    with pytest.raises(InputError, match=r"towers\.onnx: not of the model beside it"):
        run(folder)


def test_a_damaged_graph_is_refused(folder, tmp_path):
    (folder / "towers.onnx").write_bytes(b"not a graph")
    with pytest.raises(InputError, match=r"damaged model .*train again"):
        run(folder)
    with pytest.raises(InputError, match=r"damaged model .*train again"):
        copy_network(folder, tmp_path / "copy.onnx")
    assert not (tmp_path / "copy.onnx").exists()


def test_the_graph_is_copied_as_it_is(folder, tmp_path):
    assert copy_network(folder, tmp_path / "new" / "copy.onnx")
    there = (folder / "towers.onnx").read_bytes()
    assert (tmp_path / "new" / "copy.onnx").read_bytes() == there
    (folder / "towers.onnx").unlink()
    assert not copy_network(folder, tmp_path / "other.onnx")


def test_torch_is_not_imported(folder):
    code = f"""
from pathlib import Path
from pipeline.model.description import read_description
from pipeline.use.network import load_network
folder = Path({str(folder)!r})
load_network(folder, read_description(folder), print)
"""
    assert "torch" not in modules_after(code)


def test_nobody_is_told_what_is_run(finished_project, tmp_path):
    """ONNX Runtime would send it to its maker, and keep what it could not send at home."""
    code = "from huse import Huse; Huse.load('data/model').embed(None, ['red heart'])"
    left = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    # It spares machines that test.
    left = {name: value for name, value in left.items() if name not in ("CI", "GITHUB_ACTIONS")}
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=finished_project.root,
        env={**left, "HOME": str(tmp_path)},
        check=True,
    )
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
