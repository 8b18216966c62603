"""New items -> embeddings."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.core.counted import counted
from pipeline.core.errors import InputError
from stages.command import (
    ImageColumn,
    LoggedAt,
    LogPath,
    ModelPath,
    PicturesPath,
    RejectedPath,
    SeparatorImages,
    TableDelimiter,
    TableEncoding,
    TablePath,
    TableSheet,
    TextColumn,
    beside,
    rejected_rows,
    run,
    warner,
)
from stages.new_items import read_rows, recorder
from stages.paths import MODEL


def main(
    table: TablePath,
    images: PicturesPath = None,
    out: Annotated[Path, typer.Option(help="Parquet file to write the embeddings to.")] = Path(
        "embeddings.parquet"
    ),
    rejected: RejectedPath = None,
    image_column: ImageColumn = None,
    text_column: TextColumn = None,
    separator_images: SeparatorImages = None,
    encoding: TableEncoding = None,
    delimiter: TableDelimiter = "auto",
    sheet: TableSheet = None,
    log: LogPath = None,
    logged_at: LoggedAt = None,
    model: ModelPath = MODEL,
) -> None:
    """Embed new items from their pictures, their texts or both."""
    from pipeline.use.api import Huse
    from pipeline.use.new_items import refuse_if_empty
    from pipeline.use.write_embeddings import write_embedded

    if out.suffix != ".parquet":
        raise InputError(
            f"--out: {out} does not end in .parquet, which the embeddings are stored as"
        )
    huse = Huse.load(model, warn=warner("embed"))
    listed = rejected or beside(out)
    batches = read_rows(
        "embed",
        huse,
        table,
        images,
        image_column=image_column,
        text_column=text_column,
        separator_images=separator_images,
        encoding=encoding,
        delimiter=delimiter,
        sheet=sheet,
    )
    counts = write_embedded(huse, out, listed, batches, recorder(huse, table, log, logged_at))
    refuse_if_empty(counts.used, listed, table)
    used = counted(counts.used, "item")
    typer.echo(f"embed: {used} in {out}; {rejected_rows(counts.rejected, listed)}")


if __name__ == "__main__":
    run(main)
