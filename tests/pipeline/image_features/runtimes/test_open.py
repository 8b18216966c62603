from dataclasses import replace

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.image_features.runtimes.open import open_runner
from tests.fresh_process import modules_after


@pytest.mark.parametrize("runtime", ["torch", "onnxruntime", "openvino"])
def test_every_runtime_gives_the_same_vectors(small, batch, runtime):
    pixels, expected = batch
    runner = open_runner(replace(small.recipe, runtime=runtime), small.onnx_file, "cpu", 4)
    assert runner.batch_size == 4
    assert np.abs(runner.submit(pixels)() - expected).max() < 1e-4


def test_a_cpu_gets_small_batches(small):
    for runtime in ("torch", "onnxruntime", "openvino"):
        recipe = replace(small.recipe, runtime=runtime)
        assert open_runner(recipe, small.onnx_file, "cpu", None).batch_size == 8


@pytest.mark.parametrize(
    ("runtime", "threads"), [("onnxruntime", 3), ("openvino", 3), ("torch", 1)]
)
def test_torch_is_for_one_thread_and_the_others_for_as_many_as_asked_for(small, runtime, threads):
    recipe = replace(small.recipe, runtime=runtime)
    assert open_runner(recipe, small.onnx_file, "cpu", 1, threads=3).threads == threads


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_the_graph_may_be_elsewhere_and_must_be_somewhere(small, batch, bucket, tmp_path, runtime):
    pixels, expected = batch
    recipe = replace(small.recipe, runtime=runtime)
    (bucket / "model.onnx").write_bytes(small.onnx_file.read_bytes())
    runner = open_runner(recipe, bucket / "model.onnx", "cpu", 4)
    assert np.abs(runner.submit(pixels)() - expected).max() < 1e-4
    for onnx_file in (tmp_path / "gone.onnx", bucket / "gone.onnx"):
        with pytest.raises(InputError, match=r"gone\.onnx is not on this machine; set"):
            open_runner(recipe, onnx_file, "cpu", 4)


def test_a_worker_without_torch_does_not_import_it():
    """A process per core: each would wait seconds and hold hundreds of megabytes for nothing."""
    assert "torch" not in modules_after("import pipeline.image_features.worker")
