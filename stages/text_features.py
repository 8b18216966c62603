"""Clean texts -> text features and the fitted encoder."""

from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from pipeline.files.table import read_metadata, read_table
from pipeline.files.vectors import VectorWriter, vector_array
from pipeline.params.load import load_section
from pipeline.params.text import TextParams
from pipeline.text.weighted_glove import distinct_words, fit_weighted_glove
from pipeline.text.word_vectors import load_word_vectors
from stages.command import ParamsPath, SplitsPath, run
from stages.paths import CLEAN_TEXT, PARAMS, SPLITS, TEXT_ENCODER, TEXT_FEATURES


def main(
    params: ParamsPath = PARAMS,
    texts: Annotated[Path, typer.Option(help="Clean texts.")] = CLEAN_TEXT,
    splits: SplitsPath = SPLITS,
    out: Annotated[Path, typer.Option(help="Where to write the features.")] = TEXT_FEATURES,
    encoder: Annotated[
        Path, typer.Option(help="Folder to write the fitted encoder to.")
    ] = TEXT_ENCODER,
) -> None:
    """Fit the text encoder on the training texts and encode every text."""
    p = load_section(params, "text", TextParams)
    table = read_table(texts, ["item_id", "clean_text"])
    table = table.merge(read_table(splits, ["item_id", "split"]), validate="one_to_one")
    vectors = load_word_vectors(p.glove.vectors, distinct_words(table["clean_text"].tolist()))
    train_texts = table.loc[table["split"] == "train", "clean_text"].tolist()
    fitted = fit_weighted_glove(train_texts, vectors)
    vector_NE = fitted.encode(table["clean_text"].tolist())
    fitted.save(encoder)
    schema = pa.schema(
        [("item_id", pa.string()), ("glove", pa.list_(pa.float32(), vectors.vector_size))]
    )
    metadata = {**read_metadata(texts), "glove.vectors": p.glove.vectors}
    with VectorWriter(out, schema, metadata) as writer:
        writer.append([pa.array(table["item_id"], pa.string()), vector_array(vector_NE)])
    unknown = int((~vector_NE.any(axis=1)).sum())
    typer.echo(
        f"text_features: {len(table)} texts, {len(fitted.words)} known words, "
        f"{unknown} texts without any"
    )


if __name__ == "__main__":
    run(main)
