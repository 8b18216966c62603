"""Features and graph -> trained towers."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from dvclive import Live

from pipeline.dataset.pairs import load_pairs
from pipeline.device import choose_device
from pipeline.files.json_file import read_json
from pipeline.files.table import read_metadata
from pipeline.graph.store import read_graph
from pipeline.graph.tensors import graph_tensors
from pipeline.models.huse import Huse
from pipeline.models.store import StoredModel, save_model
from pipeline.objectives import OBJECTIVES
from pipeline.objectives.config import make_config
from pipeline.objectives.objective import LossSettings
from pipeline.params.load import load_section
from pipeline.params.loss import LossParams
from pipeline.params.model import ModelParams
from pipeline.params.train import TrainParams
from pipeline.seeding import seed_everything
from pipeline.text.weighted_glove import WeightedGlove
from pipeline.training.batches import batch_indices
from pipeline.training.calibrate import calibrate
from pipeline.training.loop import train_towers
from pipeline.training.optim import make_optimizer, make_schedule
from stages.command import (
    ClassesPath,
    GraphPath,
    ImageFeaturesPath,
    ItemsPath,
    ModelPath,
    ParamsPath,
    SplitsPath,
    TextFeaturesPath,
    run,
)
from stages.paths import (
    CLASSES,
    CURVES,
    GRAPH,
    IMAGE_FEATURES,
    ITEMS,
    MODEL,
    PARAMS,
    SPLITS,
    TEXT_ENCODER,
    TEXT_FEATURES,
)


def main(
    params: ParamsPath = PARAMS,
    items: ItemsPath = ITEMS,
    splits: SplitsPath = SPLITS,
    classes: ClassesPath = CLASSES,
    image_features: ImageFeaturesPath = IMAGE_FEATURES,
    text_features: TextFeaturesPath = TEXT_FEATURES,
    text_encoder: Annotated[
        Path, typer.Option(help="Folder of the fitted text encoder; saved with the model.")
    ] = TEXT_ENCODER,
    graph: GraphPath = GRAPH,
    out: ModelPath = MODEL,
    curves: Annotated[Path, typer.Option(help="Folder to write training curves to.")] = CURVES,
) -> None:
    """Train the image and text towers on the stored features."""
    model_params = load_section(params, "model", ModelParams)
    loss = load_section(params, "loss", LossParams)
    p = load_section(params, "train", TrainParams)
    device = choose_device(p.device)
    seed_everything(p.seed)
    pairs = load_pairs(
        items=items,
        splits=splits,
        classes=classes,
        image_features=image_features,
        text_features=text_features,
    ).to(device)
    train, val = pairs.only("train"), pairs.only("val")
    adjacency_KK, class_embedding_KE = graph_tensors(read_graph(graph), device)
    objective = OBJECTIVES[loss.objective]
    config = make_config(
        objective,
        model_params.model_dump(),
        pairs,
        psi_dim=class_embedding_KE.shape[1],
        num_classes=len(adjacency_KK),
    )
    model = Huse(config).to(device)
    model.standardise(train.image_NI, train.text_NT)
    optimizer = make_optimizer(
        model, p.optimizer, lr=p.lr, momentum=p.momentum, weight_decay=p.weight_decay
    )
    with Live(str(curves), dvcyaml=None, save_dvc_exp=False, report=None) as live:
        best = train_towers(
            model,
            objective(
                adjacency_KK,
                class_embedding_KE,
                LossSettings(**loss.model_dump(exclude={"objective"})),
            ),
            optimizer,
            make_schedule(optimizer, p.schedule, p.steps),
            train=train,
            val=val,
            batches=batch_indices(len(train), p.batch_size, p.steps, p.seed),
            steps=p.steps,
            validate_every=p.validate_every,
            monitor=p.monitor,
            log=partial(_log, live),
        )
        live.summary = {"best_step": best.step, "val": best.metrics}
    recipe = {"image": read_metadata(image_features), "text": read_metadata(text_features)}
    fusion = calibrate(model, val)
    save_model(out, StoredModel(model, fusion, read_json(classes), recipe))
    WeightedGlove.load(text_encoder).save(out)
    typer.echo(
        f"train: {len(train)} items, best of {p.steps} steps is {best.step} with "
        f"{p.monitor} {best.metrics[p.monitor]:.4f} on {len(val)} validation items"
    )


def _log(live: Live, step: int, values: dict[str, float]) -> None:
    live.step = step
    for name, value in values.items():
        live.log_metric(name, value)


if __name__ == "__main__":
    run(main)
