import numpy as np
import open_clip
import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.encoders.text.open_clip import Encoder, Settings

TEXTS = ["red shirt", "", "a blue hat with silk", "wool"]


def make(model):
    how = {"input": "text", "batch_size": 2, "device": "cpu", "precision": "fp32"}
    return Encoder(Settings(model=model, **how))


def test_vectors_are_the_librarys(tiny_clip):
    found = make(tiny_clip).encode(TEXTS)
    assert found.shape == (4, 8)
    assert found.dtype == np.float32
    assert not found[1].any()
    architecture, _, weights = tiny_clip.partition("/")
    library = open_clip.create_model(architecture, pretrained=weights).eval()
    tokens = open_clip.get_tokenizer(architecture)([TEXTS[n] for n in (0, 2, 3)])
    with torch.no_grad():
        expected = library.encode_text(tokens).numpy()
    np.testing.assert_allclose(found[[0, 2, 3]], expected, atol=1e-6)


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


def test_damaged_weights_are_one_line(tiny_clip, tmp_path):
    (tmp_path / "weights.pt").write_bytes(b"damaged")
    with pytest.raises(InputError, match="cannot be loaded"):
        make(f"tiny-test/{tmp_path}/weights.pt")
