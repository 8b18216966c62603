"""Items and their pictures -> image features."""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from pipeline.allocator import keep_freed_memory
from pipeline.device import choose_device
from pipeline.errors import InputError
from pipeline.files.csv_file import write_csv
from pipeline.files.table import read_table
from pipeline.image.extract import Failure, Picture, extract_features, load_backbone
from pipeline.params.catalog import CatalogParams
from pipeline.params.image import ImageParams
from pipeline.params.load import load_section
from stages.command import ItemsPath, ParamsPath, require_folder, run
from stages.paths import IMAGE_FAILURES, IMAGE_FEATURES, ITEMS, PARAMS


def main(
    params: ParamsPath = PARAMS,
    items: ItemsPath = ITEMS,
    out: Annotated[Path, typer.Option(help="Where to write the features.")] = IMAGE_FEATURES,
    failures: Annotated[
        Path, typer.Option(help="Where to list pictures that cannot be used.")
    ] = IMAGE_FAILURES,
) -> None:
    """Run the frozen backbone over every picture and store its features."""
    images = load_section(params, "catalog", CatalogParams).images
    folder = require_folder("catalog.images", Path(images))
    p = load_section(params, "image", ImageParams)
    keep_freed_memory()
    table = read_table(items, ["item_id", "image"])
    rows = table.itertuples(index=False, name=None)
    failed = extract_features(
        [Picture(item_id, folder / image) for item_id, image in rows],
        load_backbone(p.backbone, p.layer),
        out,
        batch_size=p.batch_size,
        device=choose_device(p.device),
        background=p.background,
        metadata={"backbone": p.backbone, "layer": p.layer},
    )
    write_csv(failures, pd.DataFrame(failed, columns=list(Failure._fields)))
    if len(failed) > p.max_failed * len(table):
        raise InputError(
            f"image_features: {len(failed)} of {len(table)} pictures cannot be used, more than "
            f"image.max_failed {p.max_failed} allows; see {failures}"
        )
    typer.echo(
        f"image_features: {len(table) - len(failed)} pictures, {len(failed)} failed, see {failures}"
    )


if __name__ == "__main__":
    run(main)
