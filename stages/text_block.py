"""Texts -> one block of text features per encoder, and the fitted encoder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.core.counted import counted
from pipeline.core.errors import InputError
from stages.command import ClassesPath, ItemsPath, ParamsPath, SplitsPath, run
from stages.dvc_cache import vector_cache
from stages.paths import CLASSES, CLEAN_TEXT, ITEMS, PARAMS, SPLITS, TEXT_BLOCKS

if TYPE_CHECKING:
    from pipeline.core.section import Section


def main(
    encoder: Annotated[
        str | None, typer.Argument(help="One of text.encoders; all of them if none is named.")
    ] = None,
    params: ParamsPath = PARAMS,
    items: ItemsPath = ITEMS,
    texts: Annotated[Path, typer.Option(help="Clean texts.")] = CLEAN_TEXT,
    splits: SplitsPath = SPLITS,
    classes: ClassesPath = CLASSES,
    out: Annotated[Path, typer.Option(help="Folder of the blocks.")] = TEXT_BLOCKS,
) -> None:
    """Fit a text encoder on the training texts and encode every text, and the class names."""
    from pipeline.clean_text.cleaning import Cleaning
    from pipeline.core.atomic import atomic_path
    from pipeline.core.machine import MachineSettings
    from pipeline.core.params import load_section
    from pipeline.core.table import read_metadata, read_table
    from pipeline.encoders.encoder import find_encoder
    from pipeline.features.classes import item_classes, read_classes
    from pipeline.features.encoder_digest import KEY, encoder_digest
    from pipeline.text_features.make_block import make_block
    from pipeline.text_features.settings import TEXT_ENCODERS, TextSettings

    p = load_section(params, "text", TextSettings)
    engine = load_section(params, "machine", MachineSettings).engine
    table = read_table(texts, ["item_id", "clean_text"])
    table = table.merge(read_table(splits, ["item_id", "split"]), validate="one_to_one")
    table = table.merge(read_table(items, ["item_id", "text"]), validate="one_to_one")
    # An item without a text has no features of one.
    table = table[table["text"] != ""]
    is_train = table["split"] == "train"
    entries = item_classes(read_classes(classes))
    names = [" ".join(entry["parts"]) for entry in entries]
    cleaning = Cleaning.from_metadata(read_metadata(texts), texts)
    table["text"] = cleaning.said(table["text"].tolist())
    names_read = {"text": cleaning.said(names), "clean_text": cleaning(names)}
    if encoder is not None and encoder not in TEXT_ENCODERS:
        raise InputError(f"unknown text encoder {encoder!r}; known: {', '.join(TEXT_ENCODERS)}")
    for name in p.encoders if encoder is None else [encoder]:
        settings: Section = getattr(p, name)
        column = getattr(settings, "input", "clean_text")
        fitted = find_encoder(name).fit(
            table[column].tolist(),
            table.loc[is_train, column].tolist(),
            settings,
            vector_cache("word", out),
        )
        with atomic_path(out / name / "encoder") as temporary:
            fitted.save(temporary)
        # Not how fast it was made: that would train the model anew.
        made_by = settings.model_dump(exclude={"batch_size", "device"})
        metadata = {key: str(value) for key, value in made_by.items()}
        metadata |= {"input": column, KEY: encoder_digest(out / name / "encoder")}
        cache = vector_cache("text", out)
        block = out / name / "block.parquet"
        ids, written = table["item_id"].tolist(), table[column].tolist()
        summary = make_block(block, name, fitted, ids, written, metadata, cache, engine)
        named = out / name / "class_names.parquet"
        class_ids = [entry["name"] for entry in entries]
        read = names_read[column]
        make_block(named, name, fitted, class_ids, read, metadata, cache, engine)
        typer.echo(
            f"text_block: {name}: {counted(summary.texts, 'text')}, "
            f"{counted(summary.features, 'feature')}; "
            f"{counted(summary.empty, 'text')} without any, "
            f"{summary.reused or 'none'} taken from an earlier run"
        )


if __name__ == "__main__":
    run(main)
