"""ONNX Runtime on the CPU: float32, the numbers of torch at several times the speed.

Shape letters: B batch, S side of the input, I image feature.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from pipeline.image_features.runtimes.runner import Runner


class OnnxRunner(Runner):
    """A batch takes one core: submit from a thread per core."""

    def __init__(self, onnx_file: Path | bytes, batch_size: int, threads: int = 1) -> None:
        """Load what `export_onnx` wrote, or its bytes."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            onnx_file, options, providers=["CPUExecutionProvider"]
        )
        self.batch_size, self.threads = batch_size, threads

    def submit(self, pixels_BSS3: np.ndarray) -> Callable[[], np.ndarray]:
        """Run one batch at once."""
        vector_BI = self._session.run(None, {"pixels": pixels_BSS3})[0]
        return lambda: vector_BI
