"""Plain torch: every backbone and every device.

Shape letters: B batch, S side of the input, I image feature.
"""

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from pipeline.image_features.backbone import Backbone
from pipeline.image_features.runtimes.onnx_export import PixelsToVectors
from pipeline.image_features.runtimes.runner import Runner

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

# Batch sizes tried on a GPU, until the memory or the gain of a doubling ends.
_FIRST, _LAST, _GAIN = 32, 2048, 1.05


class TorchRunner(Runner):
    """On a GPU copies and computation overlap."""

    def __init__(
        self, backbone: Backbone, device: str, precision: str, batch_size: int | None
    ) -> None:
        """Move the network to the device."""
        self._device = torch.device(device)
        self._side = backbone.transform.size
        network = PixelsToVectors(backbone, DTYPES[precision]).eval()
        self._network = network.to(self._device).to(memory_format=torch.channels_last)
        if self._device.type == "cpu":
            self.batch_size = batch_size or _FIRST
            return
        # float32 means float32: TF32 would round the products to 10 bits.
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.benchmark = True
        self.batch_size = batch_size or self._best_batch_size()
        self.depth = 2
        self._stream = torch.cuda.Stream(self._device)

    def submit(self, pixels_BSS3: np.ndarray) -> Callable[[], np.ndarray]:
        """Run one batch; on a GPU this only queues it."""
        if self._device.type == "cpu":
            with torch.inference_mode():
                vector_BI = self._network(torch.from_numpy(pixels_BSS3)).numpy()
            return lambda: vector_BI
        # Page-locked memory is what the device can fetch while the processor goes on.
        pinned = torch.from_numpy(pixels_BSS3).pin_memory()
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            on_device = self._network(pinned.to(self._device, non_blocking=True))
            result = torch.empty(on_device.shape, dtype=torch.float32, pin_memory=True)
            result.copy_(on_device, non_blocking=True)
            done = torch.cuda.Event()
            done.record(self._stream)
        return lambda: self._fetch(done, pinned, result)

    @staticmethod
    def _fetch(done: "torch.cuda.Event", pinned: Tensor, result: Tensor) -> np.ndarray:
        """Wait for a batch; `pinned` is an argument so that it lives until then."""
        done.synchronize()
        return result.numpy().copy()

    def _best_batch_size(self) -> int:
        """Double the batch until that gains less than 5 % or does not fit."""
        best, fastest = _FIRST, 0.0
        size = _FIRST
        while size <= _LAST:
            try:
                speed = self._pictures_per_second(size)
            except torch.OutOfMemoryError:
                torch.cuda.empty_cache()
                break
            if speed < fastest * _GAIN:
                break
            best, fastest, size = size, speed, size * 2
        return best

    def _pictures_per_second(self, size: int) -> float:
        shape = (size, self._side, self._side, 3)
        pixels = torch.zeros(shape, dtype=torch.uint8, device=self._device)
        with torch.inference_mode():
            self._network(pixels)
            torch.cuda.synchronize(self._device)
            start = time.perf_counter()
            for _ in range(3):
                self._network(pixels)
            torch.cuda.synchronize(self._device)
        return 3 * size / (time.perf_counter() - start)
