"""Model and features -> metrics, plots, embeddings, report."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.params.catalog import CatalogParams
from pipeline.params.evaluate import EvaluateParams
from pipeline.params.load import load_section
from pipeline.params.loss import LossParams
from pipeline.params.model import ModelParams
from pipeline.params.train import TrainParams
from stages.command import (
    ClassesPath,
    GraphPath,
    GroupsPath,
    ImageFeaturesPath,
    ItemsPath,
    ModelPath,
    ParamsPath,
    SplitsPath,
    TextFeaturesPath,
    require_folder,
    run,
)
from stages.paths import (
    CLASSES,
    EVALUATION,
    GRAPH,
    GROUPS,
    IMAGE_FAILURES,
    IMAGE_FEATURES,
    ITEMS,
    MODEL,
    PARAMS,
    REJECTED,
    SPLITS,
    TEXT_FEATURES,
)


def main(
    params: ParamsPath = PARAMS,
    items: ItemsPath = ITEMS,
    splits: SplitsPath = SPLITS,
    groups: GroupsPath = GROUPS,
    classes: ClassesPath = CLASSES,
    image_features: ImageFeaturesPath = IMAGE_FEATURES,
    text_features: TextFeaturesPath = TEXT_FEATURES,
    graph: GraphPath = GRAPH,
    model: ModelPath = MODEL,
    rejected: Annotated[
        Path, typer.Option(help="Unusable rows that the catalog stage listed.")
    ] = REJECTED,
    failures: Annotated[
        Path, typer.Option(help="Pictures that the image_features stage could not use.")
    ] = IMAGE_FAILURES,
    out: Annotated[Path, typer.Option(help="Folder to write the evaluation to.")] = EVALUATION,
) -> None:
    """Measure the trained towers on the test split and write plots and a report."""
    # Imported here because torch takes seconds, which `--help` and a mistake in params.yaml need
    # not wait for.
    from pipeline.evaluation.items import index_items
    from pipeline.evaluation.run import Settings, evaluate
    from pipeline.graph.store import read_graph
    from pipeline.models.store import load_model

    images = load_section(params, "catalog", CatalogParams).images
    folder = require_folder("catalog.images", images)
    p = load_section(params, "evaluate", EvaluateParams)
    found = index_items(
        items=items,
        splits=splits,
        groups=groups,
        classes=classes,
        image_features=image_features,
        text_features=text_features,
    )
    evaluate(
        found,
        load_model(model),
        read_graph(graph),
        Settings(**p.model_dump(), images=folder),
        out,
        parameters={
            "model": load_section(params, "model", ModelParams).model_dump(),
            "loss": load_section(params, "loss", LossParams).model_dump(),
            "train": load_section(params, "train", TrainParams).model_dump(),
            "evaluate": p.model_dump(),
        },
        rejected={"rows of the catalogue": rejected, "pictures": failures},
    )
    for warning in found.warnings:
        typer.echo(f"evaluate: warning: {warning}", err=True)
    typer.echo(f"evaluate: {len(found.test)} test items; report in {out / 'report.html'}")


if __name__ == "__main__":
    run(main)
