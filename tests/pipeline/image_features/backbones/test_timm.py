import pytest
import timm
import torch

from pipeline.core.errors import InputError
from pipeline.image_features.backbones.timm import load


@pytest.mark.parametrize("name", ["resnet18", "test_vit.r160_in1k", "test_efficientnet"])
@pytest.mark.parametrize("layer", ["pooled", "logits"])
def test_the_vector_is_the_librarys_own_forward_on_its_own_transform(
    name, layer, embed, picture, tmp_path
):
    torch.manual_seed(5)
    network = timm.create_model(name, pretrained=False).eval()
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    config = timm.data.resolve_model_data_config(network)
    transform = timm.data.create_transform(**config, is_training=False)
    if layer == "pooled":
        network.reset_classifier(0)
    with torch.inference_mode():
        expected = network(transform(picture)[None])[0]
    found = embed(load(name, layer, str(tmp_path / "weights.pt")))
    assert found.shape == expected.shape
    assert (found - expected).abs().max() < 1e-4


def test_an_unknown_name_is_one_line():
    with pytest.raises(InputError, match="got 'timm/resnet1', which timm does not know; did you"):
        load("resnet1", "pooled", "none")
