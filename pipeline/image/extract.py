"""Pictures -> feature vectors in Parquet, streamed batch by batch.

Shape letters: B batch, I image feature.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch
from PIL import Image
from tqdm import tqdm

from pipeline.errors import InputError
from pipeline.files.vectors import VectorWriter, vector_array
from pipeline.image.backbones import BACKBONES
from pipeline.image.backbones.backbone import Backbone
from pipeline.image.decode import UnreadableImageError, decode_image


class Picture(NamedTuple):
    """One picture to extract."""

    item_id: str
    path: Path


class Failure(NamedTuple):
    """One picture that could not be used."""

    item_id: str
    image: str
    reason: str


def load_backbone(name: str, layer: str) -> Backbone:
    """Look a backbone up and load it.

    Args:
        name: A key of `BACKBONES`.
        layer: `pooled` or `logits`.

    Returns:
        The backbone in evaluation mode.

    Raises:
        InputError: The name is unknown or its weights are missing.
    """
    if name not in BACKBONES:
        raise InputError(f"image.backbone: got {name!r}; known: {', '.join(BACKBONES)}")
    return BACKBONES[name](layer)


def extract_features(
    pictures: Sequence[Picture],
    backbone: Backbone,
    out: Path,
    *,
    batch_size: int,
    device: torch.device,
    background: str,
    metadata: dict[str, str],
) -> list[Failure]:
    """Write `item_id, view, vector` for every readable picture, in the order given.

    Memory is bounded by two batches: one on the device, one being decoded.

    Args:
        pictures: Item ids with their files.
        backbone: The frozen network.
        out: Parquet file.
        batch_size: Pictures per forward pass.
        device: Where the network runs.
        background: Colour under transparent pixels, `#rrggbb`.
        metadata: What else made the features; stored in the file with the backbone's own facts.

    Returns:
        The pictures that were kept out, with reasons.

    Raises:
        InputError: The folder cannot be written to.
    """
    schema = pa.schema(
        [
            ("item_id", pa.string()),
            ("view", pa.int8()),
            ("vector", pa.list_(pa.float32(), backbone.dimension)),
        ]
    )
    made_by = {
        "weights_digest": backbone.weights_digest,
        "dimension": str(backbone.dimension),
        "transform": f"resize {backbone.size} bicubic, mean {backbone.mean}, std {backbone.std}",
        "background": background,
        **metadata,
    }
    failures: list[Failure] = []
    module = backbone.module.to(device).to(memory_format=torch.channels_last)
    mean = torch.tensor(backbone.mean, device=device).view(3, 1, 1)
    std = torch.tensor(backbone.std, device=device).view(3, 1, 1)
    with VectorWriter(out, schema, made_by) as writer, torch.inference_mode():
        for ids, pixels_BHWC in _batches(pictures, batch_size, backbone.size, background, failures):
            # Bytes travel to the device and become floats there: a quarter of the traffic.
            pixels = torch.from_numpy(pixels_BHWC).to(device).permute(0, 3, 1, 2).float()
            vector_BI = module((pixels - mean) / std).float().cpu().numpy()
            view_B = pa.array(np.zeros(len(ids), dtype=np.int8))
            writer.append([pa.array(ids), view_B, vector_array(vector_BI)])
    return failures


def _batches(
    pictures: Sequence[Picture],
    batch_size: int,
    size: int,
    background: str,
    failures: list[Failure],
) -> Iterator[tuple[list[str], np.ndarray]]:
    """Decode the next batch in a thread while the caller works on this one."""

    def decode(start: int) -> list[np.ndarray | str]:
        batch = pictures[start : start + batch_size]
        return [_pixels_or_reason(picture.path, size, background) for picture in batch]

    starts = range(0, len(pictures), batch_size)
    with (
        ThreadPoolExecutor(max_workers=1) as pool,
        tqdm(total=len(pictures), desc="image features", unit="picture", disable=None) as progress,
    ):
        upcoming = pool.submit(decode, 0)
        for start in starts:
            decoded = upcoming.result()
            upcoming = pool.submit(decode, start + batch_size)
            batch = pictures[start : start + batch_size]
            good: list[np.ndarray] = []
            ids: list[str] = []
            for picture, result in zip(batch, decoded, strict=True):
                if isinstance(result, str):
                    failures.append(Failure(picture.item_id, str(picture.path), result))
                else:
                    ids.append(picture.item_id)
                    good.append(result)
            if good:
                yield ids, np.stack(good)
            progress.update(len(batch))


def _pixels_or_reason(path: Path, size: int, background: str) -> np.ndarray | str:
    try:
        image = decode_image(path, background)
    except UnreadableImageError as error:
        return str(error)
    if image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BICUBIC)
    return np.asarray(image)
