import json

import open_clip
import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.image_features.backbones.open_clip import load

TINY = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 64, "layers": 2, "width": 64, "patch_size": 16},
    "text_cfg": {"context_length": 8, "vocab_size": 100, "width": 64, "heads": 2, "layers": 1},
}


@pytest.fixture
def tiny(tmp_path):
    """A model of the user's own with random weights, as open_clip knows it, and its file."""
    (tmp_path / "tiny-huse.json").write_text(json.dumps(TINY))
    open_clip.add_model_config(tmp_path / "tiny-huse.json")
    torch.manual_seed(7)
    made = open_clip.create_model_and_transforms("tiny-huse", load_weights=False)
    torch.save(made[0].state_dict(), tmp_path / "weights.pt")
    return made[0].eval(), made[2], str(tmp_path / "weights.pt")


def test_the_vector_is_the_librarys_own_on_its_own_transform(tiny, embed, picture):
    network, transform, path = tiny
    with torch.inference_mode():
        expected = network.encode_image(transform(picture)[None])[0]
    found = embed(load("tiny-huse", "pooled", path))
    assert found.shape == (32,)
    assert (found - expected).abs().max() < 1e-4


def test_the_transform_is_that_of_the_pretrained_weights(monkeypatch):
    """SigLIP's weights want a squashed picture and other means than OpenAI's."""
    monkeypatch.setitem(
        open_clip.factory._MODEL_CONFIGS, "ViT-B-16-SigLIP", TINY | {"init_logit_bias": -10}
    )
    transform = load("ViT-B-16-SigLIP/webli", "pooled", "none").transform
    assert (transform.resize, transform.size) == ("squash", 64)
    assert transform.mean == (127.5, 127.5, 127.5)


@pytest.mark.parametrize(
    ("name", "layer", "weights", "message"),
    [
        ("RN50/openai", "logits", "none", "has no classes; use pooled"),
        ("RN51/openai", "pooled", "none", r"no model 'RN51'; did you mean .*RN50.* lists all"),
        ("RN50/mine", "pooled", "none", r"got 'open_clip/RN50/mine'; RN50 has the weights openai,"),
        ("RN50", "pooled", "default", r"got 'open_clip/RN50/'; RN50 has the weights openai,"),
    ],
)
def test_what_there_is_not_is_one_line(name, layer, weights, message):
    with pytest.raises(InputError, match=message):
        load(name, layer, weights)
