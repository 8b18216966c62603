"""What stage clean_text did, as other stages and new texts need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from pipeline.files.json_file import write_json
from pipeline.text.clean import RECIPES, clean_texts

FILE = "text_encoder.json"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Cleaning:
    """A recipe with its settings."""

    recipe: str | list[str]
    """See `clean_texts`."""
    fold_accents: bool

    def __call__(self, texts: Sequence[str]) -> list[str]:
        """Clean texts.

        Args:
            texts: N raw texts.

        Returns:
            N clean texts.
        """
        return clean_texts(texts, recipe=self.recipe, fold=self.fold_accents)

    @property
    def metadata(self) -> dict[str, str]:
        """The same as strings, for the metadata of a table."""
        recipe = self.recipe if isinstance(self.recipe, str) else ",".join(self.recipe)
        return {"recipe": recipe, "fold_accents": str(self.fold_accents).lower()}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> Self:
        """Read what `metadata` gave.

        Args:
            metadata: Of the table of clean texts.

        Returns:
            The cleaning.
        """
        recipe = metadata["recipe"]
        return cls(
            recipe if recipe in RECIPES else recipe.split(","), metadata["fold_accents"] == "true"
        )


def write_featurizer_file(folder: Path, cleaning: Cleaning, inputs: Mapping[str, str]) -> None:
    """Write the part of a `TextFeaturizer` that is not an encoder's own.

    Args:
        folder: The featurizer's folder.
        cleaning: What stage clean_text did.
        inputs: Block name to what its encoder reads, in the order of the blocks.

    Raises:
        InputError: The folder cannot be written to.
    """
    write_json(
        folder / FILE,
        {"format_version": FORMAT_VERSION, "cleaning": asdict(cleaning), "blocks": dict(inputs)},
    )
