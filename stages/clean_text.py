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
    from pipeline.clean_text.hints import emptied_hint, language_hint
    from pipeline.clean_text.settings import CleanTextSettings
    from pipeline.core.params import load_section
    from pipeline.core.table import read_table, write_table

    p = load_section(params, "clean_text", CleanTextSettings)
    table = read_table(items, ["item_id", "text"])
    cleaning = Cleaning.choose(p.recipe, p.fold_accents)
    texts = table["text"].tolist()
    table["clean_text"] = cleaned = cleaning(texts)
    write_table(out, table[["item_id", "clean_text"]], cleaning.metadata)
    kept = [pair for pair in zip(texts, cleaned, strict=True) if pair[0]]
    texts, cleaned = [text for text, _ in kept], [text for _, text in kept]
    typer.echo(f"clean_text: {len(texts)} texts, {cleaned.count('')} of them empty after cleaning")
    for hint in (language_hint(texts), emptied_hint(texts, cleaned, fold=p.fold_accents)):
        if hint is not None:
            typer.echo(f"clean_text: {hint}")


if __name__ == "__main__":
    run(main)
