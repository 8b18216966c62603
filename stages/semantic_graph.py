"""Class names -> semantic graph."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.core.counted import counted
from stages.command import ClassesPath, ParamsPath, run
from stages.dvc_cache import vector_cache
from stages.paths import CLASSES, GRAPH, PARAMS


def main(
    params: ParamsPath = PARAMS,
    classes: ClassesPath = CLASSES,
    out: Annotated[Path, typer.Option(help="Folder to write the graph to.")] = GRAPH,
) -> None:
    """Embed every class name and measure the cosine distances between them."""
    import numpy as np

    from pipeline.core.params import load_section
    from pipeline.features.classes import read_classes
    from pipeline.features.graph_file import SemanticGraph, write_graph
    from pipeline.semantic_graph.adjacency import class_adjacency, same_name_classes
    from pipeline.semantic_graph.class_embeddings import embed_classes
    from pipeline.semantic_graph.settings import GraphSettings

    p = load_section(params, "graph", GraphSettings)
    class_list = read_classes(classes)
    entries = class_list["classes"]
    names = [entry["name"] for entry in entries]
    class_parts = [entry["parts"] for entry in entries]
    # A label is a part by itself; what stands above it has a label of its own.
    of = "leaf" if class_list["label"] == "parts" else p.of
    embedding_KE, unknown, stand_ins = embed_classes(class_parts, of, p, vector_cache("word", out))
    adjacency_KK = class_adjacency(embedding_KE)
    same = [[names[i], names[j]] for i, j in same_name_classes(adjacency_KK)]
    used = [p.encoder, *(p.blend.encoders if p.encoder == "blend" else [])]
    settings = p.model_dump(include=set(used))
    notes = {
        "encoder": p.encoder,
        "of": of,
        "settings": {name: settings[name] for name in used if name in settings},
        "words_without_vector": unknown,
        "read_by_a_part_above": stand_ins,
        "same_embedding": same,
    }
    write_graph(out, SemanticGraph(names, adjacency_KK, embedding_KE.astype(np.float32)), notes)
    typer.echo(
        f"semantic_graph: {counted(len(names), 'class')}; words without a vector: "
        f"{', '.join(unknown) or 'none'}; "
        f"classes read by a part above them: {len(stand_ins)}; "
        f"pairs of classes with the same embedding: {len(same)}"
    )


if __name__ == "__main__":
    run(main)
