import json
import shutil

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


def test_own_weights_get_the_transform_of_their_architecture(monkeypatch, tmp_path, tiny):
    """Pictures would silently be made ready as for OpenAI's, which SigLIP never saw."""
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "ViT-B-16-SigLIP", TINY)
    own = load("ViT-B-16-SigLIP", "pooled", tiny[2]).transform
    assert own == load("ViT-B-16-SigLIP/webli", "pooled", "none").transform
    assert (own.resize, own.mean, own.std) == ("squash", (127.5,) * 3, (127.5,) * 3)
    # Of several tags what most want; the name of a tag says otherwise.
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "ViT-L-14", TINY)
    several = load("ViT-L-14", "pooled", tiny[2]).transform
    assert several == load("ViT-L-14/openai", "pooled", tiny[2]).transform
    other = load("ViT-L-14/commonpool_xl_s13b_b90k", "pooled", tiny[2]).transform
    assert other.resize == several.resize == "crop"
    # An architecture that nobody has published weights of: open_clip's own default.
    assert load("tiny-huse", "pooled", tiny[2]).transform.mean[0] == pytest.approx(255 * 0.48145466)


@pytest.mark.parametrize("form", ["local-dir:{}", "{}", "hf-hub:mine/clip"])
def test_a_published_model_comes_with_weights_and_transform(
    form, published_clip, hub_cache, embed, picture
):
    hub_cache("mine/clip", published_clip)
    found = load(form.format(published_clip), "pooled", "default")
    network, transform = open_clip.create_model_from_pretrained(f"local-dir:{published_clip}")
    with torch.inference_mode():
        expected = network.eval().encode_image(transform(picture)[None])[0]
    assert (embed(found) - expected).abs().max() < 1e-4
    assert found.transform.resize == "squash"
    assert found.transform.mean == (127.5,) * 3
    # Its own weights, trained further, want the same pictures.
    weights = str(published_clip / "open_clip_model.safetensors")
    again = load(form.format(published_clip), "pooled", weights)
    assert again.weights_digest() == found.weights_digest()
    assert again.transform == found.transform
    assert load(form.format(published_clip), "pooled", "none").transform == found.transform


def test_a_published_model_that_is_not_all_there_is_one_line(published_clip, hub_cache, tmp_path):
    with pytest.raises(InputError, match=r"image.backbone open_clip/hf-hub:.*Hugging Face hub"):
        load("hf-hub:no-such-organisation-qq/clip", "pooled", "default")
    shutil.copytree(published_clip, tmp_path / "clip")
    (tmp_path / "clip" / "open_clip_model.safetensors").unlink()
    with pytest.raises(InputError, match="its weights cannot be loaded"):
        load(str(tmp_path / "clip"), "pooled", "default")
    with pytest.raises(InputError, match=r"image.backbone open_clip/.*: there is no such folder"):
        load(f"local-dir:{tmp_path}/absent", "pooled", "default")


def test_a_shape_of_pictures_that_is_not_known_is_told(published_clip, tmp_path):
    shutil.copytree(published_clip, tmp_path / "clip")
    configuration = json.loads((tmp_path / "clip" / "open_clip_config.json").read_text())
    configuration["preprocess_cfg"]["resize_mode"] = "tiles"
    (tmp_path / "clip" / "open_clip_config.json").write_text(json.dumps(configuration))
    with pytest.raises(InputError, match="pictures of 16 x 16 by tiles are not supported"):
        load(str(tmp_path / "clip"), "pooled", "default")


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
