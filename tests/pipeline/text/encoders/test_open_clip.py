import json

import numpy as np
import open_clip
import pytest
import torch

from pipeline.errors import InputError
from pipeline.text.encoders.open_clip import OpenClipEncoder

TEXTS = ["red shirt", "", "a blue hat with silk", "wool"]
TINY = {
    "embed_dim": 8,
    "vision_cfg": {"image_size": 16, "layers": 1, "width": 64, "patch_size": 8},
    "text_cfg": {
        "context_length": 77,
        "vocab_size": 49408,
        "width": 16,
        "heads": 2,
        "layers": 1,
    },
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Name of a random CLIP of 8 dimensions: architecture/file of weights."""
    folder = tmp_path_factory.mktemp("clip")
    (folder / "tiny-text-test.json").write_text(json.dumps(TINY))
    open_clip.add_model_config(folder / "tiny-text-test.json")
    torch.manual_seed(0)
    model = open_clip.create_model("tiny-text-test", pretrained=None)
    torch.save(model.state_dict(), folder / "weights.pt")
    return f"tiny-text-test/{folder}/weights.pt"


def make(model):
    return OpenClipEncoder(model=model, batch_size=2, device="cpu", precision="fp32")


def test_vectors_are_the_librarys(tiny):
    found = make(tiny).encode(TEXTS)
    assert found.shape == (4, 8)
    assert found.dtype == np.float32
    assert not found[1].any()
    architecture, _, weights = tiny.partition("/")
    library = open_clip.create_model(architecture, pretrained=weights).eval()
    tokens = open_clip.get_tokenizer(architecture)([TEXTS[n] for n in (0, 2, 3)])
    with torch.no_grad():
        expected = library.encode_text(tokens).numpy()
    np.testing.assert_allclose(found[[0, 2, 3]], expected, atol=1e-6)


def test_no_text_at_all(tiny):
    assert make(tiny).encode([]).shape == (0, 8)
    assert make(tiny).encode([""]).tolist() == [[0.0] * 8]


def test_a_stored_encoder_gives_the_same_vectors(tiny, tmp_path):
    encoder = make(tiny)
    encoder.save(tmp_path)
    assert np.array_equal(OpenClipEncoder.load(tmp_path).encode(TEXTS), encoder.encode(TEXTS))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("ViT-B-32", "expected architecture/pretrained"),
        ("ViT-Z-1/openai", "open_clip has no architecture ViT-Z-1"),
        ("ViT-B-32/mine.pt", r"no file mine\.pt, and ViT-B-32 has no such weights; known: openai"),
    ],
)
def test_a_name_that_open_clip_does_not_know_is_refused(model, message):
    with pytest.raises(InputError, match=message):
        make(model)


def test_damaged_weights_are_one_line(tiny, tmp_path):
    (tmp_path / "weights.pt").write_bytes(b"damaged")
    with pytest.raises(InputError, match="cannot be loaded"):
        make(f"tiny-text-test/{tmp_path}/weights.pt")
