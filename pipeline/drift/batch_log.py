"""What was served, batch by batch, in a folder: enough to compare it with the catalogue later.

A batch is an Arrow file of one row under the digest of its own bytes, written whole and never
changed, so that any number of processes may record at once. Of an item it has the most probable
class, how probable that is and whether anything is near; of features sums alone; of the least
certain items also the picture's name, the text, the next classes and the embedding, for the queue
of what to label.

Shape letters: N items, P items with a picture, M items with a text, F features, D embedding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from pipeline.core.block import Block
from pipeline.core.errors import InputError
from pipeline.core.vector_store import SUFFIX, read_digested, write_digested
from pipeline.drift.moments import Moments
from pipeline.index.nearness import Nearness
from pipeline.use.api import Huse
from pipeline.use.embeddings import Embeddings, Features
from pipeline.use.new_items import NewItem
from pipeline.use.prediction import Guess, Prediction

MOST_KEPT = 64
"""Items of a batch with embedding: 1 KiB each of the default dimension."""

SUGGESTED = 3
"""Classes that are kept of such an item, the most probable ones."""

_MOMENTS = pa.struct(
    [("count", pa.int64()), ("mean", pa.list_(pa.float32())), ("square", pa.list_(pa.float32()))]
)
_ITEM = pa.struct(
    [
        ("row", pa.int64()),
        ("path", pa.string()),
        ("probability", pa.float32()),
        ("near", pa.bool_()),
        ("distance", pa.float32()),
    ]
)
_KEPT = pa.struct(
    [
        ("place", pa.int32()),
        ("image", pa.string()),
        ("text", pa.string()),
        ("others", pa.list_(pa.struct([("path", pa.string()), ("probability", pa.float32())]))),
        ("vector", pa.list_(pa.float16())),
    ]
)
SCHEMA = pa.schema(
    [
        ("when", pa.timestamp("s", tz="UTC")),
        ("model", pa.string()),
        ("source", pa.string()),
        ("items", pa.list_(_ITEM)),
        ("image", _MOMENTS),
        ("text", _MOMENTS),
        ("kept", pa.list_(_KEPT)),
    ],
    metadata={"format_version": "2"},
)
_FIRST_KEPT = pa.struct([one for one in _KEPT if one.name != "others"])
_FIRST = SCHEMA.set(SCHEMA.get_field_index("kept"), pa.field("kept", pa.list_(_FIRST_KEPT)))
"""Format version 1: what was served cannot be recorded again, so it is read all the same."""


class Kept(NamedTuple):
    """An item that may be labelled."""

    image: str
    """Path relative to the folder of pictures that it came with; empty: none."""
    text: str
    path: str
    """Its most probable class."""
    probability: float
    near: bool | None
    when: datetime
    source: str
    row: int
    vector_D: np.ndarray
    """[D] float16, its fused embedding."""
    others: tuple[Guess, ...] = ()
    """The next most probable classes, as far as they are known."""

    @property
    def uncertainty(self) -> float:
        """In [0, 1]; of an item that nothing is near to, whose probabilities say nothing, 1."""
        return 1.0 if self.near is False else 1.0 - self.probability


@dataclass(frozen=True)
class Batch:
    """A recorded batch of N items."""

    when: datetime
    paths: list[str]
    """N most probable classes."""
    probability_N: np.ndarray
    near: list[bool | None]
    """Of N items; None: nobody could tell."""
    moments: dict[str, Moments]
    """Of the features, by modality: image, text."""
    kept: list[Kept]


def record_batch(
    folder: Path,
    model: Huse,
    features: Features,
    items: Sequence[NewItem],
    *,
    when: datetime,
    source: str,
    predictions: Sequence[Prediction] | None = None,
    nearness: Sequence[Nearness] | None = None,
) -> None:
    """Add a batch to a log; of no items, nothing. The same batch at the same time is added once.

    A server calls it for some hundreds of items rather than for each: a file is 20 KB at least.

    Args:
        folder: The log, which need not be there yet.
        model: What the items were given to.
        features: N items from `Huse.read_features` or `Huse.embed`.
        items: What they are called.
        when: When they were served, with its time zone.
        source: Where they came from, such as the name of their table.
        predictions: From `Huse.classify`, if they are known already.
        nearness: From `Huse.near`, if it is known already.

    Raises:
        InputError: The folder cannot be written to, or the index is damaged.
    """
    if not items:
        return
    predictions = model.classify(features, SUGGESTED) if predictions is None else predictions
    nearness = model.near(features) if nearness is None else nearness
    top = [one.top[0] for one in predictions]
    # A float first, as an item that nothing is near to comes before any other.
    order = sorted(range(len(items)), key=lambda n: (nearness[n].near is not False, top[n][1]))
    v = features if isinstance(features, Embeddings) else model.embed_features(features)
    dense = int(model.description.config["text_features"])
    row: dict[str, Any] = {
        "when": when,
        "model": model.description.digest,
        "source": source,
        "items": [
            {
                "row": item.row,
                "path": guess.path,
                "probability": guess.probability,
                "near": near.near,
                "distance": near.distance,
            }
            for item, guess, near in zip(items, top, nearness, strict=True)
        ],
        "image": _stored(Moments.of(features.image_PI)),
        "text": _stored(Moments.of(measured_text(features.text_MF, dense))),
        "kept": [
            {
                "place": n,
                "image": items[n].image,
                "text": items[n].text,
                "others": [guess._asdict() for guess in predictions[n].top[1:SUGGESTED]],
                "vector": list(v.fused_ND[n].astype(np.float16)),
            }
            for n in order[:MOST_KEPT]
        ],
    }
    write_digested(folder, pa.Table.from_pylist([row], schema=SCHEMA))


def measured_text(text_MF: Block, dense: int) -> np.ndarray:
    """Take the text features whose moments are compared.

    Returns:
        [M, F] of the first `dense` columns, or of all where there are none: words that a batch
        happens not to have say little beside encoders that read any text.
    """
    part = text_MF[:, :dense] if dense else text_MF
    return part if isinstance(part, np.ndarray) else part.toarray()


def read_log(folder: Path, digest: str) -> Iterator[Batch | None]:
    """Read a log batch by batch, in the order of its files' names.

    Args:
        folder: The log.
        digest: Of the model, see `ModelDescription.digest`.

    Yields:
        The batches; None for one that another model was given.

    Raises:
        InputError: There is no log, or a file of it is damaged.
    """
    paths = sorted(folder.glob(f"*{SUFFIX}"))
    if not paths:
        raise InputError(f"{folder}: no batch is recorded there; see huse classify --log")
    for path in paths:
        try:
            table = read_digested(path)
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from error
        if table is None or table.schema not in (SCHEMA, _FIRST):
            what = "damaged" if table is None else "of another version"
            raise InputError(f"{path}: {what}; remove it, and its batch is left out")
        row = table.to_pylist()[0]
        yield _read(row) if row["model"] == digest else None


def _stored(moments: Moments) -> dict[str, Any]:
    return {
        "count": moments.count,
        "mean": moments.mean_F.astype(np.float32),
        "square": moments.square_F.astype(np.float32),
    }


def _read(row: dict[str, Any]) -> Batch:
    items, when = row["items"], row["when"].astimezone(UTC)
    kept = []
    for one in row["kept"]:
        item = items[one["place"]]
        said = (item["path"], item["probability"], item["near"], when, row["source"], item["row"])
        vector_D = np.array(one["vector"], dtype=np.float16)
        others = tuple(Guess(**guess) for guess in one.get("others", ()))
        kept.append(Kept(one["image"], one["text"], *said, vector_D, others))
    return Batch(
        when,
        [item["path"] for item in items],
        np.array([item["probability"] for item in items]),
        [item["near"] for item in items],
        {
            name: Moments(
                row[name]["count"], np.array(row[name]["mean"]), np.array(row[name]["square"])
            )
            for name in ("image", "text")
        },
        kept,
    )
