import json

import open_clip
import pytest
import torch

TINY_CLIP = {
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


@pytest.fixture
def infersent_weights(tmp_path):
    """Write the state dict of a small InferSent encoder with random weights, as torch.save does."""

    def build(word_dimension=50, units=6, name="infersent.pkl"):
        torch.manual_seed(3)
        lstm = torch.nn.LSTM(word_dimension, units, bidirectional=True)
        weights = {f"enc_lstm.{key}": value for key, value in lstm.state_dict().items()}
        torch.save(weights, tmp_path / name)
        return tmp_path / name

    return build


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory):
    """Name of a CLIP of 8 dimensions with random weights: architecture/file of weights."""
    folder = tmp_path_factory.mktemp("clip")
    (folder / "tiny-graph-test.json").write_text(json.dumps(TINY_CLIP))
    open_clip.add_model_config(folder / "tiny-graph-test.json")
    torch.manual_seed(0)
    model = open_clip.create_model("tiny-graph-test", pretrained=None)
    torch.save(model.state_dict(), folder / "weights.pt")
    return f"tiny-graph-test/{folder}/weights.pt"
