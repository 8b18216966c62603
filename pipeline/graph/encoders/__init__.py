"""Registry of graph encoders: graph.encoder -> function. One line each."""

from collections.abc import Callable

from pipeline.graph.class_texts import ClassEmbeddings
from pipeline.graph.encoders import glove, infersent, path

ENCODERS: dict[str, Callable[..., ClassEmbeddings]] = {
    "glove": glove.embed,
    "infersent": infersent.embed,
    "path": path.embed,
}
