"""Section `text` of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.params.section import Section


class GloveParams(Section):
    """TF-IDF-weighted mean of word vectors."""

    vectors: Annotated[str, Field(min_length=1)]
    """Word vectors, as source/name."""


class TextParams(Section):
    """How clean texts become feature vectors."""

    encoders: Annotated[list[Literal["glove"]], Field(min_length=1, max_length=1)]
    """Blocks of the text feature table."""
    glove: GloveParams
