"""The points of the report's map, with small pictures on one sheet.

Shape letters: M test items, S shown items.
"""

import base64
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image

from pipeline.core.location import Location
from pipeline.evaluate.plane import Plane, place
from pipeline.evaluate.predictions import Predicted
from pipeline.pictures.thumbnail import thumbnail

MOST_ITEMS = 1500
"""Items on the map, each with an image and a text point; keeps the page light."""
SIDE = 48
COLUMNS = 40
TEXT_LENGTH = 200
_READERS = 8


def map_points(
    test: dict[str, Predicted],
    items: pd.DataFrame,
    plane: Plane,
    top_level_M: Sequence[str],
    *,
    images: Location,
    background: str,
    seed: int,
) -> dict[str, Any]:
    """Gather what the map's script draws.

    Returns:
        Plain values: `items` (text, path, number of the top-level class), `classes` (top-level
        classes by falling number of test items), `points` by modality ([x, y] in 0..1, or None for
        an item that lacks the modality), and
        `sheet` (one WebP with the items' pictures, base64), `side` and `columns` of the sheet.
    """
    rows = np.random.default_rng(seed).permutation(len(items))[:MOST_ITEMS]
    rows.sort()
    shown = items.iloc[rows]
    classes = pd.Series(top_level_M, dtype=object).value_counts(sort=True).index.tolist()
    number = {name: position for position, name in enumerate(classes)}
    modalities = [name for name in test if name != "fused"]
    point_of = {name: test[name].embedding_ND[torch.from_numpy(rows)] for name in modalities}
    place_of = {name: _place(plane, point_ND) for name, point_ND in point_of.items()}
    return {
        "items": [
            [text[:TEXT_LENGTH], class_path, number[top_level_M[position]]]
            for position, text, class_path in zip(
                rows, shown["text"], shown["class_path"], strict=True
            )
        ],
        "classes": classes,
        "points": _to_unit_square(place_of) if len(rows) > 0 else {},
        "sheet": _sheet(
            [images / image if image else None for image in shown["image"]], background
        ),
        "side": SIDE,
        "columns": COLUMNS,
    }


def _place(plane: Plane, point_SD: torch.Tensor) -> np.ndarray:
    """[S, 2] places on the plane; NaN where there is no point."""
    has_S = ~point_SD[:, 0].isnan().numpy()
    xy_S2 = np.full((len(point_SD), 2), np.nan, dtype=np.float32)
    if has_S.any():
        xy_S2[has_S] = place(plane, point_SD[torch.from_numpy(has_S)]).numpy()
    return xy_S2


def _to_unit_square(place_of: dict[str, np.ndarray]) -> dict[str, list[list[float] | None]]:
    """Scale to 0..1; the outermost 1 % on each side moves to the edge, lest it shrinks the rest."""
    every_N2 = np.concatenate(list(place_of.values()))
    every_N2 = every_N2[~np.isnan(every_N2[:, 0])]
    low, high = np.quantile(every_N2, 0.01, axis=0), np.quantile(every_N2, 0.99, axis=0)
    span = np.maximum(high - low, 1e-9)
    return {
        name: [
            None if np.isnan(xy[0]) else xy
            for xy in ((xy_N2 - low) / span).clip(0, 1).round(4).tolist()
        ]
        for name, xy_N2 in place_of.items()
    }


def _sheet(paths: list[Location | None], background: str) -> str:
    lines = max(1, -(-len(paths) // COLUMNS))
    sheet = Image.new("RGB", (COLUMNS * SIDE, lines * SIDE), "white")
    # Reading waits for the disk or the network; decoding lets other threads run.
    with ThreadPoolExecutor(_READERS) as pool:
        pictures = list(
            pool.map(lambda path: thumbnail(path, SIDE, background) if path else None, paths)
        )
    for position, picture in enumerate(pictures):
        if picture is None:
            continue
        corner = (position % COLUMNS * SIDE, position // COLUMNS * SIDE)
        offset = ((SIDE - picture.width) // 2, (SIDE - picture.height) // 2)
        sheet.paste(picture, (corner[0] + offset[0], corner[1] + offset[1]))
    stream = io.BytesIO()
    sheet.save(stream, format="WEBP", quality=60)
    return base64.b64encode(stream.getvalue()).decode()
