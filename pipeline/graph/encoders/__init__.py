"""Registry of graph encoders: graph.encoder -> function. One line each."""

from collections.abc import Callable

from pipeline.graph.class_texts import ClassEmbeddings
from pipeline.graph.encoders import glove, path

ENCODERS: dict[str, Callable[..., ClassEmbeddings]] = {
    "glove": glove.embed,
    "path": path.embed,
}
