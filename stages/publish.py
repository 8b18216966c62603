"""A trained model on the Hugging Face hub, with its card."""

from typing import Annotated

import typer

from pipeline.core.counted import counted
from stages.command import IndexPath, ModelPath, run, warner
from stages.paths import INDEX, MODEL


def main(
    name: Annotated[str, typer.Argument(help="owner/name of the repository; made if need be.")],
    licence: Annotated[
        str,
        typer.Option(
            "--license",
            help="Of the model, as the hub abbreviates it, such as cc-by-4.0; other for any else.",
            show_default=False,
        ),
    ],
    public: Annotated[
        bool, typer.Option("--public", help="Make a new repository one that everybody sees.")
    ] = False,
    include_index: Annotated[
        bool,
        typer.Option(
            "--include-index",
            help="Publish the index too, which a search needs: it has the items' texts.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the card and name the files; send nothing.")
    ] = False,
    model: ModelPath = MODEL,
    index: IndexPath = INDEX,
) -> None:
    """Publish the trained model on the Hugging Face hub; HF_TOKEN says who you are."""
    from pipeline.use.api import Huse

    trained = Huse.load(model, index, warn=warner("publish"))
    if dry_run:
        typer.echo(trained.model_card(name, license=licence, include_index=include_index))
        files = trained.published_files(include_index=include_index)
        typer.echo(f"publish: {counted(len(files), 'file')} beside the card: {', '.join(files)}")
        return
    address = trained.push_to_hub(
        name, license=licence, private=not public, include_index=include_index
    )
    typer.echo(f"publish: {address}")


if __name__ == "__main__":
    run(main)
