import pytest

from pipeline.core.errors import InputError
from pipeline.image_features.make_recipe import make_recipe


@pytest.fixture
def make(settings, tmp_path):
    """The recipe of changed settings."""

    def make(**changed):
        given = settings.model_copy(update={"resize": None, "size": 32} | changed)
        return make_recipe(given, "cpu", tmp_path)

    return make


def test_a_recipe_tells_all_that_was_settled(make, tmp_path):
    found = make(resize="pad", size=48, mean=[0.0, 0.5, 1.0])
    recipe = found.recipe
    assert recipe.runtime == "onnxruntime"
    assert recipe.dimension == 512
    assert (recipe.transform.resize, recipe.transform.size) == ("pad", 48)
    assert recipe.transform.mean == (0.0, 127.5, 255.0)
    assert recipe.transform.interpolation == "bilinear"
    assert found.onnx_file.is_file()
    assert found.store.folder == tmp_path / recipe.fingerprint()


def test_the_network_is_exported_once(make):
    first = make()
    made = first.onnx_file.stat().st_mtime_ns
    second = make(background="#000000")
    assert second.onnx_file == first.onnx_file
    assert second.onnx_file.stat().st_mtime_ns == made
    assert second.store.folder != first.store.folder
    other = make(std=[0.5, 0.5, 0.5])
    assert other.onnx_file != first.onnx_file


def test_runtime_torch_needs_no_graph(make):
    found = make(runtime="torch")
    assert not found.onnx_file.exists()
    assert found.recipe.runtime == "torch"


def test_what_a_runtime_cannot_do_is_named(make):
    with pytest.raises(
        InputError, match=r"image\.precision: fp16 is not for cpu; use fp32 or bf16"
    ):
        make(precision="fp16")
    with pytest.raises(
        InputError, match=r"image\.runtime: onnxruntime does not compute bf16 on cpu; use openvino"
    ):
        make(precision="bf16", runtime="onnxruntime")
