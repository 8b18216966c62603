import json
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.image_features import known_network, load_backbone
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
        {"resize": "pad"},
        {"interpolation": "box"},
        {"mean": [0.5, 0.5, 0.5]},
        {"std": [0.5, 0.5, 0.5]},
        {"precision": "bf16"},
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


def test_after_a_change_of_the_code_the_network_is_loaded_again(
    make, loaded, monkeypatch, tmp_path
):
    make()
    code = tmp_path / "code"
    shutil.copytree(Path(known_network.__file__).parent, code)
    monkeypatch.setattr(known_network, "__file__", str(code / "known_network.py"))
    make()
    assert len(loaded) == 1
    with (code / "backbones" / "torchvision.py").open("a") as file:
        file.write("# edited\n")
    make()
    assert len(loaded) == 2


def test_a_checkpoint_that_is_replaced_while_it_is_loaded_is_not_taken_for_the_other(
    make, monkeypatch, tmp_path
):
    network = load_backbone.load_backbone("torchvision/squeezenet1_1", "logits", "none").module
    one, other, chosen = (tmp_path / name for name in ("one.pt", "other.pt", "weights.pt"))
    torch.save(network.state_dict(), one)
    torch.save({key: value + 1 for key, value in network.state_dict().items()}, other)
    shutil.copy(one, chosen)
    load = load_backbone.load_backbone

    def replacing(name, layer, weights):
        shutil.copy(other, chosen)
        return load(name, layer, weights)

    with monkeypatch.context() as patch:
        patch.setattr(load_backbone, "load_backbone", replacing)
        replaced = make(weights=str(chosen)).recipe.weights_digest
    shutil.copy(one, chosen)
    first = make(weights=str(chosen)).recipe.weights_digest
    assert first != replaced
    assert first == make(weights=str(one)).recipe.weights_digest


def test_a_gpu_is_not_told_what_runs_on_a_cpu(make, settings, tmp_path):
    assert make().recipe.runtime == "onnxruntime"
    chosen = settings.model_copy(update={"size": 32})
    assert make_recipe(chosen, "cuda", tmp_path / "cache").recipe.runtime == "torch"


def test_a_checkpoint_that_cannot_be_read_is_one_line(make, tmp_path):
    for weights in (str(tmp_path), "w" * 300):
        with pytest.raises(InputError, match=r"image\.weights: .* is no checkpoint"):
            make(weights=weights)


def test_a_folder_that_takes_no_note_takes_nothing_from_the_recipe(make, loaded, monkeypatch):
    def refuse(path, value):
        raise InputError(f"{path}: cannot be written")

    monkeypatch.setattr(known_network, "write_json", refuse)
    assert make().recipe == make().recipe
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


def test_where_only_loading_tells_what_the_weights_are_they_are_loaded(make, monkeypatch, tmp_path):
    loaded = []
    network = load_backbone.load_backbone("torchvision/squeezenet1_1", "pooled", "none")

    def download(*named):
        loaded.append(named)
        return network

    monkeypatch.setattr(load_backbone, "load_backbone", download)
    for weights, backbone in (
        ("none", "open_clip/RN50"),
        ("default", "torchvision/squeezenet1_1"),
        ("default", "timm/resnet18.a1_in1k"),
    ):
        make(backbone=backbone, weights=weights)
        make(backbone=backbone, weights=weights)
    assert len(loaded) == 6
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
