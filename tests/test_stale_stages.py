"""What each parameter makes stale: every leaf of params.yaml is changed in turn, and what
`dvc status` then calls changed is compared with this table.

`dvc status` names the stages that read the parameter. A stage behind them runs again only if
what it reads comes out different (test_dvc_behaviour.py).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

READS_PICTURES = {"catalog", "image_features", "evaluate"}
# The report lists how the model was trained.
TRAINS = {"train", "evaluate"}

# Settings that change no number.
NONE: set[str] = set()

# Sections of text encoders that are not in text.encoders.
UNUSED: set[str] = set()

# Leaf of params.yaml -> another value, and the stages that read it. Where the schema knows one
# value alone, the other is made up: `dvc status` compares and does not check.
TABLE: dict[str, tuple[Any, set[str]]] = {
    "catalog.path": ("data/raw/other/catalog.csv", {"catalog"}),
    "catalog.images": ("data/raw/other/images", READS_PICTURES),
    "catalog.columns.image": ("picture", {"catalog"}),
    "catalog.columns.text": ("title", {"catalog"}),
    "catalog.columns.classes": ("category", {"catalog"}),
    "catalog.columns.group": (None, {"catalog"}),
    "catalog.columns.split": ("split", {"catalog"}),
    "catalog.separator": (">", {"catalog"}),
    "catalog.label": ("leaf", {"catalog"}),
    "catalog.on_bad_row": ("error", {"catalog"}),
    "catalog.placeholders.share": (0.01, {"catalog"}),
    "catalog.placeholders.classes": (3, {"catalog"}),
    "catalog.placeholders.largest": (0.3, {"catalog"}),
    "split.val": (0.2, {"catalog"}),
    "split.test": (0.2, {"catalog"}),
    "split.seed": (18, {"catalog"}),
    "split.min_class_size": (2, {"catalog"}),
    "split.keep_together": (["group"], {"catalog"}),
    "clean_text.recipe": ("stemmed", {"clean_text"}),
    "clean_text.fold_accents": (False, {"clean_text"}),
    "image.backbone": ("torchvision/resnet18", {"image_features"}),
    "image.weights": ("none", {"image_features"}),
    "image.layer": ("logits", {"image_features"}),
    "image.resize": ("crop", {"image_features"}),
    "image.size": (192, {"image_features"}),
    "image.interpolation": ("bilinear", {"image_features"}),
    "image.mean": ([0.5, 0.5, 0.5], {"image_features"}),
    "image.std": ([0.5, 0.5, 0.5], {"image_features"}),
    "image.jpeg": ("scaled", {"image_features"}),
    "image.background": ("#000000", {"image_features"}),
    "image.max_pixels": (1000, {"image_features"}),
    "image.views": (2, {"image_features"}),
    "image.augment": ("crop_a", {"image_features"}),
    "image.runtime": ("torch", {"image_features"}),
    "image.precision": ("bf16", {"image_features"}),
    "image.device": ("cpu", {"image_features"}),
    "image.max_failed": (0.1, {"image_features"}),
    # A block that is not there yet is new; those that are there do not run again.
    "text.encoders": (["glove", "tfidf"], {"text_block@tfidf", "text_features"}),
    "text.glove.vectors": ("file/my_vectors", {"text_block@glove"}),
    "text.tfidf.min_count": (2, UNUSED),
    "text.tfidf.max_words": (50, UNUSED),
    "text.tfidf.svd": (10, UNUSED),
    "text.transformer.model": ("bert-base-uncased", UNUSED),
    "text.transformer.input": ("clean_text", UNUSED),
    "text.transformer.layers": (1, UNUSED),
    "text.transformer.combine": ("mean", UNUSED),
    "text.transformer.special_tokens": (True, UNUSED),
    "text.transformer.max_tokens": (128, UNUSED),
    "text.transformer.keep": ("first", UNUSED),
    "text.transformer.batch_size": (8, UNUSED),
    "text.transformer.device": ("cpu", UNUSED),
    "text.transformer.precision": ("bf16", UNUSED),
    "text.sentence.model": ("all-mpnet-base-v2", UNUSED),
    "text.sentence.input": ("clean_text", UNUSED),
    "text.sentence.batch_size": (8, UNUSED),
    "text.sentence.device": ("cpu", UNUSED),
    "text.sentence.precision": ("bf16", UNUSED),
    "text.open_clip.model": ("RN50/openai", UNUSED),
    "text.open_clip.input": ("clean_text", UNUSED),
    "text.open_clip.batch_size": (8, UNUSED),
    "text.open_clip.device": ("cpu", UNUSED),
    "text.open_clip.precision": ("bf16", UNUSED),
    "graph.encoder": ("sentence", {"semantic_graph"}),
    "graph.of": ("leaf", {"semantic_graph"}),
    "graph.glove.vectors": ("file/my_vectors", {"semantic_graph"}),
    "graph.sentence.model": ("other/model", {"semantic_graph"}),
    "graph.transformer.model": ("other/model", {"semantic_graph"}),
    "graph.transformer.layers": (1, {"semantic_graph"}),
    "graph.transformer.combine": ("mean", {"semantic_graph"}),
    "graph.open_clip.model": ("other/model", {"semantic_graph"}),
    "graph.infersent.version": (2, {"semantic_graph"}),
    "graph.infersent.weights": ("data/raw/other.pkl", {"semantic_graph"}),
    "graph.infersent.vectors": ("file/my_vectors", {"semantic_graph"}),
    "graph.blend.encoders": (["path", "sentence"], {"semantic_graph"}),
    "graph.blend.weight": (0.25, {"semantic_graph"}),
    "model.dim": (32, TRAINS),
    "model.image_layers": (3, TRAINS),
    "model.text_layers": (3, TRAINS),
    "model.width": (32, TRAINS),
    "model.dropout": (0.5, TRAINS),
    "model.fusion": ("concat", TRAINS),
    "model.logit_scale": ("none", TRAINS),
    "loss.objective": ("triplet", TRAINS),
    "loss.alpha": (0.5, TRAINS),
    "loss.beta": (3.0, TRAINS),
    "loss.gamma": (1.5, TRAINS),
    "loss.margin": (0.8, TRAINS),
    "loss.relaxation": ("none", TRAINS),
    "loss.precision": ("bf16", TRAINS),
    "loss.triplet_margin": (0.4, TRAINS),
    "loss.cme_margin": (0.4, TRAINS),
    "loss.adamine_margin": (0.4, TRAINS),
    "loss.adamine_class_weight": (0.4, TRAINS),
    "train.optimizer": ("rmsprop", TRAINS),
    "train.lr": (0.01, TRAINS),
    "train.text_lr_factor": (2.0, TRAINS),
    "train.momentum": (0.5, TRAINS),
    "train.weight_decay": (0.5, TRAINS),
    "train.schedule": ("constant", TRAINS),
    "train.warmup": (5, TRAINS),
    "train.gradient_clip": (1.0, TRAINS),
    "train.batch_size": (16, TRAINS),
    "train.steps": (41, TRAINS),
    "train.validate_every": (11, TRAINS),
    "train.monitor": ("r_at_1", TRAINS),
    "train.patience": (3, TRAINS),
    "train.seed": (1, TRAINS),
    "train.device": ("cpu", TRAINS),
    "train.precision": ("bf16", TRAINS),
    "train.compile": (True, TRAINS),
    "train.max_memory": (0.5, TRAINS),
    "evaluate.k": ([1, 2], {"evaluate"}),
    "evaluate.hp_k": ([1, 2], {"evaluate"}),
    "evaluate.baseline": (0, {"baseline", "evaluate"}),
    "evaluate.projection": ("pca", {"evaluate"}),
    "evaluate.confusions": (10, {"evaluate"}),
    "evaluate.gallery": (2, {"evaluate"}),
    "evaluate.seed": (1, {"evaluate"}),
    "index.modality": ("text", {"index"}),
    "index.near_share": (0.9, {"index"}),
    "index.kind": ("hnsw", {"index"}),
    "index.hnsw.links": (16, {"index"}),
    "index.hnsw.build_depth": (100, {"index"}),
    "index.hnsw.search_depth": (64, {"index"}),
    "index.ivfpq.lists": (8, {"index"}),
    "index.ivfpq.probes": (2, {"index"}),
    "index.ivfpq.code_bytes": (32, {"index"}),
    "machine.workers": (1, NONE),
    "machine.engine": ("ray", NONE),
    "machine.image_batch_size": (16, NONE),
    "machine.vector_store": ("vectors", NONE),
    "machine.kernel": ("reference", NONE),
    "machine.checkpoint_every": (50, NONE),
    "machine.checkpoint_minutes": (1.5, NONE),
}


def leaves(node: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


@pytest.fixture(scope="module")
def tracked(finished_project, tmp_path_factory):
    """A finished project with the text of its params.yaml, which tests change in place."""
    project = finished_project.copy(tmp_path_factory.mktemp("tracked") / "project")
    raw = project.root / "data" / "raw"
    (raw / "other" / "images").mkdir(parents=True)
    (raw / "other" / "catalog.csv").write_text("image,text,classes,group\n", encoding="utf-8")
    return project, (project.root / "params.yaml").read_text(encoding="utf-8")


def test_the_table_has_every_parameter():
    params = YAML(typ="safe").load(Path(__file__).parents[1] / "params.yaml")
    assert set(TABLE) == {leaf for leaf, _ in leaves(params)}


def test_nothing_is_stale_after_dvc_repro(tracked, monkeypatch):
    project, _ = tracked
    monkeypatch.chdir(project.root)
    assert Repo().status() == {}


@pytest.mark.parametrize("leaf", TABLE)
def test_a_parameter_makes_stale_the_stages_that_read_it(tracked, leaf, monkeypatch):
    project, params = tracked
    monkeypatch.chdir(project.root)
    path = project.root / "params.yaml"
    value, stages = TABLE[leaf]
    assert dict(leaves(YAML(typ="safe").load(params)))[leaf] != value
    path.write_text(params, encoding="utf-8")
    project.set({leaf: value})
    # In this process: a dvc command takes three times as long, most of it imports.
    stale = Repo().status()
    path.write_text(params, encoding="utf-8")
    assert set(stale) == stages
