import pytest
import torch
from torch import nn

from pipeline.image_features.backbone import Backbone, LastLinearInput
from pipeline.image_features.transform import Transform

TRANSFORM = Transform("squash", 4, 4, "box", (0.0,) * 3, (1.0,) * 3)


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(48, 5), nn.ReLU(), nn.Linear(5, 2))


def test_the_last_linear_layer_comes_off():
    whole = network()
    pixels = torch.rand(3, 3, 4, 4)
    expected = whole[:3](pixels)
    cut = LastLinearInput(network())
    assert torch.equal(cut(pixels), expected)
    assert Backbone(cut, TRANSFORM).dimension() == 5
    with pytest.raises(ValueError, match="no linear layer"):
        LastLinearInput(nn.Sequential(nn.Flatten()))


def test_the_digest_is_that_of_the_values():
    digests = [Backbone(network(seed), TRANSFORM).weights_digest() for seed in (0, 0, 1)]
    assert digests[0] == digests[1] != digests[2]
    halves = Backbone(network().to(torch.bfloat16), TRANSFORM)
    assert halves.weights_digest() != digests[0]
