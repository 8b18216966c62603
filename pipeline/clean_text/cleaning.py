"""What stage clean_text did, as other stages and new texts need it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NotRequired, Self

from typing_extensions import TypedDict

from pipeline.clean_text.boilerplate import without_boilerplate
from pipeline.clean_text.golden_text import GoldenText
from pipeline.clean_text.recipes import RECIPES, clean_texts
from pipeline.core.errors import InputError
from pipeline.core.json_file import read_note_as, write_json

FILE = "text_encoder.json"
FORMAT_VERSION = 1
GOLDEN = "golden_text"
"""Under this key files hold the golden text; in a table's metadata as JSON."""
BOILERPLATE = "boilerplate"
"""And under this one the sentences that are left out, where there are any."""
CLEAN_TEXT = "clean_text"
"""What an encoder of clean texts reads; the others read `text`."""


class _Settings(TypedDict):
    recipe: str | list[str]
    fold_accents: bool
    boilerplate: NotRequired[list[str]]


class _Golden(TypedDict):
    text: str
    clean_text: str
    versions: dict[str, str]


class FeaturizerFile(TypedDict):
    """Content of text_encoder.json; see docs/model_format.md."""

    format_version: int
    cleaning: _Settings
    golden_text: NotRequired[_Golden | None]
    blocks: dict[str, Literal["text", "clean_text"]]


@dataclass(frozen=True)
class Cleaning:
    """A recipe with its settings."""

    recipe: str | list[str]
    """See `clean_texts`."""
    fold_accents: bool
    golden: GoldenText | None
    """What it made of a text when it was chosen; models of earlier versions do not tell."""
    boilerplate: frozenset[str] = frozenset()
    """Keys of the sentences that are left out; see `without_boilerplate`."""

    @classmethod
    def choose(
        cls, recipe: str | list[str], fold_accents: bool, boilerplate: Iterable[str] = ()
    ) -> Self:
        """Choose how the texts of a catalogue are cleaned, here and now."""
        golden = GoldenText.make(recipe, fold=fold_accents)
        return cls(recipe, fold_accents, golden, frozenset(boilerplate))

    def said(self, texts: Sequence[str]) -> list[str]:
        """Leave out of N raw texts what says nothing of an item: what encoders read as `text`."""
        if not self.boilerplate:
            return list(texts)
        return [without_boilerplate(text, self.boilerplate) for text in texts]

    def __call__(self, texts: Sequence[str]) -> list[str]:
        """Clean N raw texts."""
        return clean_texts(self.said(texts), recipe=self.recipe, fold=self.fold_accents)

    def check(self, inputs: Mapping[str, str], source: Path) -> None:
        """Check that texts are still cleaned as they were when the cleaning was chosen.

        Args:
            inputs: Block name to what its encoder reads; if none reads clean texts, all is well.
            source: The file that tells of it, for the message.

        Raises:
            InputError: They are not, as after the update of a library.
        """
        if self.golden is None or CLEAN_TEXT not in inputs.values():
            return
        difference = self.golden.difference(self.recipe, fold=self.fold_accents)
        if difference is not None:
            raise InputError(
                f"{source}: the texts were cleaned with {difference}; install the versions of "
                "then, or make it again: dvc repro --force clean_text, then dvc repro"
            )

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        settings = {"recipe": self.recipe, "fold_accents": self.fold_accents}
        # A reader that does not know of it refuses what it would clean otherwise.
        left_out = {BOILERPLATE: sorted(self.boilerplate)} if self.boilerplate else {}
        return {
            "cleaning": settings | left_out,
            GOLDEN: None if self.golden is None else asdict(self.golden),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave.

        Raises:
            KeyError: A key is missing.
            TypeError: So is a setting, or there is one that is not known.
        """
        golden = stored.get(GOLDEN)
        settings = dict(stored["cleaning"])
        left_out = frozenset[str](settings.pop(BOILERPLATE, ()))
        known = None if golden is None else GoldenText(**golden)
        return cls(**settings, golden=known, boilerplate=left_out)

    @property
    def metadata(self) -> dict[str, str]:
        """The same as strings, for the metadata of a table."""
        recipe = self.recipe if isinstance(self.recipe, str) else ",".join(self.recipe)
        noted = {"recipe": recipe, "fold_accents": str(self.fold_accents).lower()}
        if self.golden is not None:
            noted["cleaned_with"] = self.golden.cleaned_with
            noted[GOLDEN] = json.dumps(asdict(self.golden), ensure_ascii=False)
        if self.boilerplate:
            noted[BOILERPLATE] = json.dumps(sorted(self.boilerplate), ensure_ascii=False)
        return noted

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], source: Path) -> Self:
        """Read what `metadata` gave.

        Args:
            metadata: Of a table of clean texts.
            source: That table's file, for the message.

        Raises:
            InputError: Something else made it.
        """
        again = "run stage clean_text again"
        if not {"recipe", "fold_accents"} <= set(metadata):
            raise InputError(f"{source}: does not say how its texts were cleaned; {again}")
        recipe = metadata["recipe"]
        settings = {
            "recipe": recipe if recipe in RECIPES else recipe.split(","),
            "fold_accents": metadata["fold_accents"] == "true",
            BOILERPLATE: read_note_as(source, metadata.get(BOILERPLATE, "[]"), list[str], again),
        }
        golden = None
        if GOLDEN in metadata:
            golden = read_note_as(source, metadata[GOLDEN], _Golden, again)
        return cls.from_json({"cleaning": settings, GOLDEN: golden})


def write_featurizer_file(folder: Path, cleaning: Cleaning, inputs: Mapping[str, str]) -> None:
    """Write the part of a `TextFeaturizer` that is not an encoder's own.

    Args:
        folder: The featurizer's folder.
        cleaning: What stage clean_text did.
        inputs: Block name to what its encoder reads, in the order of the blocks.
    """
    write_json(
        folder / FILE,
        {"format_version": FORMAT_VERSION, **cleaning.to_json(), "blocks": dict(inputs)},
    )
