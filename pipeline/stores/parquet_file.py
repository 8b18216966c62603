"""The items as one Parquet file that shows their pictures wherever it is opened.

Shape letters: N items, M items of a batch.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pyarrow as pa
from tqdm import tqdm

from pipeline.core.cores import usable_cores
from pipeline.core.location import Location
from pipeline.core.vectors import vector_writer
from pipeline.index.catalog_index import CatalogIndex
from pipeline.pictures.folder import picture_inside
from pipeline.pictures.thumbnail import thumbnail
from pipeline.stores.evaluated import PREDICTED, EvaluatedItems
from pipeline.stores.rows import ItemRows

SIDE = 224
"""Length of the longer side of a thumbnail in pixels."""
QUALITY = 85
AT_ONCE = 512
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
"""How `datasets` keeps pictures, which viewers know too."""
FEATURES = {"info": {"features": {"image": {"_type": "Image"}}}}
"""What `datasets` reads of a file's metadata, where a column is no plain one."""
FROM_INDEX = ["x", "y"]


def write_items(
    path: Path,
    index: CatalogIndex,
    rows: ItemRows,
    evaluated: EvaluatedItems,
    pictures: Location,
    background: str,
) -> int:
    """Write one row per item: the columns of `rows`, with `image` as a thumbnail, and some more.

    These are `predicted_path` and `score`, null where an item was added later, `x` and `y`. A
    thumbnail is a JPEG of at most SIDE pixels, and null of an item without a picture; a grey square
    stands for one that cannot be read.

    Args:
        path: The file.
        index: The index that `rows` are of.
        rows: The items.
        evaluated: What the evaluate stage wrote of them.
        pictures: The folder of the pictures.
        background: Colour under transparent pixels, `#rrggbb`.

    Returns:
        N.

    Raises:
        InputError: The file cannot be written.
    """
    *most, vector = rows.schema
    schema = pa.schema(
        [
            *(pa.field("image", IMAGE) if one.name == "image" else one for one in most),
            pa.field("predicted_path", pa.string()),
            pa.field("score", pa.float32()),
            *(pa.field(name, pa.float32()) for name in FROM_INDEX),
            vector,
        ]
    )
    metadata = {
        "huse": rows.description.dumps(),
        "huggingface": json.dumps(FEATURES),
    }
    with (
        vector_writer(path, schema, metadata) as writer,
        tqdm(total=len(rows), desc="items", unit="item", disable=None) as bar,
        ThreadPoolExecutor(usable_cores()) as threads,
    ):

        def draw(image: str) -> bytes | None:
            found = picture_inside(pictures, image) if image else None
            return None if found is None else _jpeg(found, background)

        for row_M, batch in rows.batches(AT_ONCE):
            names = batch["image"].to_pylist()
            drawn = pa.array(threads.map(draw, names), pa.binary())
            image_M = pa.StructArray.from_arrays(
                [drawn, pa.array(names, pa.string())], fields=list(IMAGE), mask=drawn.is_null()
            )
            predicted = evaluated.predicted(row_M)
            plane = index.items[FROM_INDEX].iloc[row_M]
            found = {
                **dict(zip(batch.column_names, batch.columns, strict=True)),
                "image": image_M,
                **{name: predicted[name] for name in PREDICTED},
                **{name: pa.array(plane[name], pa.float32()) for name in FROM_INDEX},
            }
            writer.append([_whole(found[name]) for name in schema.names])
            bar.update(len(batch))
    return len(rows)


def _jpeg(picture: Location, background: str) -> bytes:
    buffer = BytesIO()
    thumbnail(picture, SIDE, background).save(buffer, format="JPEG", quality=QUALITY)
    return buffer.getvalue()


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
