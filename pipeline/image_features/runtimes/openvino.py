"""OpenVINO on the CPU: float32, or bfloat16 at twice the speed where the processor has it.

Shape letters: B batch, S side of the input, I image feature.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from pipeline.image_features.runtimes.runner import Runner


class OpenVinoRunner(Runner):
    """One thread of one process; run one process per core."""

    def __init__(self, onnx_file: Path | bytes, batch_size: int, precision: str) -> None:
        """Compile what `export_onnx` wrote, or its bytes, for `fp32` or `bf16`."""
        import openvino

        core = openvino.Core()
        model = core.read_model(onnx_file)
        model.reshape([batch_size, *list(model.inputs[0].partial_shape)[1:]])
        settings = {
            "INFERENCE_NUM_THREADS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": {"fp32": "f32", "bf16": "bf16"}[precision],
        }
        self._request = core.compile_model(model, "CPU", settings).create_infer_request()
        self.batch_size = batch_size

    def submit(self, pixels_BSS3: np.ndarray) -> Callable[[], np.ndarray]:
        """Run one batch at once."""
        vector_BI = self._request.infer([pixels_BSS3])[0].copy()
        return lambda: vector_BI
