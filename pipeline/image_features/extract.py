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
from pipeline.core.vector_column import vector_array
from pipeline.core.vectors import vector_writer
from pipeline.image_features.engines import ENGINES
from pipeline.image_features.picture_list import Picture
from pipeline.image_features.recipe import Recipe, row_key
from pipeline.image_features.vector_store import Place, VectorStore
from pipeline.image_features.work import Job, WorkPlan
from pipeline.pictures.decode import too_many_pixels

_ROWS_AT_ONCE = 1024


class Failure(NamedTuple):
    """One picture that could not be used."""

    item_id: str
    image: str
    reason: str


@dataclass(frozen=True)
class Views:
    """Which views of each picture there are to be."""

    count: int
    """With the clean one."""
    augment: str
    """What makes the others."""

    def keys(self, digest: str) -> list[bytes]:
        """Names of a picture's views in the store."""
        return [row_key(bytes.fromhex(digest), n, self.augment) for n in range(self.count)]


@dataclass(frozen=True)
class Effort:
    """Where and how the work is done; none of it changes a vector."""

    engine: str
    """A key of `ENGINES`."""
    device: str
    """`cpu` or `cuda`."""
    workers: int | None
    """Processes; None: as many as suit the machine."""
    batch_size: int | None
    """Pictures per forward pass; None: what suits the device."""


@dataclass(frozen=True)
class Extraction:
    """Where every picture's vectors are, or why there are none."""

    usable: list[tuple[Picture, list[Place]]]
    """Pictures with the places of their views, in the catalogue's order."""
    failures: list[Failure]
    extracted: int
    """Different pictures that this run extracted."""
    from_cache: int
    """Different pictures whose vectors were there."""
    duplicates: int
    """Usable items whose picture another item has too."""
    seconds: float
    """Spent on extracting, the start of the processes included; 0 if all vectors were there."""


def extract(
    pictures: Sequence[Picture],
    images: Location,
    recipe: Recipe,
    store: VectorStore,
    graph: Path,
    *,
    views: Views,
    effort: Effort,
) -> Extraction:
    """Make every vector that the store lacks.

    Args:
        pictures: The items' pictures.
        images: The folder that they are in.
        recipe: How pictures become vectors.
        store: The vectors of this recipe.
        graph: The network as ONNX file, for runtimes other than torch.
        views: Which views to make.
        effort: How to go about it.

    Returns:
        Places and failures.

    Raises:
        InputError: The store cannot be written to, another filesystem does not answer, or a worker
            was killed.
    """
    image_of = {picture.digest: picture.image for picture in pictures if picture.digest}
    keys = {digest: views.keys(digest) for digest in image_of}
    wanted = {key for some in keys.values() for key in some}
    known = store.find(wanted)
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
            recipe=recipe.metadata(),
            graph=str(graph.absolute()),
            store=address(store.home),
            augment=views.augment,
            device=effort.device,
            batch_size=effort.batch_size,
        )
        start = time.monotonic()
        reasons = _run(jobs, plan, effort, from_cache=len(image_of) - len(jobs))
        seconds = time.monotonic() - start
        known = store.find(wanted)
    usable, failures = _account(pictures, keys, known, reasons, recipe.max_pixels)
    return Extraction(
        usable=usable,
        failures=failures,
        extracted=len(jobs) - len(reasons),
        from_cache=len(image_of) - len(jobs),
        duplicates=len(usable) - len({picture.digest for picture, _ in usable}),
        seconds=seconds,
    )


def write_features(
    out: Path, extraction: Extraction, store: VectorStore, metadata: dict[str, str]
) -> None:
    """Write `item_id, view, vector` for every usable picture, in the catalogue's order.

    Args:
        out: Parquet file.
        extraction: What `extract` returned.
        store: Where the vectors are.
        metadata: What made them.

    Raises:
        InputError: The folder cannot be written to.
    """
    schema = pa.schema(
        [
            ("item_id", pa.string()),
            ("view", pa.int8()),
            ("vector", pa.list_(pa.float32(), store.dimension)),
        ]
    )
    rows = (
        (picture.item_id, view, place)
        for picture, places in extraction.usable
        for view, place in enumerate(places)
    )
    with vector_writer(out, schema, metadata) as writer:
        for block in _blocks(rows):
            ids, numbers, places = zip(*block, strict=True)
            views_M = pa.array(np.array(numbers, dtype=np.int8))
            writer.append([pa.array(ids), views_M, vector_array(store.read(places))])


def _blocks(
    rows: Iterator[tuple[str, int, Place]],
) -> Iterator[list[tuple[str, int, Place]]]:
    while block := list(islice(rows, _ROWS_AT_ONCE)):
        yield block


def _run(jobs: list[Job], plan: WorkPlan, effort: Effort, *, from_cache: int) -> dict[str, str]:
    """Do the jobs behind a progress bar; returns a reason per digest that failed."""
    total = sum(len(job.views) for job in jobs)
    with tqdm(
        total=total,
        desc="image features",
        unit="view",
        disable=None,
        postfix=f"{from_cache} cached",
    ) as bar:
        failed = ENGINES[effort.engine](jobs, plan, effort.workers, bar.update)
    return dict(failed)


def _account(
    pictures: Sequence[Picture],
    keys: dict[str, list[bytes]],
    known: dict[bytes, Place],
    reasons: dict[str, str],
    max_pixels: int,
) -> tuple[list[tuple[Picture, list[Place]]], list[Failure]]:
    usable: list[tuple[Picture, list[Place]]] = []
    failures: list[Failure] = []
    for picture in pictures:
        places = [known[key] for key in keys.get(picture.digest, []) if key in known]
        reason = picture.reason or reasons.get(picture.digest, "")
        # The limit may be lower than when the vector was made.
        if not reason and places and places[0].pixels > max_pixels:
            reason = too_many_pixels(places[0].pixels, max_pixels)
        if reason:
            failures.append(Failure(picture.item_id, str(picture.path), reason))
            continue
        if len(places) < len(keys[picture.digest]):
            raise InputError(
                f"image_features: vectors of {picture.path} are not in the store; run again, or "
                "set machine.vector_store to a place that every machine reaches"
            )
        usable.append((picture, places))
    return usable, failures
