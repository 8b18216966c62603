"""Features and graph -> trained towers."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.core.errors import InputError
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
    run,
)
from stages.paths import (
    CLASS_NAMES,
    CLASSES,
    CURVES,
    GRAPH,
    GROUPS,
    IMAGE_ENCODER,
    IMAGE_FEATURES,
    ITEMS,
    MODEL,
    PARAMS,
    SPLITS,
    TEXT_ENCODER,
    TEXT_FEATURES,
)

if TYPE_CHECKING:
    from dvclive import Live

GIB = 2**30


def main(
    params: ParamsPath = PARAMS,
    items: ItemsPath = ITEMS,
    splits: SplitsPath = SPLITS,
    groups: GroupsPath = GROUPS,
    classes: ClassesPath = CLASSES,
    image_features: ImageFeaturesPath = IMAGE_FEATURES,
    image_encoder: Annotated[
        Path, typer.Option(help="Folder of the image network; saved with the model.")
    ] = IMAGE_ENCODER,
    text_features: TextFeaturesPath = TEXT_FEATURES,
    class_names: Annotated[
        Path, typer.Option(help="Text features of the class names.")
    ] = CLASS_NAMES,
    text_encoder: Annotated[
        Path, typer.Option(help="Folder of the fitted text encoder; saved with the model.")
    ] = TEXT_ENCODER,
    graph: GraphPath = GRAPH,
    out: ModelPath = MODEL,
    curves: Annotated[
        Path,
        typer.Option(help="Folder to write training curves to; the checkpoint is kept there too."),
    ] = CURVES,
) -> None:
    """Train the image and text towers on the stored features; a killed run goes on."""
    import numpy as np
    import torch

    from pipeline.core.allocator import keep_freed_memory
    from pipeline.core.atomic import copy_folder
    from pipeline.core.device import choose_device
    from pipeline.core.machine import MachineSettings
    from pipeline.core.params import load_section
    from pipeline.core.sample import draw_sample
    from pipeline.core.seeding import seed_everything
    from pipeline.core.table import read_metadata, read_table
    from pipeline.features.classes import (
        check_same_classes,
        class_levels,
        item_classes,
        label_membership,
        read_classes,
    )
    from pipeline.features.encoder_digest import KEY, check_encoder
    from pipeline.features.graph_file import read_graph
    from pipeline.features.item_graph import item_graph
    from pipeline.features.joined import index_features, read_groups
    from pipeline.features.text_rows import TextRows
    from pipeline.model.description import TOWERS
    from pipeline.model.model_file import StoredModel, save_model
    from pipeline.model.new_class_file import write_new_class_rule
    from pipeline.model.onnx_file import export_onnx
    from pipeline.model.settings import ModelSettings
    from pipeline.model.towers import Towers
    from pipeline.model.validation_file import write_validation
    from pipeline.train.batches import Batches
    from pipeline.train.budget import budget_of
    from pipeline.train.calibrate import calibrate
    from pipeline.train.checkpoint import CheckpointFile
    from pipeline.train.confidence import measure_confidence
    from pipeline.train.data.class_names import read_class_names
    from pipeline.train.data.train_and_val import load_train_and_val
    from pipeline.train.fingerprint import fingerprint
    from pipeline.train.loop import train_towers
    from pipeline.train.loss_settings import LossSettings
    from pipeline.train.losses.graph_loss import check_kernel
    from pipeline.train.new_classes import fit_new_classes
    from pipeline.train.objective import make_config, objective_of
    from pipeline.train.settings import TrainSettings
    from pipeline.train.validate import MAX_ITEMS
    from pipeline.train.world import join_world

    sizes = load_section(params, "model", ModelSettings)
    loss = load_section(params, "loss", LossSettings)
    p = load_section(params, "train", TrainSettings)
    machine = load_section(params, "machine", MachineSettings)
    device = choose_device(p.device)
    check_kernel(machine.kernel, device)
    keep_freed_memory()
    class_list = read_classes(classes)
    recipe = {"image": read_metadata(image_features), "text": read_metadata(text_features)}
    check_encoder(image_encoder, recipe["image"].get(KEY), "run stage image_features again")
    for noted in (recipe["text"], read_metadata(class_names)):
        check_encoder(text_encoder, noted.get(KEY), "run stage text_features again")
    semantic_graph = read_graph(graph)
    labels = [entry["name"] for entry in class_list["classes"]]
    check_same_classes(semantic_graph.names, labels, graph, "run stage semantic_graph again")
    tables = {
        "items": items,
        "splits": splits,
        "groups": groups,
        "classes": classes,
        "image_features": image_features,
        "text_features": text_features,
    }
    with join_world(device) as world:
        seed_everything(p.seed, device)
        index = index_features(**tables)
        train, val = load_train_and_val(index, device, int(p.max_memory * GIB), p.seed)
        watched = val.take(draw_sample(len(val), MAX_ITEMS, p.seed))
        membership = label_membership(class_list)
        membership_KL = None if membership is None else torch.from_numpy(membership).to(device)
        names = [entry["name"] for entry in item_classes(class_list)]
        between_items = item_graph(semantic_graph, membership, names)
        kind = objective_of(loss)
        count_K = torch.bincount(train.label_N, minlength=len(names))
        level_KL = torch.from_numpy(class_levels(class_list))
        constants = (between_items, level_KL, membership_KL, count_K, device, world)
        objective = kind(loss, machine, *constants)
        psi_dim = objective.fixed_dim
        config = make_config(
            kind, sizes, val, psi_dim=psi_dim, num_classes=len(labels), num_train=len(train)
        )
        model = Towers(config).to(device)
        train.standardise(model)
        if not world.is_main:
            # The weights above are the same everywhere; the dropout masks from here on are not.
            seed_everything(p.seed + world.rank, device)
        # Not the section machine: a killed run goes on under another one.
        sections = [section.model_dump() for section in (sizes, loss, p)]
        facts = [*sections, device.type, world.size]
        inputs = [*tables.values(), class_names, graph]
        # Only the main process reads and writes checkpoints.
        digest = fingerprint(facts, inputs) if world.is_main else ""
        checkpoint = CheckpointFile(curves / "checkpoint", digest)
        named = read_class_names(class_names, names, most=p.batch_size, device=device)
        with _curves(curves) if world.is_main else nullcontext() as live:
            best = train_towers(
                model,
                objective,
                Batches(train, p.batch_size, p.seed, world),
                watched,
                p,
                machine,
                log=partial(_log, live),
                checkpoint=checkpoint,
                world=world,
                membership_KL=membership_KL,
                names=named if loss.names > 0 else None,
            )
            if live is None or best is None:
                return
            live.summary = {
                "best_step": best.step,
                "val": best.metrics,
                "val_items": len(watched),
            }
    trained_on = len(train)
    del train  # most of the memory, and what follows needs some of its own
    fusion = calibrate(model, val, membership_KL, seed=p.seed)
    stored = StoredModel(model, fusion, {**class_list}, recipe)
    said = measure_confidence(stored, val, read_groups(groups, val.item_ids), seed=p.seed)
    name_KT = TextRows(class_names).read(np.arange(len(names))).to(device)
    rule = fit_new_classes(stored, index, val, name_KT, seed=p.seed)
    model.cpu()  # where it is used
    save_model(out, stored)
    write_validation(out, said, stored.digest())
    write_new_class_rule(out, rule, stored.digest())
    export_onnx(stored, out / TOWERS)
    copy_folder(image_encoder, out / "image_encoder")
    copy_folder(text_encoder, out / "text_encoder")
    checkpoint.remove()
    num_items = len(read_table(items, ["item_id"]))
    steps = budget_of(p, trained_on).steps
    typer.echo(
        f"train: {len(index)} of {num_items} items can be used, of which {len(index.complete())} "
        f"have both a picture and a text; {trained_on} trained on, best of {steps} steps is "
        f"{best.step} with {p.monitor} {best.metrics[p.monitor]:.4f} on {len(watched)} validation "
        "items"
    )


def _curves(folder: Path) -> Live:
    """Curves from the first point on: DVCLive empties its files, and a resumed run replays."""
    from dvclive import Live
    from scmrepo.exceptions import SCMError

    try:
        return Live(str(folder), dvcyaml=None, save_dvc_exp=False, report=None)
    except SCMError as error:
        # A new git repository without a commit, of which DVCLive wants to know the revision.
        raise InputError(f"train: git: {error}; commit the project first") from error


def _log(live: Live | None, step: int, values: dict[str, float]) -> None:
    assert live is not None, "only the main process logs"
    live.step = step
    for name, value in values.items():
        live.log_metric(name, value)


if __name__ == "__main__":
    run(main)
