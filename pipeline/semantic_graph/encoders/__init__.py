"""Registry of graph encoders: graph.encoder -> function. One line each."""

from collections.abc import Callable

from pipeline.semantic_graph.class_texts import ClassEmbeddings
from pipeline.semantic_graph.encoders import (
    glove,
    infersent,
    open_clip,
    path,
    sentence,
    transformer,
)

ENCODERS: dict[str, Callable[..., ClassEmbeddings]] = {
    "glove": glove.embed,
    "infersent": infersent.embed,
    "open_clip": open_clip.embed,
    "path": path.embed,
    "sentence": sentence.embed,
    "transformer": transformer.embed,
}
