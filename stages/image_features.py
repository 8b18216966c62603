"""The pictures of the items -> image features."""

import time
from pathlib import Path
from typing import Annotated

import typer

from pipeline.core.counted import counted
from pipeline.core.errors import InputError
from stages.command import ParamsPath, run, warner
from stages.dvc_cache import tracked_contents, vector_cache
from stages.paths import (
    IMAGE_ENCODER,
    IMAGE_FAILURES,
    IMAGE_FEATURES,
    IMAGE_REPORT,
    ITEM_PICTURES,
    PARAMS,
    PICTURES,
)


def main(
    params: ParamsPath = PARAMS,
    item_pictures: Annotated[
        Path, typer.Option(help="Pictures of the items that the catalog stage wrote.")
    ] = ITEM_PICTURES,
    pictures: Annotated[
        Path, typer.Option(help="Digests of pictures that the catalog stage wrote.")
    ] = PICTURES,
    out: Annotated[Path, typer.Option(help="Where to write the features.")] = IMAGE_FEATURES,
    encoder: Annotated[
        Path, typer.Option(help="Folder to write the network of new pictures to.")
    ] = IMAGE_ENCODER,
    failures: Annotated[
        Path, typer.Option(help="Where to list pictures that cannot be used.")
    ] = IMAGE_FAILURES,
    report: Annotated[
        Path, typer.Option(help="Where to write what was done, in numbers.")
    ] = IMAGE_REPORT,
) -> None:
    """Run the frozen backbone over every picture and store its features."""
    import pandas as pd

    from pipeline.core.csv_file import write_csv
    from pipeline.core.device import is_cpu
    from pipeline.core.json_file import write_json
    from pipeline.core.location import locate
    from pipeline.core.machine import MachineSettings
    from pipeline.core.params import load_section, read_value
    from pipeline.core.table import read_table
    from pipeline.features.encoder_digest import KEY, encoder_digest
    from pipeline.image_features.extract import MOST_VIEWS, Failure, extract, write_features
    from pipeline.image_features.extraction_report import extraction_report
    from pipeline.image_features.make_recipe import make_recipe
    from pipeline.image_features.network_file import save_network
    from pipeline.image_features.picture_list import list_pictures
    from pipeline.image_features.settings import ImageSettings
    from pipeline.pictures.folder import open_images

    start = time.monotonic()
    images = read_value(params, "catalog.images")
    folder = open_images(locate(images, "catalog.images"), tracked_contents())
    settings = load_section(params, "image", ImageSettings)
    machine = load_section(params, "machine", MachineSettings)
    local = vector_cache("image", out)
    store = machine.vector_store
    chosen = None if store is None else locate(store, "machine.vector_store")
    table = read_table(item_pictures, ["item_id", "image"])
    digests = read_table(pictures, ["image", "digest"])
    listed = list_pictures(
        list(table.itertuples(index=False, name=None)),
        dict(digests.itertuples(index=False, name=None)),
        folder,
    )
    device = "cpu" if is_cpu(settings.device) else "cuda"
    files = make_recipe(settings, device, chosen if isinstance(chosen, Path) else local, chosen)
    found = extract(listed, folder.folder, files, settings, machine, device)
    views = {"views": str(settings.views), "augment": settings.augment}
    made_by = files.recipe.metadata() | views
    write_csv(failures, pd.DataFrame(found.failures, columns=list(Failure._fields)))
    write_json(report, extraction_report(found, made_by))
    if len(found.failures) > settings.max_failed * len(table):
        raise InputError(
            f"image_features: {len(found.failures)} of {len(table)} pictures cannot be used, more "
            f"than image.max_failed {settings.max_failed} allows; see {failures}"
        )
    save_network(encoder, None if files.recipe.runtime == "torch" else files.onnx_file)
    more = write_features(out, found, files, made_by | {KEY: encoder_digest(encoder)})
    if more:
        warner("image_features")(
            f"{counted(more, 'item')} with more than {MOST_VIEWS - 1} views of pictures; training "
            "draws among the first of them alone; set image.views lower to have more pictures seen"
        )
    failed = f"{len(found.failures)} failed, see {failures}" if found.failures else "none failed"
    typer.echo(
        f"image_features: {counted(len(found.usable), 'picture')}, {failed}; {found.extracted} "
        f"extracted, {found.from_cache} from the cache, {found.duplicates} the same as another "
        f"({files.recipe.runtime}, {time.monotonic() - start:.0f} s)"
    )


if __name__ == "__main__":
    run(main)
