import numpy as np
import pytest
import torch
from img2vec_pytorch import Img2Vec
from PIL import Image
from safetensors.torch import save_file
from torchvision import models

from pipeline.core.errors import InputError
from pipeline.image_features.backbones.torchvision import load


@pytest.fixture(scope="module")
def resnet(tmp_path_factory):
    """ResNet-18 with random weights, and the file they are in."""
    torch.manual_seed(3)
    network = models.resnet18(weights=None).eval()
    path = tmp_path_factory.mktemp("weights") / "resnet18.safetensors"
    save_file(network.state_dict(), path)
    return network, str(path)


def test_resnet_pooled_is_what_img2vec_returns(resnet, embed, monkeypatch):
    network, path = resnet
    # img2vec would download weights; it gets ours.
    monkeypatch.setattr("img2vec_pytorch.img_to_vec.resnet18", lambda weights: network)
    blocks = np.random.default_rng(1).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    # Its transform resizes floats where ours resizes bytes, so the size is already right.
    image = Image.fromarray(blocks).resize((224, 224), Image.Resampling.BICUBIC)
    backbone = load("resnet18", "pooled", path)
    squashing = backbone.with_transform(backbone.transform.changed(resize="squash"))
    found = embed(squashing, image)
    assert found.shape == (512,)
    assert np.abs(found.numpy() - Img2Vec(model="resnet18").get_vec(image)).max() < 1e-4


def test_logits_are_the_librarys_own_forward_on_its_own_transform(resnet, embed, picture):
    network, path = resnet
    transform = models.ResNet18_Weights.DEFAULT.transforms()
    with torch.inference_mode():
        expected = network(transform(picture)[None])[0]
    found = embed(load("resnet18", "logits", path))
    assert (found - expected).abs().max() < 1e-4


@pytest.mark.parametrize(
    ("name", "pooled"),
    [("alexnet", 4096), ("mobilenet_v3_small", 1024), ("squeezenet1_1", 512), ("vit_b_32", 768)],
)
def test_other_families_have_pooled_features_and_logits(name, pooled, embed):
    assert embed(load(name, "pooled", "none")).shape == (pooled,)
    assert load(name, "logits", "none").dimension() == 1000


def test_an_unknown_name_is_told_with_what_is_close():
    with pytest.raises(InputError) as caught:
        load("resnet999", "pooled", "default")
    message = str(caught.value)
    assert "got 'torchvision/resnet999', which torchvision does not know" in message
    assert "did you mean torchvision/resnet50, " in message
    assert "lists all" in message
    assert len(message) < 300


@pytest.mark.parametrize("name", ["none", "raft_large", "fcn_resnet50", "r3d_18"])
def test_every_classification_network_is_known_and_no_other(name):
    with pytest.raises(InputError, match="torchvision does not know"):
        load(name, "pooled", "none")
    with pytest.raises(InputError, match="did you mean torchvision/vit_l_32"):
        load("vit_l_3", "pooled", "none")
