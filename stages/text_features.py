"""Blocks of text features -> the feature table and the encoder of new texts."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.core.counted import counted
from stages.command import ParamsPath, run
from stages.paths import CLASS_NAMES, CLEAN_TEXT, PARAMS, TEXT_BLOCKS, TEXT_ENCODER, TEXT_FEATURES


def main(
    params: ParamsPath = PARAMS,
    blocks: Annotated[Path, typer.Option(help="Folder of the blocks.")] = TEXT_BLOCKS,
    texts: Annotated[Path, typer.Option(help="Clean texts.")] = CLEAN_TEXT,
    out: Annotated[Path, typer.Option(help="Where to write the features.")] = TEXT_FEATURES,
    class_names: Annotated[
        Path, typer.Option(help="Where to write the features of the class names.")
    ] = CLASS_NAMES,
    encoder: Annotated[
        Path, typer.Option(help="Folder to write the encoder of new texts to.")
    ] = TEXT_ENCODER,
) -> None:
    """Join the blocks of text.encoders, and keep their encoders for new texts."""
    from pipeline.clean_text.cleaning import BOILERPLATE, GOLDEN, Cleaning, write_featurizer_file
    from pipeline.core.atomic import atomic_path, copy_folder
    from pipeline.core.params import load_section
    from pipeline.core.table import read_metadata
    from pipeline.features.encoder_digest import KEY, check_encoder, encoder_digest
    from pipeline.features.text_file import join_blocks
    from pipeline.text_features.settings import TextSettings

    p = load_section(params, "text", TextSettings)
    made_by = read_metadata(texts)
    cleaning = Cleaning.from_metadata(made_by, texts)
    paths: dict[str, Path] = {name: blocks / name / "block.parquet" for name in p.encoders}
    noted: dict[str, dict[str, str]] = {name: read_metadata(path) for name, path in paths.items()}
    with atomic_path(encoder) as temporary:
        for name in p.encoders:
            made = blocks / name / "encoder"
            check_encoder(made, noted[name].get(f"{name}.{KEY}"), "run stage text_block again")
            copy_folder(made, temporary / name)
        inputs: dict[str, str] = {name: noted[name][f"{name}.input"] for name in p.encoders}
        # Before a model is trained on words that no new text has.
        cleaning.check(inputs, texts)
        write_featurizer_file(temporary, cleaning, inputs)
        # These are in the encoder's folder; what made the features is for people too.
        for name in (GOLDEN, BOILERPLATE):
            made_by.pop(name, None)
        digest = {KEY: encoder_digest(temporary)}
        num_texts = join_blocks(paths, out, made_by | digest)
        named = {name: path.with_name("class_names.parquet") for name, path in paths.items()}
        join_blocks(named, class_names, digest)
    typer.echo(f"text_features: {counted(num_texts, 'text')}, blocks {', '.join(p.encoders)}")


if __name__ == "__main__":
    run(main)
