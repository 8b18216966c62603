"""What every command has in common: options, the check of params.yaml, errors in one line.

A command's file imports what it runs when it runs, within its functions: torch, pandas and the like
take seconds, which `--help` and a mistake in params.yaml need not wait for, and the processes that
extract image features import the file of their stage too.
"""

import functools
import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.core.counted import counted
from pipeline.core.errors import InputError
from pipeline.core.location import Location, locate

ParamsPath = Annotated[Path, typer.Option(help="The parameters; each stage reads its sections.")]
ItemsPath = Annotated[Path, typer.Option(help="Items that the catalog stage wrote.")]
SplitsPath = Annotated[Path, typer.Option(help="Splits that the catalog stage wrote.")]
GroupsPath = Annotated[Path, typer.Option(help="What items share, as the catalog stage found it.")]
AttributesPath = Annotated[Path, typer.Option(help="Attributes that the catalog stage wrote.")]
ClassesPath = Annotated[Path, typer.Option(help="Classes that the catalog stage wrote.")]
ImageFeaturesPath = Annotated[Path, typer.Option(help="Parquet of image features.")]
TextFeaturesPath = Annotated[Path, typer.Option(help="Parquet of text features.")]
GraphPath = Annotated[Path, typer.Option(help="Folder of the semantic graph.")]
ModelPath = Annotated[Path, typer.Option(help="Folder of the trained model.")]

TablePath = Annotated[
    Path,
    typer.Argument(
        help="New items: CSV, TSV, JSON Lines, Parquet or Excel with pictures, texts or both.",
        show_default=False,
    ),
]
PicturesPath = Annotated[
    str | None,
    typer.Option(
        "--images",
        help="Folder of the pictures, its URI, or a zip file; if not given, that of the table.",
    ),
]
ImageColumn = Annotated[
    str | None,
    typer.Option(
        help="Column of pictures; if not given, catalog.columns.image of params.yaml, or image."
    ),
]
SeparatorImages = Annotated[
    str | None,
    typer.Option(
        help="What stands between several pictures in a cell, such as ';'; if not given, "
        "catalog.columns.separator_images of params.yaml."
    ),
]
TextColumn = Annotated[
    str | None,
    typer.Option(
        help="Column of texts; if not given, catalog.columns.text of params.yaml, or text."
    ),
]
TableEncoding = Annotated[
    str | None,
    typer.Option(
        "--encoding",
        help="Encoding of a text table; if not given, catalog.encoding of params.yaml, or utf-8.",
    ),
]
TableDelimiter = Annotated[
    str,
    typer.Option(
        "--delimiter",
        help="What stands between the columns of a text table; auto: what they are found by.",
    ),
]
TableSheet = Annotated[
    str | None,
    typer.Option("--sheet", help="Sheet of an Excel table; if not given, the first one."),
]
RejectedPath = Annotated[
    Path | None,
    typer.Option(help="Where to list unusable rows; if not given, beside the results."),
]
LogPath = Annotated[
    Path | None,
    typer.Option(
        "--log",
        help="Folder to record the items in, which huse drift compares with the catalogue.",
    ),
]
LoggedAt = Annotated[
    datetime | None,
    typer.Option(
        "--logged-at", help="When the items were served, in UTC; if not given, now. With --log."
    ),
]
IndexPath = Annotated[Path, typer.Option(help="Folder of the index.")]

CHECK_EVERY_OBJECTIVE = {"train"}
"""Commands that check the settings of objectives that are not in use too. That takes torch, which
the others need not wait for: no run can fail for such a mistake before there is an objective that
reads it, and of that one everybody checks the settings."""
SHOWN_LENGTH = 100
"""Characters of a text that a terminal shows."""


def warner(command: str) -> Callable[[str], None]:
    """Make what tells the user of something that is no error.

    Args:
        command: Name of the command.

    Returns:
        A function that prints one line to standard error.
    """
    return lambda message: typer.echo(f"{command}: warning: {message}", err=True)


def rejected_rows(number: int, listed: Path | None) -> str:
    """Say how many rows were kept out, and where they are listed.

    Args:
        number: How many.
        listed: The list; None: there is none.

    Returns:
        For example `1 row rejected, see rejected.csv`.
    """
    see = f", see {listed}" if number and listed is not None else ""
    return f"{counted(number, 'row')} rejected{see}"


def shortened(text: str) -> str:
    """Cut a text for a table on a terminal.

    Args:
        text: On one line.

    Returns:
        At most SHOWN_LENGTH characters; three dots stand for the rest.
    """
    return text if len(text) <= SHOWN_LENGTH else text[: SHOWN_LENGTH - 3].rstrip() + "..."


def beside(out: Path) -> Path:
    """Name the list of rejected rows after the results.

    Args:
        out: Where the results go.

    Returns:
        For example embeddings_rejected.csv beside embeddings.parquet.
    """
    return out.with_name(f"{out.stem}_rejected.csv")


def require_folder(key: str, name: str) -> Location:
    """Check that a folder of the user is there before a stage works for it.

    Args:
        key: The parameter that names it, for the message.
        name: Its path or URI.

    Returns:
        The folder.

    Raises:
        InputError: It is missing or is a file.
    """
    folder = locate(name, key)
    if not folder.is_dir():
        found = "is not a folder" if folder.exists() else "not found"
        raise InputError(f"{key}: {folder} {found}; name the folder of the pictures")
    return folder


@contextmanager
def from_extra(command: str, extra: str) -> Iterator[None]:
    """Say which extra a command needs if importing what it runs fails.

    Raises:
        InputError: A package is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise InputError(
            f"{command}: package {error.name} is missing: pip install 'huse-pipeline[{extra}]'"
        ) from error


def wait_briefly() -> None:
    """Let threads that wait for each other soon sleep, unless the user has said how they wait.

    The threads of GNU's OpenMP, which torch, faiss and scikit-learn use, otherwise wait in a long
    loop. Where somebody else works on one of the cores, they take it from the very thread that they
    wait for, and training takes many times as long. Asleep at once they have to be woken for every
    product, which takes a third longer where nobody else is. So many turns of the loop cost little
    beside a neighbour; alone they cost nothing on one maker's processors and up to that third on
    another's, so benchmarks/neighbour.py measures it. The library looks at this when it is loaded,
    so it has to be there before torch is imported.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def one_line_errors(main: Callable[..., None]) -> Callable[..., None]:
    """Check params.yaml before a command starts and turn its input errors into messages.

    Args:
        main: A command; a `params` option is checked as a whole file, so that a mistake in a
            later stage's section is found before the first stage works for an hour.

    Returns:
        The command with the same signature; on an input error it prints to standard error and
        exits with status 1.
    """

    @functools.wraps(main)
    def wrapped(**options: Any) -> None:
        wait_briefly()
        try:
            if "params" in options:
                # Knows every section, which `huse --help` has no use for.
                from pipeline.settings import check_params

                command = Path(inspect.getfile(main)).stem
                check_params(options["params"], every=command in CHECK_EVERY_OBJECTIVE)
            main(**options)
        except InputError as error:
            for line in str(error).splitlines():
                typer.echo(f"error: {line}", err=True)
            raise typer.Exit(1) from error

    return wrapped


def run(main: Callable[..., None]) -> None:
    """Run a stage file as a program.

    Args:
        main: The stage's command.
    """
    typer.run(one_line_errors(main))
