"""Arrow files named by the digest of their own bytes, so that a damaged one is recognised."""

import hashlib
from pathlib import Path

import pyarrow as pa

SUFFIX = ".arrow"


def seal(table: pa.Table) -> tuple[str, pa.Buffer]:
    """Turn a table into a file, which the caller writes whole and nobody changes.

    Args:
        table: What to keep.

    Returns:
        The file's name and bytes.
    """
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    data = sink.getvalue()
    return sealed_name(data), data


def sealed_name(data: pa.Buffer) -> str:
    """Name a file.

    Args:
        data: Its bytes.

    Returns:
        The name that undamaged bytes go by.
    """
    return hashlib.blake2b(data, digest_size=16).hexdigest() + SUFFIX


def read_sealed(path: Path) -> pa.Table | None:
    """Open a file and compare it with its name.

    Args:
        path: A file on this machine.

    Returns:
        The table, whose columns stay in the mapped file; None if the file is damaged.

    Raises:
        OSError: It cannot be read, which says nothing about what it holds.
    """
    try:
        with pa.memory_map(str(path)) as source:
            data = source.read_buffer()
            return pa.ipc.open_file(data).read_all() if sealed_name(data) == path.name else None
    except pa.ArrowInvalid:
        return None
