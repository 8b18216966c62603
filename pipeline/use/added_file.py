"""Classes that were added to a trained model, in a file beside the model's folder.

Not in it: DVC removes the folder when it trains again, and what people have added is to be known
then. Every class notes the model that it was added to, as another one has another space.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from typing_extensions import TypedDict

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError
from pipeline.core.json_file import read_note_as
from pipeline.model.new_class import Place

AGAIN = "remove the file and add the classes again"


@dataclass(frozen=True)
class AddedClass:
    """A class that did not exist at training."""

    path: str
    """Parts joined by the catalogue's separator."""
    place: Place
    """Where it is in the embedding space."""
    picture_EI: np.ndarray
    """[E, I] float32 frozen features of the examples that have a picture."""
    texts: list[str]
    """Of the examples that have one."""
    digest: str
    """Of the weights of the model that it was added to."""
    again: str
    """Command that adds it to another model."""
    likely: Mapping[str, float] = field(default_factory=dict)
    """Ids of the catalogue's items that it was more probable of than each trained class when it was
    added, with its log odds against all of these."""


class _Note(TypedDict):
    path: str
    examples: list[str]
    digest: str
    again: str
    pictures: int
    texts: int
    likely: list[str]


def added_path(model: Path) -> Path:
    """Name the file after the model's folder: data/model_added.safetensors for data/model."""
    folder = model if model.name not in ("", "..") else model.resolve()
    return folder.with_name(f"{folder.name}_added.safetensors")


def write_added(path: Path, added: Sequence[AddedClass]) -> None:
    """Write all classes; where there are none, there is no file.

    Raises:
        InputError: The folder cannot be written to.
    """
    if not added:
        path.unlink(missing_ok=True)
        return
    arrays, notes = {}, []
    for number, one in enumerate(added):
        arrays[f"{number}.image"] = one.place.image_D
        arrays[f"{number}.text"] = one.place.text_D
        arrays[f"{number}.pictures"] = np.ascontiguousarray(one.picture_EI)
        arrays[f"{number}.odds"] = np.array(list(one.likely.values()), np.float32)
        counts = {"pictures": one.place.pictures, "texts": one.place.texts}
        said = {"path": one.path, "examples": one.texts, "digest": one.digest, "again": one.again}
        notes.append({**said, **counts, "likely": list(one.likely)})
    with atomic_path(path) as temporary:
        content = json.dumps(notes, ensure_ascii=False)
        temporary.write_bytes(save(arrays, {"classes": content}))


def read_added(path: Path) -> list[AddedClass]:
    """Read what `write_added` wrote, of whatever model; nothing where there is no file.

    Raises:
        InputError: The file is damaged.
    """
    if not path.is_file():
        return []
    try:
        with safe_open(path, "np") as file:
            notes = read_note_as(path, (file.metadata() or {}).get("classes"), list[_Note], AGAIN)
            return [
                AddedClass(
                    note["path"],
                    Place(
                        file.get_tensor(f"{number}.image"),
                        file.get_tensor(f"{number}.text"),
                        note["pictures"],
                        note["texts"],
                    ),
                    file.get_tensor(f"{number}.pictures"),
                    note["examples"],
                    note["digest"],
                    note["again"],
                    dict(
                        zip(note["likely"], file.get_tensor(f"{number}.odds").tolist(), strict=True)
                    ),
                )
                for number, note in enumerate(notes)
            ]
    except InputError:
        raise
    except (ValueError, OSError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"{path}: damaged ({reason}); {AGAIN}") from error
