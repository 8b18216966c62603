import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.image_features.backbone import Backbone
from pipeline.image_features.runtimes.choose import choose_runtime
from pipeline.image_features.runtimes.onnx_export import check_onnx


class _Unknown(torch.nn.Module):
    def forward(self, pixels):
        return torch.linalg.svdvals(pixels.mean(1))


def choose(wanted, backbone, path, precision="fp32", device="cpu"):
    return choose_runtime(wanted, backbone, path, device=device, precision=precision)


def test_auto_is_the_fastest_with_torchs_numbers(mean_colour, tmp_path):
    assert choose("auto", mean_colour, tmp_path / "x.onnx") == "onnxruntime"
    assert (tmp_path / "x.onnx").is_file()
    assert choose("auto", mean_colour, tmp_path / "y.onnx", "bf16") == "openvino"
    assert choose("auto", mean_colour, tmp_path / "z.onnx", "fp16", "cuda") == "torch"
    assert choose("torch", mean_colour, tmp_path / "z.onnx") == "torch"
    assert not (tmp_path / "z.onnx").exists()


def test_auto_falls_back_to_torch_and_a_choice_does_not(mean_colour, tmp_path):
    backbone = Backbone(_Unknown(), mean_colour.transform)
    assert choose("auto", backbone, tmp_path / "x.onnx") == "torch"
    with pytest.raises(InputError, match=r"onnxruntime cannot run this backbone .*; use torch"):
        choose("onnxruntime", backbone, tmp_path / "x.onnx")


def test_a_runtime_that_is_not_installed_is_named_or_passed_over(
    mean_colour, tmp_path, monkeypatch
):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name != "torch" else name)
    assert choose("auto", mean_colour, tmp_path / "x.onnx") == "torch"
    with pytest.raises(InputError, match="package openvino is missing; pip install openvino"):
        choose("openvino", mean_colour, tmp_path / "x.onnx")


def test_a_damaged_file_of_an_earlier_run_is_written_again(mean_colour, tmp_path):
    path = tmp_path / "x.onnx"
    choose("auto", mean_colour, path)
    whole = path.read_bytes()
    for damage in (b"", b"404", whole[: len(whole) // 2]):
        path.write_bytes(damage)
        assert choose("auto", mean_colour, path) == "onnxruntime"
        check_onnx(mean_colour, path)
