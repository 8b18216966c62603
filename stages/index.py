"""Embeddings -> searchable index."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.errors import InputError
from pipeline.files.json_file import read_json, write_json
from pipeline.files.table import read_metadata, read_table
from pipeline.params.index import IndexParams
from pipeline.params.load import load_section
from pipeline.search.build import HnswSettings, IvfpqSettings, build_index, measure_recall
from pipeline.search.catalog_index import CatalogIndex, model_digest
from pipeline.search.embedded_items import read_modality
from pipeline.search.queries import choose_queries
from stages.command import ItemsPath, ModelPath, ParamsPath, run
from stages.paths import EMBEDDINGS, INDEX, ITEMS, MODEL, PARAMS


def main(
    params: ParamsPath = PARAMS,
    items: ItemsPath = ITEMS,
    embeddings: Annotated[
        Path, typer.Option(help="Embeddings that the evaluate stage wrote.")
    ] = EMBEDDINGS,
    model: ModelPath = MODEL,
    out: Annotated[Path, typer.Option(help="Folder to write the index to.")] = INDEX,
) -> None:
    """Make the catalogue searchable by its embeddings."""
    p = load_section(params, "index", IndexParams)
    settings = {
        "flat": None,
        "hnsw": HnswSettings(**p.hnsw.model_dump()),
        "ivfpq": IvfpqSettings(**p.ivfpq.model_dump()),
    }[p.kind]
    if read_metadata(embeddings).get("model") != model_digest(model):
        raise InputError(f"{embeddings}: made by another model than {model}; run huse evaluate")
    frame, vector_ND = read_modality(embeddings, p.modality)
    shown = read_table(items, ["item_id", "image", "text"])
    if gone := sorted(set(frame["item_id"]) - set(shown["item_id"])):
        raise InputError(f"{embeddings}: item {gone[0]} is not in {items}; run huse evaluate")
    frame = frame.merge(shown, "left", validate="1:1")
    built = build_index(vector_ND, settings)
    separator = read_json(model / "model.json")["classes"]["separator"]
    description = {"kind": p.kind, "modality": p.modality, "separator": separator}
    CatalogIndex(built, frame, description).save(out, model=model)
    recall = measure_recall(built, vector_ND, choose_queries(embeddings))
    figures = {
        "items": len(frame),
        "bytes": (out / "index.faiss").stat().st_size,
        "recall_at_10_of_flat": round(recall, 5),
    }
    write_json(out / "metrics.json", figures)
    typer.echo(f"index: {len(frame)} items, {p.kind}, recall {recall:.4f} of exact search")


if __name__ == "__main__":
    run(main)
