"""queue.csv: what to label next, and what people have said of it.

A table with the catalogue's columns, whose class paths are empty until somebody fills them in: in
`huse review`, in a spreadsheet or both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pipeline.core.csv_file import csv_writer, read_records
from pipeline.core.errors import InputError

NONE, SKIP = "none", "skip"
DECISIONS = (NONE, SKIP)
"""What a person may say of an item without naming its class: that no class fits, or nothing yet."""
SUGGESTIONS = (
    ("suggested", "probability"),
    ("suggested_2", "probability_2"),
    ("suggested_3", "probability_3"),
)
OWN = (*(name for pair in SUGGESTIONS for name in pair), "near", "like_it", "source", "decision")
"""Columns beside the catalogue's."""
PLAIN = {"image": "image", "text": "text", "classes": "classes"}

Row = dict[str, str]


def item_name(image: str, text: str) -> tuple[str, str]:
    """Name an item of a queue, which has each once; spreadsheets write line ends of their own."""
    return image.strip(), " ".join(text.split())


class Said(NamedTuple):
    """What a person has said of an item."""

    class_path: str = ""
    decision: str = ""
    """One of DECISIONS where there is no class path, or nothing."""

    @property
    def is_decided(self) -> bool:
        """Whether the item need not be asked about again."""
        return bool(self.class_path) or self.decision == NONE


class QueueItem(NamedTuple):
    """A row."""

    image: str
    text: str
    suggestions: tuple[tuple[str, str], ...]
    """Class paths and how probable they are, the most probable first."""
    is_far: bool
    """Whether nothing in the catalogue is near."""
    like_it: str
    """How many items it stands for, itself among them."""
    source: str
    """Where it came from."""
    said: Said


@dataclass(frozen=True)
class QueueFile:
    """Where a queue is, and what it calls the columns of image, text and classes."""

    path: Path
    columns: Mapping[str, str]

    @classmethod
    def named(cls, path: Path, usual: Mapping[str, str]) -> QueueFile:
        """Name the columns as the catalogue does, `usual`, so that the rows are rows of its table.

        Not so where there is none, or where it uses a name that the queue has for something else.
        """
        columns = PLAIN | dict(usual)
        return cls(path, PLAIN if set(columns.values()) & set(OWN) else columns)

    @property
    def labelled(self) -> Path:
        """The file of the rows that have a class, beside the queue."""
        return self.path.with_name(f"{self.path.stem}_labelled.csv")

    def read(self) -> list[QueueItem]:
        """Read the queue.

        Raises:
            InputError: It is missing or cannot be read, a column is missing, or a row has a
                decision of another word.
        """
        return [self._item(row) for row in self._read()[1]]

    def decided(self) -> list[QueueItem]:
        """Read the rows that are decided; of no file, none.

        Raises:
            InputError: As `read`.
        """
        return [one for one in self.read() if one.said.is_decided] if self.path.exists() else []

    def renew(self, rows: Iterable[Row]) -> int:
        """Put new rows behind those that are decided, in place of the others.

        Args:
            rows: With image, text and OWN but `decision`; left out if they are decided meanwhile.

        Returns:
            How many are to be decided.

        Raises:
            InputError: As `read`, or the file cannot be written.
        """
        names, known = self._read() if self.path.exists() else ([], [])
        left = [row for row in known if self._item(row).said.is_decided]
        names += [name for name in (*self.columns.values(), *OWN) if name not in names]
        seen = {self._name(row) for row in left}
        new = []
        for one in rows:
            row = {self.columns.get(name, name): value for name, value in one.items()}
            if (name := self._name(row)) not in seen:
                seen.add(name)
                new.append(row)
        _write(self.path, names, [*left, *new])
        return len(new)

    def say(self, image: str, text: str, said: Said) -> Said:
        """Write at once what is said of an item, and the rows that have a class beside the queue.

        All other rows stay as they are in the file, whoever wrote them meanwhile.

        Returns:
            What was said of it before, with which the change can be taken back.

        Raises:
            InputError: As `read`, the item is not in the file any more, or it cannot be written.
        """
        names, rows = self._read()
        if "decision" not in names:
            names = [*names, "decision"]
        found = next((row for row in rows if self._name(row) == item_name(image, text)), None)
        if found is None:
            raise InputError(f"{self.path} does not have this item any more; start again")
        before = self._item(found).said
        found |= {self.columns["classes"]: said.class_path, "decision": said.decision}
        _write(self.path, names, rows)
        self._write_labelled(rows)
        return before

    def write_labelled(self) -> int:
        """Write the rows that have a class, as rows of the catalogue's table; returns how many.

        Raises:
            InputError: As `read`, or the file cannot be written.
        """
        return self._write_labelled(self._read()[1])

    def _write_labelled(self, rows: Iterable[Row]) -> int:
        labelled = [row for row in rows if self._item(row).said.class_path]
        _write(self.labelled, list(self.columns.values()), labelled)
        return len(labelled)

    def _read(self) -> tuple[list[str], list[Row]]:
        names, rows = read_records(self.path, self.columns.values())
        for number, row in enumerate(rows, start=1):
            word = row.get("decision", "").strip().lower()
            if word not in (*DECISIONS, ""):
                raise InputError(
                    f"{self.path}: row {number}: decision {word!r} is none of "
                    f"{', '.join(DECISIONS)}, or nothing"
                )
        return names, rows

    def _item(self, row: Row) -> QueueItem:
        class_path = row[self.columns["classes"]].strip()
        decision = "" if class_path else row.get("decision", "").strip().lower()
        pairs = [(row.get(path, ""), row.get(share, "")) for path, share in SUGGESTIONS]
        near, like_it, source = (row.get(name, "") for name in ("near", "like_it", "source"))
        return QueueItem(
            row[self.columns["image"]],
            row[self.columns["text"]],
            tuple(pair for pair in pairs if pair[0]),
            near == "no",
            like_it,
            source,
            Said(class_path, decision),
        )

    def _name(self, row: Row) -> tuple[str, str]:
        return item_name(row[self.columns["image"]], row[self.columns["text"]])


def _write(path: Path, names: list[str], rows: Iterable[Row]) -> None:
    with csv_writer(path, names) as write:
        write([row.get(name, "") for name in names] for row in rows)
