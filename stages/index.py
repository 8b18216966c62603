"""Embeddings -> searchable index."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.core.counted import counted
from pipeline.core.errors import InputError
from stages.command import (
    AttributesPath,
    ImageFeaturesPath,
    ItemsPath,
    ModelPath,
    ParamsPath,
    TextFeaturesPath,
    run,
    warner,
)
from stages.paths import (
    ATTRIBUTES,
    EMBEDDINGS,
    GROUPS,
    IMAGE_FEATURES,
    INDEX,
    ITEMS,
    MODEL,
    PARAMS,
    TEXT_FEATURES,
)


def main(
    params: ParamsPath = PARAMS,
    items: ItemsPath = ITEMS,
    attributes: AttributesPath = ATTRIBUTES,
    embeddings: Annotated[
        Path, typer.Option(help="Embeddings that the evaluate stage wrote.")
    ] = EMBEDDINGS,
    groups: Annotated[Path, typer.Option(help="What items have in common.")] = GROUPS,
    image_features: ImageFeaturesPath = IMAGE_FEATURES,
    text_features: TextFeaturesPath = TEXT_FEATURES,
    model: ModelPath = MODEL,
    out: Annotated[Path, typer.Option(help="Folder to write the index to.")] = INDEX,
) -> None:
    """Make the catalogue searchable by its embeddings."""
    import pyarrow as pa

    from pipeline.core.json_file import write_json
    from pipeline.core.params import load_section
    from pipeline.core.table import read_metadata, read_table
    from pipeline.features.attributes import read_attributes
    from pipeline.index.build import build_index, measure_recall
    from pipeline.index.catalog_index import CatalogIndex
    from pipeline.index.embed_pictures import embed_pictures
    from pipeline.index.fit_references import fit_references
    from pipeline.index.settings import IndexSettings
    from pipeline.index.stored_embeddings import choose_queries, read_modality
    from pipeline.index.stored_index import differs, model_digest, save_index
    from pipeline.index.vector_index import VectorIndex
    from pipeline.index.words import WordIndex
    from pipeline.model.description import read_model_file

    p = load_section(params, "index", IndexSettings)
    if read_metadata(embeddings).get("model") != model_digest(model):
        raise InputError(f"{embeddings}: made by another model than {model}; run huse evaluate")
    frame, vector_ND = read_modality(embeddings, p.modality)
    shown = read_table(items, ["item_id", "image", "text"])
    if gone := sorted(set(frame["item_id"]) - set(shown["item_id"])):
        raise InputError(f"{embeddings}: item {gone[0]} is not in {items}; run huse evaluate")
    frame = frame.merge(shown, "left", validate="1:1")
    said = read_attributes(attributes, frame["item_id"].tolist())
    built = build_index(vector_ND, {"flat": None, "hnsw": p.hnsw, "ivfpq": p.ivfpq}[p.kind])
    recall = measure_recall(built, vector_ND, choose_queries(embeddings))
    del vector_ND  # gigabytes of a large catalogue, which the index holds itself
    stored = read_model_file(model)
    near = fit_references(
        out,
        frame,
        groups=groups,
        features={"image": image_features, "text": text_features},
        recipe={**stored["recipe"]},
        share=p.near_share,
    )
    description = {
        "kind": p.kind,
        "modality": p.modality,
        "separator": stored["classes"]["separator"],
        "near": near,
        "words": p.words.model_dump(),
    }
    words = WordIndex.build(frame["text"].tolist())
    items = pa.Table.from_pandas(frame, preserve_index=False)
    searched = p.modality if p.pictures == "best" and p.modality != "text" else None
    embed_pictures(out, frame, image_features, model, embeddings=embeddings, searched=searched)
    index = CatalogIndex(VectorIndex(built), items, description, words, said)
    save_index(index, out, model=model)
    figures = {
        "items": len(frame),
        "words": words.size,
        "bytes": (out / "index.faiss").stat().st_size,
        "recall_at_10_of_flat": round(recall, 5),
    }
    write_json(out / "metrics.json", figures)
    limits = ", ".join(
        f"{modality}s not calibrated" if one["limit"] is None else f"{modality}s {one['limit']:.2f}"
        for modality, one in near.items()
    )
    typer.echo(
        f"index: {counted(len(frame), 'item')}, {counted(words.size, 'word')}, {p.kind}, "
        f"recall {recall:.4f} of exact search; near is within: {limits}"
    )
    if line := differs(index, out):
        warner("index")(line)


if __name__ == "__main__":
    run(main)
