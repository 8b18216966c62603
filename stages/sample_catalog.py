"""Make the sample catalogue from installed packages."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.core.counted import counted
from stages.command import from_extra, run
from stages.paths import SAMPLE


def main(
    out: Annotated[Path, typer.Option(help="Folder to write catalog.csv and images/ to.")] = SAMPLE,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Keep about so many items, evenly spread.")
    ] = None,
) -> None:
    """Make the OpenMoji sample catalogue: pictures, names and group < subgroup."""
    with from_extra("sample_catalog", "sample"):
        from pipeline.sample.openmoji import make_sample_catalog

    count = make_sample_catalog(out, limit)
    typer.echo(f"sample catalogue: {counted(count, 'item')} in {out}")


if __name__ == "__main__":
    run(main)
