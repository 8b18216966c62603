"""One block of text features in Parquet, and several blocks joined to the feature table.

Shape letters: N texts, E features, S values of a sparse block.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_matrix

from pipeline.core.block import Block
from pipeline.core.errors import InputError
from pipeline.core.table import open_parquet
from pipeline.core.vectors import (
    ROW_GROUP,
    as_one,
    numbers,
    vector_array,
    vector_matrix,
    vector_writer,
)


def columns_of(name: str, block: Block) -> dict[str, pa.Array]:
    """Arrow columns of a block.

    Returns:
        Column `name` with fixed-size lists, or `name_indices` and `name_values` with lists of the
        columns that are not zero and their values.
    """
    if not isinstance(block, csr_matrix):
        return {name: vector_array(block)}
    offsets = pa.array(block.indptr.astype(np.int32))
    return {
        f"{name}_indices": pa.ListArray.from_arrays(
            offsets, pa.array(block.indices.astype(np.int32))
        ),
        f"{name}_values": pa.ListArray.from_arrays(
            offsets, pa.array(block.data.astype(np.float32))
        ),
    }


def write_block(
    path: Path,
    name: str,
    pieces: Iterator[tuple[Sequence[str], Block]],
    metadata: Mapping[str, str],
) -> tuple[int, int, int]:
    """Write the block's file piece by piece.

    Returns:
        Number of texts, of features, and of texts whose features are all zero.

    Raises:
        InputError: The file cannot be written.
    """
    ids, block = next(pieces)
    features = block.shape[1]
    noted = {f"{name}.{key}": value for key, value in metadata.items()}
    noted[f"{name}.columns"] = str(features)
    fields = [(key, column.type) for key, column in columns_of(name, block).items()]
    schema = pa.schema([("item_id", pa.string()), *fields])
    num_texts = num_empty = 0
    with vector_writer(path, schema, noted) as writer:
        while True:
            writer.append([pa.array(ids, pa.string()), *columns_of(name, block).values()])
            num_texts += len(ids)
            num_empty += len(ids) - len(np.unique(block.nonzero()[0]))
            following = next(pieces, None)
            if following is None:
                return num_texts, features, num_empty
            ids, block = following


def read_block(path: Path, name: str) -> Block:
    """Read what `write_block` wrote.

    Returns:
        [N, E] float32, whatever it was written as; a CSR matrix of a sparse block.

    Raises:
        InputError: The file is missing or damaged.
    """
    file = open_parquet(path, ["item_id"])
    names = [name] if name in file.schema_arrow.names else [f"{name}_indices", f"{name}_values"]
    open_parquet(path, names)
    width = (file.schema_arrow.metadata or {}).get(f"{name}.columns".encode(), b"0")
    return block_of(file.read(names), name, int(width))


def block_of(table: pa.Table, name: str, width: int) -> Block:
    """Put together what `columns_of` took apart; only a sparse block needs its `width` E."""
    if name in table.column_names:
        return vector_matrix(table[name]).astype(np.float32, copy=False)
    column_N, value_N = (as_one(table[f"{name}_{one}"]) for one in ("indices", "values"))
    # Copies, since SciPy may put the columns of a row in order in place.
    parts = (numbers(one).copy() for one in (value_N.flatten(), column_N.flatten()))
    return csr_matrix((*parts, numbers(column_N.offsets).copy()), shape=(len(table), width))


def join_blocks(paths: Mapping[str, Path], out: Path, metadata: Mapping[str, str]) -> int:
    """Put blocks side by side, row group by row group.

    Args:
        paths: Block name to its file, in the order of the columns.
        out: The text feature table: item_id and the columns of every block.
        metadata: What else made the table; the blocks' own metadata go beside it.

    Raises:
        InputError: A file is missing or damaged, or the blocks are not of the same items.
    """
    files = {name: open_parquet(path, ["item_id"]) for name, path in paths.items()}
    fields: list[pa.Field] = [pa.field("item_id", pa.string())]
    noted = dict(metadata)
    for name, file in files.items():
        schema = file.schema_arrow
        fields += [field for field in schema if field.name != "item_id"]
        for key, value in (schema.metadata or {}).items():
            if key.decode().startswith(f"{name}."):
                noted[key.decode()] = value.decode()
    num_texts = 0
    readers = [file.iter_batches(ROW_GROUP) for file in files.values()]
    counts = {file.metadata.num_rows for file in files.values()}
    with vector_writer(out, pa.schema(fields), noted) as writer:
        for batches in zip(*readers, strict=len(counts) == 1):
            ids = batches[0]["item_id"]
            if len(counts) > 1 or any(not batch["item_id"].equals(ids) for batch in batches):
                raise InputError(
                    f"{', '.join(map(str, paths.values()))}: not of the same items; run stage "
                    "text_block again"
                )
            columns = [ids]
            for batch in batches:
                columns += batch.drop_columns(["item_id"]).columns
            writer.append(columns)
            num_texts += len(ids)
    return num_texts
