"""Pictures -> vectors, only those that no earlier run has made; then the table of features.

Shape letters: M rows, V views of an item, P its pictures, I image feature.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
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
from pipeline.image_features.pool import pool
from pipeline.image_features.recipe import row_key
from pipeline.image_features.settings import ImageSettings
from pipeline.pictures.decode import too_many_pixels

MOST_VIEWS = 128
"""Rows of one item: their numbers are stored in one byte."""
_ROWS_AT_ONCE = 1024


class Failure(NamedTuple):
    """One picture that could not be used."""

    item_id: str
    image: str
    reason: str


Usable = tuple[Picture, list[Row]]
"""A picture, and where its views are: the clean one, and augmented ones."""


@dataclass(frozen=True)
class Extraction:
    """Where every picture's vectors are, or why there are none."""

    usable: list[Usable]
    """In the catalogue's order; the pictures of one item follow each other."""
    failures: list[Failure]
    extracted: int
    """Different pictures that this run extracted."""
    from_cache: int
    """Different pictures whose vectors were there."""
    duplicates: int
    """Usable pictures that are the same as another."""
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
        pictures: The items' pictures, those of one item one after the other.
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
) -> int:
    """Write `item_id, view, image, vector` for every item with a usable picture, in their order.

    The views of an item with one picture are that picture's: the clean one, which is view 0, and
    the augmented ones. Of an item with several, view 0 is the clean ones pooled, without an
    `image`, and all views of every picture follow; of these, the first MOST_VIEWS - 1 at most.

    Returns:
        How many items have more than that.

    Raises:
        InputError: The folder cannot be written to.
    """
    schema = pa.schema(
        [
            ("item_id", pa.string()),
            ("view", pa.int8()),
            ("image", pa.string()),
            ("vector", pa.list_(pa.float32(), files.recipe.dimension)),
        ]
    )
    too_many = 0
    with vector_writer(out, schema, metadata) as writer:
        # All vectors of a large catalogue do not fit into memory.
        for block in _blocks(extraction.usable):
            stored = [row for item in block for _, rows in item for row in rows]
            vector_MI = files.store.read(stored)
            ids: list[str] = []
            views: list[int] = []
            images: list[str | None] = []
            vectors: list[np.ndarray] = []
            start = 0
            for item in block:
                stop = start + sum(len(rows) for _, rows in item)
                image_V, vector_VI = _views(item, vector_MI[start:stop])
                start = stop
                too_many += len(image_V) > MOST_VIEWS
                images += image_V[:MOST_VIEWS]
                vectors.append(vector_VI[:MOST_VIEWS])
                views += range(len(vectors[-1]))
                ids += [item[0][0].item_id] * len(vectors[-1])
            writer.append(
                [
                    pa.array(ids),
                    pa.array(np.array(views, dtype=np.int8)),
                    pa.array(images, pa.string()),
                    vector_array(np.concatenate(vectors)),
                ]
            )
    return too_many


def _views(item: Sequence[Usable], vector_VI: np.ndarray) -> tuple[list[str | None], np.ndarray]:
    """Put the pooled vector in front of an item's vectors, if it has several pictures."""
    image_V: list[str | None] = [picture.image for picture, rows in item for _ in rows]
    if len(item) == 1:
        return image_V, vector_VI
    clean_P = np.cumsum([0, *(len(rows) for _, rows in item[:-1])])
    return [None, *image_V], np.vstack([pool(vector_VI[clean_P]), vector_VI])


def _blocks(usable: Sequence[Usable]) -> Iterator[list[list[Usable]]]:
    """Pictures item by item, some items at a time."""
    block: list[list[Usable]] = []
    rows = 0
    for _, pictures in groupby(usable, lambda one: one[0].item_id):
        block.append(list(pictures))
        rows += sum(len(one) for _, one in block[-1])
        if rows >= _ROWS_AT_ONCE:
            yield block
            block, rows = [], 0
    if block:
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
) -> tuple[list[Usable], list[Failure]]:
    usable: list[Usable] = []
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
