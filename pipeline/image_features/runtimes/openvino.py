"""OpenVINO on the CPU: float32, or bfloat16 at twice the speed where the processor has it.

Shape letters: B batch, S side of the input, I image feature.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from pipeline.image_features.runtimes.runner import Runner


class OpenVinoRunner(Runner):
    """A batch takes one core: submit from a thread per core."""

    def __init__(
        self, onnx_file: Path | bytes, batch_size: int, precision: str, threads: int = 1
    ) -> None:
        """Compile what `export_onnx` wrote, or its bytes, for `fp32` or `bf16`."""
        import openvino

        core = openvino.Core()
        model = core.read_model(onnx_file)
        model.reshape([batch_size, *list(model.inputs[0].partial_shape)[1:]])
        settings = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": threads,
            "INFERENCE_PRECISION_HINT": {"fp32": "f32", "bf16": "bf16"}[precision],
        }
        self._model = core.compile_model(model, "CPU", settings)
        self.batch_size, self.threads = batch_size, threads

    def submit(self, pixels_BSS3: np.ndarray) -> Callable[[], np.ndarray]:
        """Run one batch at once."""
        # A request of its own: one is not for several threads, and making it takes no time.
        vector_BI = self._model.create_infer_request().infer([pixels_BSS3])[0].copy()
        return lambda: vector_BI
