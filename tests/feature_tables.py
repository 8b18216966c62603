"""Feature tables: small made-up ones that the train stage reads, and a look into any."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from scipy.sparse import csr_matrix, hstack

from pipeline.clean_text.cleaning import Cleaning
from pipeline.core.json_file import write_json
from pipeline.core.table import write_table
from pipeline.core.vectors import vector_array, vector_matrix
from pipeline.encoders.text.glove import Encoder
from pipeline.features.classes import make_classes
from pipeline.features.graph_file import SemanticGraph, write_graph
from pipeline.features.shared import REQUIRE
from pipeline.features.text_file import columns_of
from pipeline.features.text_input import MixedText, RaggedText, stored_text
from pipeline.image_features.network_file import save_network
from pipeline.use.featurizer import TextFeaturizer

CLASSES = ["bags", "hats", "shoes"]


def write_tables(
    folder: Path,
    count: int,
    *,
    views: int = 0,
    row_group: int = 16,
    image_dim: int = 6,
    text_dim: int = 4,
    words: int = 0,
    splits: tuple[str, ...] = ("train", "train", "val", "test"),
    without_image: Sequence[int] = (),
    without_text: Sequence[int] = (),
) -> dict[str, Path]:
    """Write what `index_features` reads: items around one point per class and modality.

    With `words` there is a sparse block beside the dense one. Items that lack a picture or a text
    are items then.

    Item n's first image feature is n, and that of its view v is n + v / 10; its first text feature
    is -n. So every row tells where it is from.
    """
    random = np.random.default_rng(0)
    ids = [f"item-{n}" for n in range(count)]
    label_N = random.integers(len(CLASSES), size=count)
    names = [CLASSES[label] for label in label_N]
    paths = {
        name: folder / name
        for name in ("items", "splits", "groups", "classes", "image_features", "text_features")
    }
    write_table(paths["items"], pd.DataFrame({"item_id": ids, "class_path": names}))
    split = [splits[n % len(splits)] for n in range(count)]
    require = "any" if len(without_image) + len(without_text) else "both"
    write_table(paths["splits"], pd.DataFrame({"item_id": ids, "split": split}), {REQUIRE: require})
    # No two items share a product, a picture or a text.
    alone = dict.fromkeys(("group", "product", "picture", "text"), np.arange(count))
    write_table(paths["groups"], pd.DataFrame({"item_id": ids, **alone}))
    write_json(paths["classes"], make_classes(CLASSES, separator="<", label="path"))
    image_NI = random.normal(size=(3, image_dim))[label_N] + random.normal(size=(count, image_dim))
    text_NT = random.normal(size=(3, text_dim))[label_N] + random.normal(size=(count, text_dim))
    image_RI = np.repeat(image_NI, 1 + views, axis=0).astype(np.float32)
    view_R = np.tile(np.arange(1 + views), count)
    image_RI[:, 0] = np.repeat(np.arange(count), 1 + views) + view_R / 10
    text_NT[:, 0] = -np.arange(count)
    image = {
        "item_id": np.repeat(ids, 1 + views),
        "view": pa.array(view_R, pa.int8()),
        "vector": vector_array(image_RI),
    }
    has_R = ~np.isin(np.repeat(np.arange(count), 1 + views), without_image)
    table = pa.table(image).filter(pa.array(has_R))
    pq.write_table(table, paths["image_features"], row_group_size=row_group)
    text = {"item_id": ids, **columns_of("glove", text_NT.astype(np.float32))}
    table = pa.table(text)
    if words:
        # Row n has n % 4 words; its class's word is among them unless it has none.
        tfidf_NV = np.zeros((count, words), dtype=np.float32)
        for n in range(count):
            chosen = random.permutation(np.arange(3, words))[: max(0, n % 4 - 1)]
            tfidf_NV[n, chosen] = random.uniform(0.1, 1.0, len(chosen))
            tfidf_NV[n, label_N[n]] = n % 4 / 4
        for name, column in columns_of("tfidf", csr_matrix(tfidf_NV)).items():
            table = table.append_column(name, column)
        table = table.replace_schema_metadata({"tfidf.columns": str(words)})
    has_N = ~np.isin(np.arange(count), without_text)
    pq.write_table(table.filter(pa.array(has_N)), paths["text_features"], row_group_size=row_group)
    return paths


def write_graph_and_encoder(folder: Path) -> dict[str, Path]:
    """Write what else the train stage reads: a graph, both encoders, features of class names."""
    adjacency_KK = 1 - np.eye(len(CLASSES), dtype=np.float32)
    adjacency_KK[0, 1] = adjacency_KK[1, 0] = 0.5
    class_embedding_KE = np.eye(len(CLASSES), dtype=np.float32)
    write_graph(folder / "graph", SemanticGraph(CLASSES, adjacency_KK, class_embedding_KE), {})
    encoder = Encoder(["hat"], np.ones((1, 4), np.float32), np.ones(1, np.float32))
    cleaning = Cleaning.choose("letters", fold_accents=True)
    featurizer = TextFeaturizer(cleaning, {"glove": encoder}, {"glove": "clean_text"})
    featurizer.save(folder / "text_encoder")
    save_network(folder / "image_encoder", None)
    # As if the names were not the words that the encoder knows.
    name_KT = np.random.default_rng(1).normal(size=(len(CLASSES), 4)).astype(np.float32)
    table = pa.table({"item_id": CLASSES, **columns_of("glove", name_KT)})
    pq.write_table(table, folder / "class_names")
    names = ("graph", "image_encoder", "text_encoder", "class_names")
    return {name: folder / name for name in names}


def read_vectors(path: Path, column: str) -> tuple[list[str], np.ndarray]:
    """Item ids and the [N, D] matrix of one vector column, in the same order."""
    table = pq.read_table(path, columns=["item_id", column])
    return table["item_id"].to_pylist(), vector_matrix(table[column])


def text_of(blocks):
    """Features of texts in memory: the dense blocks side by side, and the sparse ones."""
    sparse = [block for block in blocks.values() if isinstance(block, csr_matrix)]
    dense = [block for block in blocks.values() if not isinstance(block, csr_matrix)]
    count = next(iter(blocks.values())).shape[0]
    dense_NT = np.concatenate([np.empty((count, 0), np.float32), *dense], axis=1)
    return stored_text(dense_NT, hstack(sparse, format="csr") if sparse else None)


def text_matrix(text, num_words):
    """The same as one dense matrix, [N, T + V], written out word by word."""
    batch = text[:] if isinstance(text, RaggedText) else text
    if not isinstance(batch, MixedText):
        return batch
    words_NV = torch.zeros(len(batch), num_words)
    for n, (words, weights) in enumerate(zip(batch.word_NL, batch.weight_NL, strict=True)):
        for word, weight in zip(words.tolist(), weights.tolist(), strict=True):
            words_NV[n, word] += weight
    return torch.cat([batch.dense_NT, words_NV], dim=1)
