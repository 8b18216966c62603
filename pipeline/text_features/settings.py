"""Section `text` of params.yaml."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pipeline.core.section import Section

Name = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]
Encoder = Literal["glove", "tfidf", "transformer", "sentence", "open_clip"]
Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "fp32", "bf16"]
Input = Literal["text", "clean_text"]


def _without_repeats(encoders: list[Encoder]) -> list[Encoder]:
    if len(set(encoders)) < len(encoders):
        raise ValueError("an encoder comes twice")
    return encoders


class GloveSettings(Section):
    """TF-IDF-weighted mean of word vectors."""

    vectors: Name
    """Word vectors, as source/name."""


class TfidfSettings(Section):
    """TF-IDF of the words."""

    min_count: Count
    """Training texts that a word has to be in."""
    max_words: Count
    """Most words of the vocabulary; the most frequent are kept."""
    svd: Annotated[int, Field(ge=0)]
    """Components of a dense block; 0 for a sparse one."""


class PretrainedSettings(Section):
    """What all pretrained encoders have in common."""

    model: Name
    """Which model."""
    input: Input
    """The text as the catalogue has it, or cleaned."""
    batch_size: Count
    """Texts per forward pass."""
    device: Device
    """Where the model runs."""
    precision: Precision
    """Of the model's matrix products; auto: bf16 on CUDA devices that have it, else fp32."""


class TransformerSettings(PretrainedSettings):
    """Mean over tokens of hidden states."""

    layers: Count
    """How many of the last layers."""
    combine: Literal["concat", "mean"]
    """What is done with the layers."""
    special_tokens: bool
    """Whether [CLS] and [SEP] count as tokens of the text."""
    max_tokens: Annotated[int, Field(ge=3)]
    """Most tokens of a text."""
    keep: Literal["first", "salient"]
    """Which tokens of a longer text."""


class SentenceSettings(PretrainedSettings):
    """A sentence-transformers model."""


class OpenClipSettings(PretrainedSettings):
    """The text side of an open_clip model."""


class TextSettings(Section):
    """How texts become feature vectors."""

    encoders: Annotated[list[Encoder], Field(min_length=1), AfterValidator(_without_repeats)]
    """Blocks of the text features, in this order."""
    glove: GloveSettings
    tfidf: TfidfSettings
    transformer: TransformerSettings
    sentence: SentenceSettings
    open_clip: OpenClipSettings
