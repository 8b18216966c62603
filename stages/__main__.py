"""`huse`: every command of the pipeline under one name."""

import importlib
import inspect
from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated, Any, cast

import typer
from typer.core import TyperCommand, TyperGroup

from stages.command import one_line_errors

STAGES = (
    "catalog",
    "clean_text",
    "image_features",
    "text_block",
    "text_features",
    "semantic_graph",
    "train",
    "baseline",
    "attributes",
    "evaluate",
    "audit",
    "index",
)
USES = (
    *("compare", "review", "refile", "embed", "add_class"),
    *("classify", "search", "map", "explore", "serve", "drift", "export", "publish"),
)
"""What to do with what the stages made; these commands read what the stages wrote and are none."""
COMMANDS = ("init", "sample_catalog", "fetch_pictures", *STAGES, *USES, "cache")

GROUPS = {"index": "stages.index_changes"}
"""Commands that have commands of their own beside what they do alone, and where these are."""


class _LazyGroup(TyperGroup):
    """Imports a command's module when the command is asked for: torch takes seconds to import."""

    # Typer's own base class is annotated with a private copy of click's types.
    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return list(COMMANDS)

    def get_command(  # type: ignore[override]
        self, ctx: typer.Context, cmd_name: str
    ) -> TyperCommand | None:
        name = cmd_name.replace("-", "_")
        if name not in COMMANDS:
            return None
        single = typer.Typer(name=name, add_completion=False)
        main = one_line_errors(importlib.import_module(f"stages.{name}").main)
        if name not in GROUPS:
            single.command(name)(main)
            return cast(TyperCommand, typer.main.get_command(single))

        single.callback(invoke_without_command=True)(_unless_followed(main))
        for other, function in importlib.import_module(GROUPS[name]).COMMANDS.items():
            single.command(other)(one_line_errors(function))
        return cast(TyperCommand, typer.main.get_command(single))


def _unless_followed(main: Callable[..., None]) -> Callable[..., None]:
    """Make of a command what does nothing where one of its own commands is called."""

    def alone(ctx: typer.Context, **options: Any) -> None:
        if ctx.invoked_subcommand is None:
            main(**options)

    signature = inspect.signature(main)
    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    alone.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[context, *signature.parameters.values()]
    )
    alone.__annotations__ = {"ctx": typer.Context, **main.__annotations__}
    alone.__doc__ = main.__doc__
    return alone


app = typer.Typer(cls=_LazyGroup, add_completion=False, no_args_is_help=True)


def show_version(wanted: bool) -> None:
    """Print which version of the program this is, and end."""
    if wanted:
        typer.echo(f"huse {version('huse-pipeline')}")
        raise typer.Exit


@app.callback()
def main(
    _: Annotated[
        bool,
        typer.Option("--version", callback=show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Learn one embedding space for the images and texts of a catalogue.

    `dvc repro` runs the stages that need it; each stage is a command too and then runs as dvc.yaml
    does. The commands behind them use what was trained; `cache` shows what is stored between runs.
    """


if __name__ == "__main__":
    app()
