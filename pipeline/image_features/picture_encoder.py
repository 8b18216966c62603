"""Pictures -> vectors by a recipe: what the extraction and every later use share.

Shape letters: B batch, N pictures, S side of the input, I image feature.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import NamedTuple

import numpy as np
from PIL import Image

from pipeline.core.cores import usable_cores
from pipeline.core.errors import InputError
from pipeline.core.location import Location
from pipeline.image_features.recipe import Recipe
from pipeline.image_features.runtimes.open import open_runner
from pipeline.image_features.runtimes.runner import Runner
from pipeline.pictures.decode import decode_image, upright_rgb
from pipeline.pictures.file import PictureBytes, UnreadableImageError, machine_trouble

NOT_FINITE = "the network's output is not finite"
"""Why a picture is not used of which a feature is NaN or infinite."""


class Square(NamedTuple):
    """One view of one picture, ready for the network."""

    name: object
    """Whatever the caller knows it by."""
    pixels: np.ndarray
    """[S, S, 3] uint8."""


class PictureEncoder:
    """A recipe with its network ready to run."""

    def __init__(self, recipe: Recipe, runner: Runner) -> None:
        """Put a recipe and its network together."""
        self.recipe = recipe
        self.runner = runner
        self._opened = Lock()

    def encode(
        self, pictures: Sequence[Location | PictureBytes | Image.Image]
    ) -> tuple[np.ndarray, list[str | None]]:
        """Turn pictures into vectors with the steps that made the stored features.

        The runner's batches are of one picture: one alone is answered soonest, many are no slower
        than in larger ones, and a vector does not depend on what is asked for beside it.

        Args:
            pictures: Files, or pictures in any mode.

        Returns:
            [N, I] float32, and for each picture None or the reason why it cannot be used; the
            vector of such a one is NaN.
        """
        # NaN where there is none: a row of zeros would look like a picture.
        vector_NI = np.full((len(pictures), self.recipe.dimension), np.nan, dtype=np.float32)
        reasons: list[str | None] = [None] * len(pictures)
        # From the file to the vector a picture stays with one thread: all are busy whichever step
        # takes longest, and no more pictures than threads are in memory.
        with ThreadPoolExecutor(self.runner.threads) as pool:
            for index, found in enumerate(pool.map(self._vector, pictures)):
                if isinstance(found, str):
                    reasons[index] = found
                else:
                    vector_NI[index] = found
        return vector_NI, reasons

    def run(self, squares: Iterable[Square]) -> Iterator[tuple[list, np.ndarray]]:
        """Run the network over a stream, which is read only as far as results are taken.

        Yields:
            Names and [at most B, I] vectors, in the order of the stream.
        """
        under_way: deque[tuple[list, Callable[[], np.ndarray]]] = deque()
        side = self.recipe.transform.size
        # A batch that is not full runs at full size, so that kernels and roundings are the same.
        pixels_BSS3 = np.zeros((self.runner.batch_size, side, side, 3), dtype=np.uint8)
        names: list = []
        for square in squares:
            pixels_BSS3[len(names)] = square.pixels
            names.append(square.name)
            if len(names) == self.runner.batch_size:
                under_way.append((names, self.runner.submit(pixels_BSS3)))
                names = []
                # The next batch is prepared while a GPU works on these.
                if len(under_way) > self.runner.depth:
                    yield _result(under_way.popleft())
        if names:
            under_way.append((names, self.runner.submit(pixels_BSS3)))
        for batch in under_way:
            yield _result(batch)

    def _vector(self, picture: Location | PictureBytes | Image.Image) -> np.ndarray | str:
        """[I], or the reason why the picture cannot be used."""
        try:
            with machine_trouble(picture):
                square_SS3 = self.recipe.transform.square(self._rgb(picture))
        except UnreadableImageError as error:
            return str(error)
        vector_BI = self.runner.submit(np.stack([square_SS3]))()
        return vector_BI[0] if are_finite(vector_BI)[0] else NOT_FINITE

    def _rgb(self, picture: Location | PictureBytes | Image.Image) -> Image.Image:
        recipe = self.recipe
        if isinstance(picture, Image.Image):
            # It may be there twice, and Pillow reads its file when it is first looked at.
            with self._opened:
                return upright_rgb(picture, recipe.background, recipe.max_pixels)
        least = recipe.least_side()
        return decode_image(picture, recipe.background, recipe.max_pixels, least).image


def load_picture_encoder(recipe: Mapping[str, str], network: Path | None) -> PictureEncoder:
    """Make the encoder that a features file tells of, for new pictures, on all cores of the CPU.

    Args:
        recipe: The metadata of the Parquet file, which a model has under `recipe.image`.
        network: The ONNX file that made the features. None: torch loads the backbone and, unless it
            is the runtime itself, exports it again, which takes seconds.

    Raises:
        InputError: The recipe is damaged, its weights are gone or have changed, or its runtime
            cannot run it here.
    """
    found = Recipe.from_metadata(recipe)
    with TemporaryDirectory() as folder:
        if network is None and found.runtime != "torch":
            from pipeline.image_features.load_backbone import load_same_backbone
            from pipeline.image_features.runtimes.onnx_export import ExportError, export_onnx

            network = Path(folder) / "model.onnx"
            try:
                export_onnx(load_same_backbone(found), network)
            except ExportError as error:
                raise InputError(
                    f"image features of {found.backbone} were made with {found.runtime}, which "
                    f"cannot run it here ({error}); run image_features with image.runtime torch"
                ) from error
        return PictureEncoder(found, open_runner(found, network, "cpu", 1, threads=usable_cores()))


def are_finite(vector_BI: np.ndarray) -> np.ndarray:
    """[B, I] -> [B] bool: false where a feature is NaN or infinite, as fp16 may make it."""
    return np.isfinite(vector_BI).all(axis=1)


def _result(batch: tuple[list, Callable[[], np.ndarray]]) -> tuple[list, np.ndarray]:
    names, wait = batch
    return names, wait()[: len(names)]
