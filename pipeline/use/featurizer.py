"""From a raw text to the blocks of the text features: what the stages did, for new texts.

Shape letters: N texts, E features of a block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pipeline.clean_text.cleaning import (
    CLEAN_TEXT,
    FILE,
    FORMAT_VERSION,
    Cleaning,
    FeaturizerFile,
    write_featurizer_file,
)
from pipeline.core.block import Block
from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json_as
from pipeline.core.text import on_one_line
from pipeline.encoders.encoder import TextEncoder, find_encoder


@dataclass(frozen=True)
class TextFeaturizer:
    """The cleaning and the fitted encoders of a catalogue, by block name."""

    cleaning: Cleaning
    encoders: dict[str, TextEncoder]
    """Fitted encoders in the order of the blocks."""
    inputs: dict[str, str]
    """What each encoder reads: `text` as the catalogue has it, or `clean_text`."""

    def encode(self, raw_texts: Sequence[str]) -> dict[str, Block]:
        """Encode texts as the stages did.

        Returns:
            Block name to [N, E] float32, a scipy CSR matrix for a sparse block, in the order of
            the model's text features.
        """
        raw = [on_one_line(text) for text in raw_texts]
        read = {"text": self.cleaning.said(raw), CLEAN_TEXT: self.cleaning(raw)}
        return {
            name: encoder.encode(read[self.inputs[name]]) for name, encoder in self.encoders.items()
        }

    def encode_block(self, name: str, raw_texts: Sequence[str]) -> Block:
        """Encode texts as one of the blocks: [N, E] float32, a CSR matrix for a sparse one."""
        raw = [on_one_line(text) for text in raw_texts]
        clean = self.cleaning if self.inputs[name] == CLEAN_TEXT else self.cleaning.said
        read = clean(raw)
        return self.encoders[name].encode(read)

    def save(self, folder: Path) -> None:
        """Write the encoders, one folder each, and `text_encoder.json`."""
        for name, encoder in self.encoders.items():
            encoder.save(folder / name)
        write_featurizer_file(folder, self.cleaning, self.inputs)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            InputError: A file is missing, damaged or of a newer format, texts would be cleaned
                otherwise than then, or a pretrained model is not there any more.
        """
        stored = read_json_as(
            folder / FILE, FeaturizerFile, "make it again", version=FORMAT_VERSION
        )
        try:
            cleaning = Cleaning.from_json(stored)
            inputs: dict[str, str] = {**stored["blocks"]}
            cleaning.check(inputs, folder / FILE)
            encoders = {name: find_encoder(name).load(folder / name) for name in inputs}
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{folder / FILE}: damaged ({error}); make it again") from error
        return cls(cleaning, encoders, inputs)
