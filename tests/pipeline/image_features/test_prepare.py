from pathlib import Path

import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.image_features.prepare import Wishes, prepare

NONE = Wishes(None, None, None, None, None)


def prepared(cache, backbone="torchvision/squeezenet1_1", wishes=NONE, **changed):
    settings = {
        "weights": "none",
        "layer": "pooled",
        "jpeg": "exact",
        "background": "#ffffff",
        "max_pixels": 1000,
        "runtime": "auto",
        "precision": "fp32",
        "device": torch.device("cpu"),
    }
    return prepare(backbone, wishes=wishes, cache=Path(cache), **(settings | changed))


def test_a_recipe_tells_all_that_was_settled(tmp_path):
    found = prepared(tmp_path, wishes=NONE._replace(resize="pad", size=48, mean=[0.0, 0.5, 1.0]))
    recipe = found.recipe
    assert recipe.runtime == "onnxruntime"
    assert recipe.dimension == found.store.dimension == 512
    assert (recipe.transform.resize, recipe.transform.size) == ("pad", 48)
    assert recipe.transform.mean == (0.0, 127.5, 255.0)
    assert recipe.transform.interpolation == "bilinear"
    assert found.graph.is_file()
    assert found.store.folder == tmp_path / recipe.fingerprint()


def test_the_network_is_exported_once(tmp_path):
    first = prepared(tmp_path, wishes=NONE._replace(size=32))
    made = first.graph.stat().st_mtime_ns
    second = prepared(tmp_path, wishes=NONE._replace(size=32), background="#000000")
    assert second.graph == first.graph
    assert second.graph.stat().st_mtime_ns == made
    assert second.store.folder != first.store.folder
    other = prepared(tmp_path, wishes=NONE._replace(size=32, std=[0.5, 0.5, 0.5]))
    assert other.graph != first.graph


def test_runtime_torch_needs_no_graph(tmp_path):
    found = prepared(tmp_path, wishes=NONE._replace(size=32), runtime="torch")
    assert not found.graph.exists()
    assert found.recipe.runtime == "torch"


def test_what_a_runtime_cannot_do_is_named(tmp_path):
    with pytest.raises(
        InputError, match=r"image\.precision: fp16 is not for cpu; use fp32 or bf16"
    ):
        prepared(tmp_path, precision="fp16")
    with pytest.raises(
        InputError, match=r"image\.runtime: onnxruntime does not compute bf16 on cpu; use openvino"
    ):
        prepared(tmp_path, precision="bf16", runtime="onnxruntime")
