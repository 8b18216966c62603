"""Pictures -> vectors, only those that no earlier run has made; then the table of features.

Shape letters: M rows.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from pipeline.core.errors import InputError
from pipeline.core.location import Location, address
from pipeline.core.machine import MachineSettings
from pipeline.core.vector_store import Row
from pipeline.core.vectors import vector_array, vector_writer
from pipeline.image_features.engines import ENGINES
from pipeline.image_features.jobs import Job, WorkPlan
from pipeline.image_features.make_recipe import RecipeFiles
from pipeline.image_features.picture_list import Picture
from pipeline.image_features.recipe import row_key
from pipeline.image_features.settings import ImageSettings
from pipeline.pictures.decode import too_many_pixels

_ROWS_AT_ONCE = 1024


class Failure(NamedTuple):
    """One picture that could not be used."""

    item_id: str
    image: str
    reason: str


@dataclass(frozen=True)
class Extraction:
    """Where every picture's vectors are, or why there are none."""

    usable: list[tuple[Picture, list[Row]]]
    """Pictures with the rows of their views, in the catalogue's order."""
    failures: list[Failure]
    extracted: int
    """Different pictures that this run extracted."""
    from_cache: int
    """Different pictures whose vectors were there."""
    duplicates: int
    """Usable items whose picture another item has too."""
    seconds: float
    """Spent on extracting, loading the network included; 0 if all vectors were there."""


def extract(
    pictures: Sequence[Picture],
    images: Location,
    files: RecipeFiles,
    settings: ImageSettings,
    machine: MachineSettings,
    device: str,
) -> Extraction:
    """Make every vector that the store lacks.

    Args:
        pictures: The items' pictures.
        images: The folder that they are in.
        files: How pictures become vectors, and where those are.
        settings: Which views to make; the rest is settled in the recipe.
        machine: Where and how the work is done; none of it changes a vector.
        device: `cpu` or `cuda`.

    Raises:
        InputError: The store cannot be written to, another filesystem does not answer, or a worker
            was killed.
    """
    recipe, store, onnx_file = files
    # Of equal pictures any file will do.
    image_of = {picture.digest: picture.image for picture in pictures if picture.digest}
    keys = {
        digest: [
            row_key(bytes.fromhex(digest), view, settings.augment) for view in range(settings.views)
        ]
        for digest in image_of
    }
    wanted = {key for some in keys.values() for key in some}
    known = store.find(wanted)
    # Equal pictures are one job, and of a picture only the views that no earlier run has made.
    jobs = [
        Job(image_of[digest], digest, missing)
        for digest, some in keys.items()
        if (missing := [view for view, key in enumerate(some) if key not in known])
    ]
    reasons: dict[str, str] = {}
    seconds = 0.0
    if jobs:
        plan = WorkPlan(
            images=address(images),
            recipe=recipe,
            onnx_file=str(onnx_file.absolute()),
            store=address(store.home),
            augment=settings.augment,
            device=device,
            batch_size=machine.image_batch_size,
        )
        # With the loading of the network: that is what a user waits for.
        start = time.monotonic()
        reasons = _run(jobs, plan, machine, from_cache=len(image_of) - len(jobs))
        seconds = time.monotonic() - start
        # Workers hand vectors over by the store alone, so that a killed run has lost nothing.
        known = store.find(wanted)
    usable, failures = _account(pictures, images, keys, known, reasons, recipe.max_pixels)
    return Extraction(
        usable=usable,
        failures=failures,
        extracted=len(jobs) - len(reasons),
        from_cache=len(image_of) - len(jobs),
        duplicates=len(usable) - len({picture.digest for picture, _ in usable}),
        seconds=seconds,
    )


def write_features(
    out: Path, extraction: Extraction, files: RecipeFiles, metadata: dict[str, str]
) -> None:
    """Write `item_id, view, vector` for every usable picture, in the catalogue's order.

    Raises:
        InputError: The folder cannot be written to.
    """
    schema = pa.schema(
        [
            ("item_id", pa.string()),
            ("view", pa.int8()),
            ("vector", pa.list_(pa.float32(), files.recipe.dimension)),
        ]
    )
    vectors = (
        (picture.item_id, view, row)
        for picture, rows in extraction.usable
        for view, row in enumerate(rows)
    )
    with vector_writer(out, schema, metadata) as writer:
        # All vectors of a large catalogue do not fit into memory.
        for block in _blocks(vectors):
            ids, numbers, rows = zip(*block, strict=True)
            views_M = pa.array(np.array(numbers, dtype=np.int8))
            writer.append([pa.array(ids), views_M, vector_array(files.store.read(rows))])


def _blocks(
    rows: Iterator[tuple[str, int, Row]],
) -> Iterator[list[tuple[str, int, Row]]]:
    while block := list(islice(rows, _ROWS_AT_ONCE)):
        yield block


def _run(
    jobs: list[Job], plan: WorkPlan, machine: MachineSettings, *, from_cache: int
) -> dict[str, str]:
    """Do the jobs behind a progress bar; returns a reason per digest that failed."""
    total = sum(len(job.views) for job in jobs)
    with tqdm(
        total=total,
        desc="image features",
        unit="view",
        disable=None,
        postfix=f"{from_cache} cached",
    ) as bar:
        failed = ENGINES[machine.engine](jobs, plan, machine.workers, bar.update)
    return dict(failed)


def _account(
    pictures: Sequence[Picture],
    images: Location,
    keys: dict[str, list[bytes]],
    known: dict[bytes, Row],
    reasons: dict[str, str],
    max_pixels: int,
) -> tuple[list[tuple[Picture, list[Row]]], list[Failure]]:
    usable: list[tuple[Picture, list[Row]]] = []
    failures: list[Failure] = []
    for picture in pictures:
        rows = [known[key] for key in keys.get(picture.digest, []) if key in known]
        reason = picture.reason or reasons.get(picture.digest, "")
        # The limit may be lower than when the vector was made.
        if not reason and rows and rows[0].pixels > max_pixels:
            reason = too_many_pixels(rows[0].pixels, max_pixels)
        if reason:
            failures.append(Failure(picture.item_id, str(images / picture.image), reason))
            continue
        # No reason and no vector: another machine wrote it where this one does not look.
        if len(rows) < len(keys[picture.digest]):
            raise InputError(
                f"image_features: vectors of {images / picture.image} are not in the store; run "
                "again, or set machine.vector_store to a place that every machine reaches"
            )
        usable.append((picture, rows))
    return usable, failures
