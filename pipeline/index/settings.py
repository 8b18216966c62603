"""Section `index` of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.core.section import Section


class HnswSettings(Section):
    """An index that is a graph of neighbours."""

    links: Annotated[int, Field(ge=2, le=256)]
    """Neighbours that each item is linked to."""
    build_depth: Annotated[int, Field(ge=1)]
    """Candidates looked at for an item's links when the index is built."""
    search_depth: Annotated[int, Field(ge=1)]
    """Candidates looked at in a search: more find more and take longer."""


class IvfpqSettings(Section):
    """An index of lists of compressed vectors."""

    lists: Annotated[int, Field(ge=1)]
    """Lists that the items are divided into."""
    probes: Annotated[int, Field(ge=1)]
    """Lists looked at in a search."""
    code_bytes: Annotated[int, Field(ge=1)]
    """Bytes per compressed vector; divides model.dim."""


class WordsSettings(Section):
    """How a text's own words count in a search."""

    mode: Literal["hybrid", "dense", "words"]
    """What a text is searched by unless the user says otherwise."""
    weight: Annotated[float, Field(gt=0, le=10)]
    """What having all words of a query adds to the similarity; mode hybrid."""


class IndexSettings(Section):
    """How the catalogue is made searchable."""

    modality: Literal["image", "text", "fused"]
    """Which embedding of the items is searched."""
    kind: Literal["flat", "hnsw", "ivfpq"]
    """Exact, a graph, or compressed lists."""
    pictures: Literal["mean", "best"]
    """What counts of the pictures of an item that has several."""
    near_share: Annotated[float, Field(ge=0.5, lt=1)]
    """Share of the validation items that lie within the distance called near."""
    words: WordsSettings
    """How a text's own words count."""
    hnsw: HnswSettings
    """Settings of the kind hnsw."""
    ivfpq: IvfpqSettings
    """Settings of the kind ivfpq."""
