"""The folder of an index: `index.faiss`, `index.json`, words, and tables of its items."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NotRequired

import pyarrow as pa
import pyarrow.parquet as pq
from typing_extensions import TypedDict

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json_as, write_json
from pipeline.core.table import open_parquet
from pipeline.features.attributes import write_attributes
from pipeline.index.catalog_index import SHOWN, CatalogIndex
from pipeline.index.changes import (
    VECTOR,
    WITHOUT,
    Changes,
    read_changes,
    read_steadily,
)
from pipeline.index.item_pictures import FILE as PICTURES
from pipeline.index.item_pictures import ItemPictures
from pipeline.index.standing import describe, stand
from pipeline.index.vector_index import VectorIndex, read_faiss
from pipeline.index.words import FOLDER, WordIndex

FORMAT_VERSION = 2
DESCRIPTION = "index.json"
ITEMS = "items.parquet"
ATTRIBUTES = "attributes.parquet"
AGAIN = "run huse index again"


class _Words(TypedDict):
    mode: Literal["hybrid", "dense", "words"]
    weight: float
    digest: str


class IndexFile(TypedDict):
    """Content of index.json but for what `load_references` reads; see docs/model_format.md."""

    format_version: int
    model: str
    items: str
    kind: str
    modality: str
    separator: str
    words: NotRequired[_Words]


class _Named(TypedDict):
    weights_digest: str


def save_index(index: CatalogIndex, folder: Path, *, model: Path) -> None:
    """Write an index as it was made, without later changes; `index.json` names the model.

    Its pictures and references are there already, see `embed_pictures` and `fit_references`.

    Raises:
        InputError: There is no such model, or the folder cannot be written to.
    """
    index.vector_index.save(folder / "index.faiss")
    with atomic_path(folder / ITEMS) as temporary:
        pq.write_table(index.table.replace_schema_metadata(None), temporary)
    write_attributes(folder / ATTRIBUTES, index.attributes)
    described: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "model": model_digest(model),
        "items": _digest(folder / ITEMS, folder / ATTRIBUTES),
        **index.description,
    }
    if index.words is not None:
        index.words.save(folder / FOLDER)
        described["words"] = {**described["words"], "digest": index.words.digest}
    write_json(folder / DESCRIPTION, described)


def load_index(
    folder: Path, *, model: Path, warn: Callable[[str], None] = warnings.warn
) -> CatalogIndex:
    """Read an index, with what was added to it and removed from it since it was made.

    Args:
        folder: The index's folder; the changes are beside it.
        model: The folder of the model.
        warn: Takes one line where the changes cannot be searched, as they are another model's.

    Raises:
        InputError: A file is missing or damaged, of a newer format, or another model's.
    """
    made = _load_made(folder, model)

    def changed(changes: Changes) -> CatalogIndex:
        standing = stand(changes, made.table["item_id"], made.attributes, base_of(folder))
        if changes.model != made.description["model"]:
            if len(standing.items):
                warn(_other_model(changes))
            standing = standing.removals()
        elif standing.items.schema.field(VECTOR).type.list_size != made.vector_index.dimension:
            raise InputError(f"{changes.folder}: vectors of another length; {WITHOUT}")
        return made.changed(standing)

    return read_steadily(folder, changed) or made


def differs(index: CatalogIndex, folder: Path) -> str | None:
    """Say in what a search differs from the index that was just made; None: in nothing.

    Raises:
        InputError: A file of the changes is damaged.
    """
    changes = read_changes(folder)
    if changes is None:
        return None
    item_ids = index.table["item_id"]
    standing = stand(changes, item_ids, index.attributes, base_of(folder))
    if len(standing.items) and changes.model != read_index_file(folder)["model"]:
        return _other_model(changes)
    return f"{changes.folder}: searches differ from this index: {describe(standing, item_ids)}"


def read_description(folder: Path, model: Path) -> dict[str, Any]:
    """Read index.json.

    Raises:
        InputError: There is no index, or it is of a newer format, or another model's.
    """
    if not (folder / DESCRIPTION).is_file():
        raise InputError(f"{folder}: no index here; run dvc repro, or huse index")
    description: dict[str, Any] = {**read_index_file(folder)}
    if description["model"] != model_digest(model):
        raise InputError(
            f"{folder}: made by another model than {model}; run dvc repro, or huse index"
        )
    return description


def read_index_file(folder: Path) -> IndexFile:
    """Read index.json, whichever model it is of.

    Raises:
        InputError: It is missing or damaged, or of another format.
    """
    return read_json_as(folder / DESCRIPTION, IndexFile, AGAIN, version=FORMAT_VERSION)


def read_known(folder: Path) -> tuple[pa.ChunkedArray, pa.Table]:
    """Read the ids of the items that an index was made of, and their attributes.

    Raises:
        InputError: A file is missing or damaged.
    """
    item_ids = open_parquet(folder / ITEMS, ["item_id"]).read(["item_id"])
    attributes = open_parquet(folder / ATTRIBUTES, ["item_id"]).read()
    if len(attributes) != len(item_ids):
        raise InputError(f"{folder / ATTRIBUTES}: of another index; run huse index")
    return item_ids["item_id"], attributes


def base_of(folder: Path) -> str:
    """Name the making of an index: one of other items or by another model has another name."""
    description = read_index_file(folder)
    return f"{description['model']}-{description['items']}"


def model_digest(model: Path) -> str:
    """SHA-256 of a model's weights, as model.json has it; `load_model` checks that it is theirs.

    Raises:
        InputError: There is no model, or its file is damaged.
    """
    return read_json_as(model / "model.json", _Named, "train again")["weights_digest"]


def _load_made(folder: Path, model: Path) -> CatalogIndex:
    description = read_description(folder, model)
    items = open_parquet(folder / ITEMS, SHOWN).read(SHOWN)
    index = read_faiss(folder / "index.faiss")
    if index.ntotal != len(items):
        raise InputError(f"{folder}: {index.ntotal} vectors but {len(items)} items; run huse index")
    words = None
    if "words" in description:  # else it was put together without
        words = WordIndex.load(folder / FOLDER)
        if words.digest != description["words"]["digest"] or len(words) != len(items):
            raise InputError(f"{folder / FOLDER}: words of another index; run huse index")
    pictures = ItemPictures.load(folder) if (folder / PICTURES).exists() else None
    attributes = read_known(folder)[1]
    return CatalogIndex(VectorIndex(index), items, description, words, attributes, pictures)


def _other_model(changes: Changes) -> str:
    return (
        f"{changes.folder}: items that were added to the index or replaced in it are another "
        "model's and are not found; run huse index refresh"
    )


def _digest(*paths: Path) -> str:
    """SHA-256 of what files hold, one behind the other."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
