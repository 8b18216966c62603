import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_image

from pipeline.core.errors import InputError
from pipeline.image_features.backbones.packaged import load


@pytest.fixture(scope="module")
def pixels():
    """Three pictures of noise, normalised."""
    generator = torch.Generator().manual_seed(0)
    return torch.rand(3, 3, 224, 224, generator=generator) * 2 - 1


@pytest.fixture(scope="module")
def pooled():
    return load("efficientnet_lite0", "pooled", "default")


@pytest.fixture(scope="module")
def logits():
    return load("efficientnet_lite0", "logits", "default")


def test_pooled_features_lead_to_the_logits(pooled, logits, pixels):
    assert (pooled.dimension(), logits.dimension()) == (1280, 1000)
    with torch.inference_mode():
        pooled_BI, logits_BK = pooled.module(pixels), logits.module(pixels)
    weight, bias = (logits.module.state_dict()[f"_fc.{name}"] for name in ("weight", "bias"))
    assert torch.allclose(pooled_BI @ weight.T + bias, logits_BK, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "photograph", "image_net_class"),
    [
        ("efficientnet_lite0", "flower.jpg", 985),
        ("efficientnet_lite0", "china.jpg", 698),
        ("efficientnet_lite2", "china.jpg", 698),
    ],
    ids=["daisy", "palace", "palace-lite2"],
)
def test_photographs_are_recognised(name, photograph, image_net_class):
    # The middle of a photograph of 640 x 427 pixels.
    image = Image.fromarray(load_sample_image(photograph)).crop((106, 0, 533, 427))
    backbone = load(name, "logits", "default")
    transform = backbone.transform
    normalised = (transform.square(image) - np.array(transform.mean)) / np.array(transform.std)
    batch = torch.from_numpy(normalised.astype(np.float32)).permute(2, 0, 1)[None]
    with torch.inference_mode():
        assert backbone.module(batch).argmax().item() == image_net_class


def test_the_backbone_is_frozen(pooled, pixels):
    assert not pooled.module.training
    assert not any(parameter.requires_grad for parameter in pooled.module.parameters())
    with torch.inference_mode():
        assert torch.equal(pooled.module(pixels[:1]), pooled.module(pixels[:1]))


def test_random_weights_are_the_same_each_time_and_not_the_default(pooled):
    state = torch.random.get_rng_state()
    first, second = (load("efficientnet_lite0", "pooled", "none") for _ in range(2))
    assert first.weights_digest() == second.weights_digest() != pooled.weights_digest()
    assert torch.equal(torch.random.get_rng_state(), state)


def test_an_unknown_name_is_named_with_the_known():
    with pytest.raises(
        InputError, match=r"got 'packaged/lite9'; known: packaged/efficientnet_lite0, packaged/eff"
    ):
        load("lite9", "pooled", "default")
