import json
from importlib.metadata import version

import pytest
import torch

from pipeline.image_features import load_backbone
from pipeline.image_features.make_recipe import make_recipe
from tests.fresh_process import modules_after


@pytest.fixture
def loaded(monkeypatch):
    """Backbones that were loaded, one after the other."""
    names = []
    load = load_backbone.load_backbone

    def note(name, layer, weights):
        names.append(name)
        return load(name, layer, weights)

    monkeypatch.setattr(load_backbone, "load_backbone", note)
    return names


@pytest.fixture
def make(settings, tmp_path):
    """The recipe of changed settings, in one folder."""
    return lambda **changed: make_recipe(
        settings.model_copy(update={"size": 32} | changed), "cpu", tmp_path / "cache"
    )


def test_a_network_is_loaded_once_and_known_afterwards(make, loaded):
    first, second = make(), make()
    assert loaded == ["torchvision/squeezenet1_1"]
    assert (second.recipe, second.onnx_file) == (first.recipe, first.onnx_file)
    # What no network knows of is the settings' own.
    third = make(background="#123456", jpeg="exact", max_pixels=1000).recipe
    assert (third.background, third.jpeg, third.max_pixels) == ("#123456", "exact", 1000)
    assert len(loaded) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"size": 48},
        {"std": [0.5, 0.5, 0.5]},
        {"layer": "logits"},
        {"runtime": "torch"},
        {"backbone": "torchvision/shufflenet_v2_x0_5"},
    ],
)
def test_another_network_is_loaded(make, loaded, changed):
    first, second = make(), make(**changed)
    assert len(loaded) == 2
    assert second.recipe != first.recipe


def test_with_a_changed_checkpoint_the_network_is_loaded_again(make, loaded, tmp_path):
    network = load_backbone.load_backbone("torchvision/squeezenet1_1", "logits", "none").module
    checkpoint = tmp_path / "weights.pt"
    torch.save(network.state_dict(), checkpoint)
    digests = [make(weights=str(checkpoint)).recipe.weights_digest for _ in range(2)]
    state = network.state_dict()
    state["classifier.1.bias"] += 1
    state["features.0.bias"] += 1
    torch.save(state, checkpoint)
    digests.append(make(weights=str(checkpoint)).recipe.weights_digest)
    assert digests[0] == digests[1] != digests[2]
    assert len(loaded) == 3


def test_with_another_version_of_a_package_the_network_is_loaded_again(make, loaded, monkeypatch):
    make()
    monkeypatch.setattr(
        "pipeline.image_features.known_network.version",
        lambda package: "99" if package == "torchvision" else version(package),
    )
    make()
    assert len(loaded) == 2


def test_a_damaged_network_or_note_is_made_again(make, loaded, tmp_path):
    first = make()
    whole = first.onnx_file.read_bytes()
    first.onnx_file.write_bytes(whole[:1000])
    make()
    assert len(loaded) == 2
    [note] = (tmp_path / "cache" / "graphs").glob("*.json")
    for content in ("", "{}", json.dumps(json.loads(note.read_text()) | {"transform": "{}"})):
        note.write_text(content)
        assert make().recipe == first.recipe
    assert len(loaded) == 5
    assert make().recipe == first.recipe
    assert len(loaded) == 5


def test_where_only_loading_tells_what_the_weights_are_they_are_loaded(make, loaded, tmp_path):
    make(backbone="open_clip/RN50", size=None)
    make(backbone="open_clip/RN50", size=None)
    assert len(loaded) == 2
    assert not list((tmp_path / "cache" / "graphs").glob("*.json"))


def test_the_shipped_network_is_known_without_torch(shop, tmp_path):
    code = f"""
from pathlib import Path
from pipeline.core.params import load_section
from pipeline.image_features.make_recipe import make_recipe
from pipeline.image_features.settings import ImageSettings
settings = load_section(Path({str(shop.root / "params.yaml")!r}), "image", ImageSettings)
recipe = make_recipe(settings, "cpu", Path({str(tmp_path)!r})).recipe
assert recipe.dimension == 1280
"""
    assert "torch" in modules_after(code)
    assert "torch" not in modules_after(code)
