"""Trained model and its catalogue -> ONNX, a Parquet file, a vector store."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipeline.core.counted import counted
from pipeline.core.errors import InputError
from stages.command import IndexPath, ModelPath, from_extra, require_folder, run, warner
from stages.paths import EMBEDDINGS, INDEX, MODEL, PARAMS

if TYPE_CHECKING:
    from pipeline.stores.store import Store

NAME = "items"
OUT = {
    "onnx": "model.onnx",
    "parquet": "items.parquet",
    "lancedb": "lancedb",
    "qdrant": "qdrant",
}
"""Where things go if nobody says; PostgreSQL is found by its own means."""
STORES = ("lancedb", "qdrant", "pgvector")


def main(
    to: Annotated[
        Literal["onnx", "parquet", "lancedb", "qdrant", "pgvector"],
        typer.Option(
            help="onnx: the towers and the classifier; parquet: a file of the items with their "
            "pictures; lancedb, qdrant, pgvector: the items, in a vector store.",
        ),
    ] = "onnx",
    out: Annotated[
        str | None,
        typer.Option(
            help="The file; the folder of a store, or its URL. If not given, model.onnx, "
            "items.parquet, lancedb or qdrant. PostgreSQL is found by PGHOST, PGDATABASE "
            "and so on.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="Table or collection in a vector store.")] = NAME,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Make a collection anew that is of another model."),
    ] = False,
    keep_others: Annotated[
        bool,
        typer.Option(
            "--keep-others",
            help="Leave items in the collection that are no longer in the catalogue.",
        ),
    ] = False,
    images: Annotated[
        str | None,
        typer.Option(
            help="Folder of the pictures or its URI, for parquet; if not given, catalog.images."
        ),
    ] = None,
    model: ModelPath = MODEL,
    index: IndexPath = INDEX,
    embeddings: Annotated[
        Path, typer.Option(help="Embeddings that the evaluate stage wrote.")
    ] = EMBEDDINGS,
) -> None:
    """Export the model as ONNX, or the catalogue with its embeddings for other programs."""
    if to not in STORES and (replace or keep_others or name != NAME):
        raise InputError(
            f"export: --name, --replace and --keep-others are for {', '.join(STORES)}, not {to}"
        )
    if to == "pgvector" and out is not None:
        raise InputError(
            "export: --out: PostgreSQL is found by PGHOST, PGDATABASE, PGUSER, PGSERVICE and so on "
            "in the environment, and its password in PGPASSWORD or ~/.pgpass"
        )
    out = out or OUT.get(to, "")
    if to == "onnx":
        _export_onnx(Path(out), model)
    elif to == "parquet":
        _export_items(Path(out), images, model, index, embeddings)
    else:
        with from_extra(f"export --to {to}", to):
            store = _open(to, out, name)
        with closing(store):
            _export_to(store, model, index, embeddings, replace=replace, keep_others=keep_others)


def _export_onnx(out: Path, model: Path) -> None:
    from pipeline.model.description import TOWERS
    from pipeline.use.network import copy_network

    if copy_network(model, out):
        typer.echo(f"export: {out}, a copy of {model / TOWERS}")
        return
    from pipeline.model.model_file import load_model
    from pipeline.model.onnx_file import export_onnx

    difference = export_onnx(load_model(model), out)
    typer.echo(f"export: {out}; differs from torch by at most {difference:.1e}")


def _export_items(
    out: Path, images: str | None, model: Path, index: Path, embeddings: Path
) -> None:
    from pipeline.core.params import read_value
    from pipeline.index.stored_index import load_index
    from pipeline.model.description import read_model_file
    from pipeline.stores.evaluated import EvaluatedItems
    from pipeline.stores.parquet_file import write_items
    from pipeline.stores.rows import ItemRows

    if out.suffix != ".parquet":
        raise InputError(f"--out: {out} does not end in .parquet, which the items are stored as")
    folder = require_folder("catalog.images", images or read_value(PARAMS, "catalog.images"))
    found = load_index(index, model=model, warn=warner("export"))
    evaluated = EvaluatedItems(embeddings, found)
    recipe = read_model_file(model)["recipe"]["image"]
    background = recipe.get("background", "#ffffff")
    rows = ItemRows(found, evaluated)
    number = write_items(out, found, rows, evaluated, folder, background)
    typer.echo(f"export: {counted(number, 'item')} in {out}")


def _open(to: str, out: str, name: str) -> Store:
    if to == "lancedb":
        from pipeline.stores.lancedb_store import LancedbStore

        return LancedbStore(out, name)
    if to == "qdrant":
        from pipeline.stores.qdrant_store import QdrantStore

        return QdrantStore(out, name)
    from pipeline.stores.pgvector_store import PgvectorStore

    return PgvectorStore(name)


def _export_to(
    store: Store, model: Path, index: Path, embeddings: Path, *, replace: bool, keep_others: bool
) -> None:
    from pipeline.index.stored_index import load_index
    from pipeline.stores.evaluated import EvaluatedItems
    from pipeline.stores.mirror import mirror
    from pipeline.stores.rows import ItemRows

    found = load_index(index, model=model, warn=warner("export"))
    # The only kind of index whose own vectors are not the model's.
    exact = EvaluatedItems(embeddings, found) if found.description["kind"] == "ivfpq" else None
    done = mirror(ItemRows(found, exact), store, replace=replace, keep_others=keep_others)
    deleted = f"; {counted(done.deleted, 'item')} deleted" if done.deleted else ""
    typer.echo(f"export: {counted(done.written, 'item')} in {store.place}{deleted}")


if __name__ == "__main__":
    run(main)
