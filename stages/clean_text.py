"""Items -> clean texts."""

from pathlib import Path
from typing import Annotated

import typer
from typing_extensions import TypedDict

from pipeline.core.counted import counted
from stages.command import ClassesPath, ItemsPath, ParamsPath, SplitsPath, run
from stages.paths import CLASSES, CLEAN_TEXT, GROUPS, ITEMS, PARAMS, SPLITS

SHOWN = 5
"""Sentences that are named."""


class Separated(TypedDict):
    """What is read of classes.json."""

    separator: str


def main(
    params: ParamsPath = PARAMS,
    items: ItemsPath = ITEMS,
    splits: SplitsPath = SPLITS,
    classes: ClassesPath = CLASSES,
    groups: Annotated[Path, typer.Option(help="What items have in common.")] = GROUPS,
    out: Annotated[Path, typer.Option(help="Where to write the clean texts.")] = CLEAN_TEXT,
) -> None:
    """Clean every item's text with the recipe of params.yaml."""
    from pipeline.clean_text.boilerplate import find_boilerplate
    from pipeline.clean_text.cleaning import Cleaning
    from pipeline.clean_text.hints import emptied_hint, language_hint
    from pipeline.clean_text.settings import CleanTextSettings
    from pipeline.core.json_file import read_json_as
    from pipeline.core.params import load_section
    from pipeline.core.table import read_table, write_table

    p = load_section(params, "clean_text", CleanTextSettings)
    table = read_table(items, ["item_id", "text", "class_path"])
    table = table.merge(read_table(groups, ["item_id", "group"]), "left", validate="one_to_one")
    table = table.merge(read_table(splits, ["item_id", "split"]), "left", validate="one_to_one")
    texts = table["text"].tolist()
    # By the classes of the training items alone: a test item must not say what is cut out of it.
    known = table[table["split"] == "train"]
    found = find_boilerplate(
        known["text"].tolist(),
        known["class_path"].tolist(),
        known["group"].tolist(),
        separator=read_json_as(classes, Separated, "run huse catalog")["separator"],
        share=p.boilerplate,
    )
    cleaning = Cleaning.choose(p.recipe, p.fold_accents, [one.key for one in found])
    table["clean_text"] = cleaned = cleaning(texts)
    write_table(out, table[["item_id", "clean_text"]], cleaning.metadata)
    kept = [pair for pair in zip(texts, cleaned, strict=True) if pair[0]]
    texts, cleaned = [text for text, _ in kept], [text for _, text in kept]
    emptied = cleaned.count("") or "none"
    typer.echo(f"clean_text: {counted(len(texts), 'text')}, {emptied} of them empty after cleaning")
    if found:
        changed = sum(text != said for text, said in zip(texts, cleaning.said(texts), strict=True))
        shown = ", ".join(
            f"{one.key!r} ({counted(one.texts, 'training text')})" for one in found[:SHOWN]
        )
        typer.echo(
            f"clean_text: {counted(len(found), 'sentence')} that many products of unlike classes "
            f"share (clean_text.boilerplate) left out of {counted(changed, 'text')}: {shown}"
            f"{', ...' if len(found) > SHOWN else ''}"
        )
    for hint in (language_hint(texts), emptied_hint(texts, cleaned, fold=p.fold_accents)):
        if hint is not None:
            typer.echo(f"clean_text: {hint}")


if __name__ == "__main__":
    run(main)
