"""Items -> clean texts."""

from pathlib import Path
from typing import Annotated

import typer

from stages.command import ItemsPath, ParamsPath, run
from stages.paths import CLEAN_TEXT, ITEMS, PARAMS


def main(
    params: ParamsPath = PARAMS,
    items: ItemsPath = ITEMS,
    out: Annotated[Path, typer.Option(help="Where to write the clean texts.")] = CLEAN_TEXT,
) -> None:
    """Clean every item's text with the recipe of params.yaml."""
    from pipeline.clean_text.cleaning import Cleaning
    from pipeline.clean_text.settings import CleanTextSettings
    from pipeline.core.params import load_section
    from pipeline.core.table import read_table, write_table

    p = load_section(params, "clean_text", CleanTextSettings)
    table = read_table(items, ["item_id", "text"])
    cleaning = Cleaning.choose(p.recipe, p.fold_accents)
    table["clean_text"] = cleaning(table["text"].tolist())
    write_table(out, table[["item_id", "clean_text"]], cleaning.metadata)
    texts = table[table["text"] != ""]
    empty = int((texts["clean_text"] == "").sum())
    typer.echo(f"clean_text: {len(texts)} texts, {empty} of them empty after cleaning")


if __name__ == "__main__":
    run(main)
