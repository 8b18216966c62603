"""Blocks of text features -> the feature table and the encoder of new texts."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.files.atomic import atomic_path, copy_folder
from pipeline.files.table import read_metadata
from pipeline.params.load import load_section
from pipeline.params.text import TextParams
from pipeline.text.block_file import join_blocks
from pipeline.text.cleaning import Cleaning, write_featurizer_file
from stages.command import ParamsPath, run
from stages.paths import CLEAN_TEXT, PARAMS, TEXT_BLOCKS, TEXT_ENCODER, TEXT_FEATURES


def main(
    params: ParamsPath = PARAMS,
    blocks: Annotated[Path, typer.Option(help="Folder of the blocks.")] = TEXT_BLOCKS,
    texts: Annotated[Path, typer.Option(help="Clean texts.")] = CLEAN_TEXT,
    out: Annotated[Path, typer.Option(help="Where to write the features.")] = TEXT_FEATURES,
    encoder: Annotated[
        Path, typer.Option(help="Folder to write the encoder of new texts to.")
    ] = TEXT_ENCODER,
) -> None:
    """Join the blocks of text.encoders, and keep their encoders for new texts."""
    p = load_section(params, "text", TextParams)
    made_by = read_metadata(texts)
    paths: dict[str, Path] = {name: blocks / name / "block.parquet" for name in p.encoders}
    num_texts = join_blocks(paths, out, made_by)
    inputs: dict[str, str] = {
        name: read_metadata(path)[f"{name}.input"] for name, path in paths.items()
    }
    with atomic_path(encoder) as temporary:
        for name in p.encoders:
            copy_folder(blocks / name / "encoder", temporary / name)
        write_featurizer_file(temporary, Cleaning.from_metadata(made_by), inputs)
    typer.echo(f"text_features: {num_texts} texts, blocks {', '.join(p.encoders)}")


if __name__ == "__main__":
    run(main)
