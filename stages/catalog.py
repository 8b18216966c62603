"""The user's table -> items, pictures by content, classes, splits, rejected rows."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.core.counted import counted
from pipeline.core.errors import InputError
from stages.command import (
    ParamsPath,
    rejected_rows,
    run,
    warner,
)
from stages.dvc_cache import digest_cache, tracked_contents
from stages.paths import (
    ATTRIBUTES,
    CLASSES,
    GROUPS,
    INCOMPLETE,
    ITEM_PICTURES,
    ITEMS,
    PARAMS,
    PICTURES,
    PLACEHOLDERS,
    REJECTED,
    SPLITS,
    SUMMARY,
)


def main(
    params: ParamsPath = PARAMS,
    items: Annotated[Path, typer.Option(help="Where to write the usable items.")] = ITEMS,
    splits: Annotated[Path, typer.Option(help="Where to write each item's split.")] = SPLITS,
    groups: Annotated[
        Path, typer.Option(help="Where to write which items are kept together.")
    ] = GROUPS,
    pictures: Annotated[
        Path, typer.Option(help="Where to write the digest of each picture.")
    ] = PICTURES,
    item_pictures: Annotated[
        Path, typer.Option(help="Where to write which pictures each item has.")
    ] = ITEM_PICTURES,
    attributes: Annotated[
        Path, typer.Option(help="Where to write what else is kept of each item.")
    ] = ATTRIBUTES,
    classes: Annotated[Path, typer.Option(help="Where to write the class list.")] = CLASSES,
    rejected: Annotated[Path, typer.Option(help="Where to list unusable rows.")] = REJECTED,
    incomplete: Annotated[
        Path, typer.Option(help="Where to list items without a picture or without a text.")
    ] = INCOMPLETE,
    placeholders: Annotated[
        Path, typer.Option(help="Where to list pictures and texts that stand for no item.")
    ] = PLACEHOLDERS,
    summary: Annotated[Path, typer.Option(help="Where to write what there is.")] = SUMMARY,
) -> None:
    """Read and check the catalogue, name its items, list its classes and split it."""
    from pipeline.catalog.attributes import describe_attributes, make_attributes, read_kept
    from pipeline.catalog.components import find_components, number_values
    from pipeline.catalog.items import ITEM_COLUMNS, doubt_incomplete, make_items
    from pipeline.catalog.near_text import near_text, plain_text
    from pipeline.catalog.placeholders import (
        doubt_placeholders,
        find_placeholders,
        without_placeholders,
    )
    from pipeline.catalog.read import read_catalog
    from pipeline.catalog.settings import CatalogSettings, SplitSettings
    from pipeline.catalog.split import make_splits
    from pipeline.catalog.split_doubts import advise_on_size, doubt_classes, doubt_splits
    from pipeline.catalog.summary import describe, describe_noise, summarise
    from pipeline.core.csv_file import write_csv
    from pipeline.core.json_file import write_json
    from pipeline.core.location import locate
    from pipeline.core.params import load_section
    from pipeline.core.table import write_table
    from pipeline.features.attributes import write_attributes
    from pipeline.features.classes import doubt_separator, make_classes
    from pipeline.features.shared import REQUIRE
    from pipeline.pictures.digests import contents, digest_pictures
    from pipeline.pictures.folder import WEB, open_images

    p = load_section(params, "catalog", CatalogSettings)
    split = load_section(params, "split", SplitSettings)
    if Path(p.path).is_dir() and Path(p.images).absolute() != Path(p.path).absolute():
        raise InputError(
            f"catalog.images: {p.images}, but catalog.path is a folder, whose pictures are meant; "
            f"set catalog.images: {p.path}"
        )
    table = read_catalog(Path(p.path), p.columns, p.form)
    if urls := table["image"].str.match(WEB).sum():
        warner("catalog")(
            f"{counted(urls, 'row')} name their picture by a URL; huse fetch_pictures downloads "
            "these and makes a table without URLs"
        )
    kept = read_kept(Path(p.path), p.columns.keep, p.form)
    folder = open_images(locate(p.images, "catalog.images"), tracked_contents())
    made = make_items(
        table,
        folder,
        separator=p.separator,
        separator_images=p.columns.separator_images,
        require=p.require,
        on_bad_row=p.on_bad_row,
        warn=warner("catalog"),
    )
    found, shown = made.items, made.pictures
    digests = digest_pictures(shown["image"], folder, digest_cache(pictures))
    shown["digest"] = contents(shown["image"], digests)
    made = made._replace(pictures=shown.drop_duplicates(["item_id", "digest"]))
    found["digest"] = contents(found["image"], digests)
    found["plain_text"] = found["text"].map(plain_text)
    found["near_text"] = found["text"].map(near_text)
    common = find_placeholders(found, made.pictures, p.placeholders)
    found, bad, lacking, shown = without_placeholders(made, table, common, p.require)
    together = number_values(found, shown, common.loc[common["kind"] == "text", "value"])
    together.insert(1, "group", find_components(together, split.keep_together))
    said = make_attributes(kept, found, warner("catalog"))
    class_list = make_classes(found["class_path"], separator=p.separator, label=p.label)
    split_table = make_splits(found, class_list, together["group"].to_numpy(), split)
    doubts = (
        describe_noise(table["text"]),
        *doubt_placeholders(common),
        doubt_incomplete(lacking, len(found)),
        doubt_separator(class_list),
        *doubt_splits(together, split_table),
        doubt_classes(found, split_table, class_list, test=split.test),
    )
    for doubt in filter(None, doubts):
        warner("catalog")(doubt)
    write_table(items, found[ITEM_COLUMNS])
    write_table(pictures, digests.merge(shown[["image"]].drop_duplicates()))
    write_table(item_pictures, shown[["item_id", "image"]])
    write_attributes(attributes, said)
    write_table(splits, split_table, {REQUIRE: p.require})
    write_table(groups, together.drop(columns="tied_text"))
    write_json(classes, class_list)
    write_csv(rejected, bad)
    write_csv(incomplete, lacking)
    write_csv(placeholders, common)
    figures = summarise(table, found, shown, bad, common, together["group"], p.separator)
    write_json(summary, figures)
    if p.columns.keep:
        typer.echo(f"catalog: kept {describe_attributes(said)}")
    sizes = split_table["split"].value_counts().reindex(["train", "val", "test"], fill_value=0)
    typer.echo(
        f"catalog: {counted(len(found), 'item')} in "
        f"{counted(len(class_list['classes']), 'class')} "
        f"(train {sizes['train']}, val {sizes['val']}, test {sizes['test']}); "
        f"{rejected_rows(len(bad), rejected)}"
    )
    lines = [*describe(figures)]
    if advice := advise_on_size(split_table):
        lines.append(("expect", advice))
    for of, what in lines:
        typer.echo(f"  {of:<14} {what}")


if __name__ == "__main__":
    run(main)
