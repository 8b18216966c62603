import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from pipeline.image_features.backbone import Backbone
from pipeline.image_features.backbones import open_clip, timm
from pipeline.image_features.runtimes.onnx_export import ExportError, PixelsToVectors, export_onnx


def pixels_of(backbone, batch=3):
    side = backbone.transform.size
    return np.random.default_rng(0).integers(0, 256, (batch, side, side, 3), dtype=np.uint8)


def test_bytes_are_normalised_within_the_graph(mean_colour):
    pixels = np.full((1, 8, 8, 3), (110, 60, 7), dtype=np.uint8)
    assert PixelsToVectors(mean_colour)(torch.from_numpy(pixels)).tolist() == [[1, 2, 7]]


@pytest.mark.parametrize("name", ["test_vit", "test_convnext", "test_resnet"])
def test_the_file_gives_torchs_vectors_at_any_batch_size(tmp_path, name):
    backbone = timm.load(name, "pooled", "none")
    export_onnx(backbone, tmp_path / "x.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "x.onnx", providers=["CPUExecutionProvider"])
    for batch in (1, 3):
        pixels = pixels_of(backbone, batch)
        with torch.inference_mode():
            expected = PixelsToVectors(backbone)(torch.from_numpy(pixels)).numpy()
        assert np.abs(session.run(None, {"pixels": pixels})[0] - expected).max() < 1e-4
    assert [path.name for path in tmp_path.iterdir()] == ["x.onnx"]


def test_transformers_of_open_clip_and_torch_itself_can_be_exported(tmp_path, mean_colour):
    attention = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    module = nn.Sequential(nn.Conv2d(3, 16, 8), nn.Flatten(2), nn.Unflatten(1, (1, 16)))
    stack = nn.Sequential(module, nn.Flatten(1, 2), nn.Flatten(1), nn.Unflatten(1, (1, 16)))
    backbone = Backbone(nn.Sequential(stack, attention, nn.Flatten()), mean_colour.transform)
    export_onnx(backbone, tmp_path / "attention.onnx")
    assert torch.backends.mha.get_fastpath_enabled()
    export_onnx(open_clip.load("ViT-S-32", "pooled", "none"), tmp_path / "clip.onnx")


class _Unknown(nn.Module):
    def forward(self, pixels):
        return torch.linalg.svdvals(pixels.mean(1))


def test_what_cannot_be_exported_leaves_no_file(tmp_path, mean_colour):
    with pytest.raises(ExportError):
        export_onnx(Backbone(_Unknown(), mean_colour.transform), tmp_path / "x.onnx")
    assert list(tmp_path.iterdir()) == []


class _Drifting(nn.Module):
    """A network whose traced constants are not what it computes later."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, pixels):
        self.calls += 1
        return pixels.mean(dim=(2, 3)) + float(self.calls)


def test_a_graph_with_other_vectors_is_refused(tmp_path, mean_colour):
    with pytest.raises(ExportError, match="vectors differ by"):
        export_onnx(Backbone(_Drifting(), mean_colour.transform), tmp_path / "x.onnx")
    assert list(tmp_path.iterdir()) == []
