"""What each parameter and each file of code makes stale.

What dvc.yaml says of every leaf of params.yaml is compared with the table below, and `dvc status`
is asked for a few. Both name the stages that read the parameter; a stage behind them runs again
only if what it reads comes out different (test_dvc_behaviour.py).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
STAGES: dict[str, Any] = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
PARAMS: dict[str, Any] = YAML(typ="safe").load(ROOT / "params.yaml")

READS_PICTURES = {"catalog", "image_features", "evaluate", "audit"}
# The report lists how the model was trained.
TRAINS = {"train", "evaluate"}
# Settings that change no number, and sections of text encoders that are not in text.encoders.
NONE: set[str] = set()

# The stages that read a leaf are those of its longest beginning here.
TABLE: dict[str, set[str]] = {
    "catalog": {"catalog"},
    "catalog.images": READS_PICTURES,
    "split": {"catalog"},
    "clean_text": {"clean_text"},
    "image": {"image_features"},
    "text.encoders": {"text_features"},
    "text.glove": {"text_block@glove"},
    "text.sentence": {"text_block@sentence"},
    "text.tfidf": NONE,
    "text.transformer": NONE,
    "text.open_clip": NONE,
    "graph": {"semantic_graph"},
    "model": TRAINS,
    "loss": TRAINS,
    "train": TRAINS,
    "evaluate": {"evaluate"},
    "evaluate.baseline": {"baseline", "evaluate"},
    "classify": {"evaluate"},
    # The report has all rules.
    "classify.decide": NONE,
    "attributes": {"attributes"},
    "audit": {"audit"},
    "index": {"index"},
    "machine": NONE,
}


def leaves(node: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def is_within(leaf: str, name: str) -> bool:
    return f"{leaf}.".startswith(f"{name}.")


def readers(leaf: str) -> set[str]:
    """Stages whose definition in dvc.yaml tracks a leaf or puts its value into a path."""
    found = set()
    for name, stage in STAGES.items():
        items = PARAMS["text"]["encoders"] if "matrix" in stage else [None]
        for item in items:
            tracked = [key.replace("${item.encoder}", str(item)) for key in stage["params"]]
            if f"${{{leaf}}}" in stage["deps"] or any(is_within(leaf, key) for key in tracked):
                found.add(name if item is None else f"{name}@{item}")
    return found


@pytest.mark.parametrize("leaf", dict(leaves(PARAMS)))
def test_a_parameter_is_read_by_the_stages_of_the_table(leaf):
    beginnings = [name for name in TABLE if is_within(leaf, name)]
    assert readers(leaf) == TABLE[max(beginnings, key=len)]


@pytest.fixture(scope="module")
def tracked(finished_project, tmp_path_factory):
    """A finished project that the tests change and change back."""
    project = finished_project.copy(tmp_path_factory.mktemp("tracked") / "project")
    (project.root / "data" / "raw" / "other" / "images").mkdir(parents=True)
    return project


@pytest.fixture
def status(tracked, monkeypatch):
    """What `dvc status` calls stale after a change to a file of the project, which is undone."""
    monkeypatch.chdir(tracked.root)

    def stale(name, change) -> set[str]:
        path = tracked.root / name
        before = path.read_bytes()
        change(path)
        # In this process: a dvc command takes three times as long, most of it imports.
        found = set(Repo().status())
        path.write_bytes(before)
        return found

    return stale


@pytest.mark.parametrize(
    ("leaf", "value", "stages"),
    [
        ("catalog.images", "data/raw/other/images", READS_PICTURES),
        # A block that is not there yet is new; those that are there do not run again.
        ("text.encoders", ["glove", "tfidf"], {"text_block@tfidf", "text_features"}),
        ("text.glove.vectors", "file/my_vectors", {"text_block@glove"}),
        ("loss.beta", 4.0, TRAINS),
        ("machine.workers", 1, NONE),
    ],
)
def test_dvc_status_names_the_stages_that_read_a_parameter(tracked, status, leaf, value, stages):
    assert status("params.yaml", lambda _: tracked.set({leaf: value})) == stages


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("pipeline/catalog/split.py", {"catalog"}),
        ("pipeline/pictures/decode.py", {"catalog", "image_features", "evaluate", "audit"}),
        ("pipeline/train/loop.py", {"train"}),
        ("stages/evaluate.py", {"evaluate"}),
        ("stages/command.py", NONE),
    ],
)
def test_dvc_status_names_the_stages_that_run_an_edited_file(tracked, status, name, stages):
    assert status(name, lambda _: tracked.edit(name)) == stages
