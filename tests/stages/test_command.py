"""What all commands share: params.yaml is checked as a whole before any stage starts, and a
mistake of the user ends in `error: ...`, status 1 and no traceback.
"""

import os
import shutil
import sys
from pathlib import Path

import pytest
import torch
from ruamel.yaml import YAML

from stages.__main__ import STAGES
from stages.command import CHECK_EVERY_OBJECTIVE, one_line_errors, rejected_rows, shortened

DVC_YAML = YAML(typ="safe").load(Path(__file__).parents[2] / "dvc.yaml")["stages"]

# Where the sample catalogue is; dvc.yaml takes it from params.yaml.
CATALOGUE = {
    "${catalog.path}": "data/raw/openmoji/catalog.csv",
    "${catalog.images}": "data/raw/openmoji/images",
}


# Without a column to predict stage attributes reads nothing.
PREDICTED = {"catalog.columns.keep": ["group"], "attributes.predict": ["group"]}


def inputs():
    for stage in STAGES:
        for dep in DVC_YAML[stage]["deps"]:
            path = CATALOGUE.get(dep, dep)
            if path.startswith("data/"):
                yield stage, path


@pytest.mark.parametrize("stage", STAGES)
def test_a_mistake_anywhere_in_params_yaml_stops_every_stage(shop, stage):
    params = shop.root / "params.yaml"
    text = params.read_text(encoding="utf-8")
    assert text.count("  gamma:") == 1
    params.write_text(text.replace("  gamma:", "  gama:"), encoding="utf-8")
    assert shop.refuse(stage) == "params.yaml: loss.gama: unknown key; did you mean gamma?"
    assert not (shop.root / "data").exists()


@pytest.mark.parametrize(
    ("leaf", "value", "said"),
    [
        ("model.dropout", 1.5, "got 1.5; "),
        ("train.steps", -1, "got -1; "),
        ("train.steps", "many", "got 'many'; "),
    ],
)
def test_a_value_that_cannot_be_is_named_with_its_key(shop, leaf, value, said):
    shop.set({leaf: value})
    assert shop.refuse("catalog").startswith(f"params.yaml: {leaf}: {said}")


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("objective", ["huse", "triplet"])
def test_settings_of_the_objective_in_use_are_checked_before_hours_of_work(shop, stage, objective):
    """Those of the others by the stage that has torch anyway, since that takes torch."""
    shop.set({"loss.triplet.margin": 5.0, "loss.objective": objective})
    result = shop.huse(stage)
    is_told = "params.yaml: loss.triplet.margin: got 5.0" in result.stderr
    assert is_told == (objective == "triplet" or stage in CHECK_EVERY_OBJECTIVE)


NAMES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")


@pytest.mark.parametrize("given", [{}, {"OMP_WAIT_POLICY": "ACTIVE"}, {"GOMP_SPINCOUNT": "9"}])
def test_threads_wait_briefly_unless_the_user_has_said_how(monkeypatch, given):
    for name in NAMES:
        # Set first, so that what the command sets is taken back.
        monkeypatch.setenv(name, given.get(name, ""))
        if name not in given:
            monkeypatch.delenv(name)
    one_line_errors(lambda: None)()
    expected = given or {"GOMP_SPINCOUNT": "1000"}
    assert {name: os.environ[name] for name in NAMES if name in os.environ} == expected


def test_all_mistakes_are_told_at_once(shop):
    shop.set({"model.dropout": 1.5, "train.steps": -1, "catalog.images": ""})
    lines = shop.refuse("catalog").splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        "catalog.images",
        "model.dropout",
        "train.steps",
    ]


def test_a_missing_params_yaml_is_told(shop):
    (shop.root / "params.yaml").unlink()
    assert shop.refuse("catalog") == "params.yaml: not found; run in the project's folder"


def test_a_params_yaml_that_is_not_yaml_is_told(shop):
    (shop.root / "params.yaml").write_text("catalog: [", encoding="utf-8")
    assert shop.refuse("catalog").startswith("params.yaml: not valid YAML: ")


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_run_before_all_others_names_what_it_needs(shop, stage):
    (shop.root / "catalog.csv").unlink()
    shop.set(PREDICTED)
    message = shop.refuse(stage)
    assert any(path in message for path in ["catalog.csv", *DVC_YAML[stage]["deps"]])
    assert "not found" in message
    assert len(message.splitlines()) == 1


@pytest.fixture(scope="module")
def stripped(finished_project, tmp_path_factory):
    """A finished project from which tests take one input at a time."""
    project = finished_project.copy(tmp_path_factory.mktemp("stripped") / "project")
    project.set(PREDICTED)
    return project


@pytest.mark.parametrize(("stage", "path"), inputs())
def test_each_missing_input_is_named(stripped, tmp_path, stage, path):
    hidden = tmp_path / "hidden"
    (stripped.root / path).rename(hidden)
    try:
        message = stripped.refuse(stage)
    finally:
        hidden.rename(stripped.root / path)
    assert path in message
    assert "not found" in message


def test_a_loss_that_explodes_stops_before_a_model_is_written(project):
    model = (project.root / "data" / "model" / "model.safetensors").read_bytes()
    project.set({"train.lr": 1e38, "train.optimizer": "rmsprop"})
    message = project.refuse("train")
    assert message.startswith("train: at step ")
    assert "the loss is not finite" in message
    assert "lower train.lr" in message
    assert (project.root / "data" / "model" / "model.safetensors").read_bytes() == model


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
@pytest.mark.parametrize("leaf", ["train.device", "image.device"])
def test_a_device_that_is_not_there_is_told(project, leaf):
    project.set({leaf: "cuda"})
    stage = "train" if leaf == "train.device" else "image_features"
    assert "cuda was asked for but this machine has none" in project.refuse(stage)


def test_a_repository_without_a_commit_is_told(project):
    shutil.rmtree(project.root / ".git")
    project.succeed("git", "init", "--quiet")
    message = project.refuse("train")
    assert message == "train: git: Empty git repo; commit the project first"


def test_a_stage_file_run_as_a_program_does_the_same(project):
    project.set({"train.steps": -1})
    done = project.run(sys.executable, "-m", "stages.catalog")
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: params.yaml: train.steps: got -1; ")


def test_a_list_of_rejected_rows_is_named_if_there_are_any():
    said = [rejected_rows(number, Path("bad.csv")) for number in (0, 1, 2)]
    assert said == [
        "no rows rejected",
        "1 row rejected, see bad.csv",
        "2 rows rejected, see bad.csv",
    ]
    assert rejected_rows(1, None) == "1 row rejected"


def test_a_long_text_is_cut_on_a_terminal():
    assert shortened("red heart") == "red heart"
    assert shortened("x" * 100) == "x" * 100
    assert shortened("x" * 8000) == "x" * 97 + "..."
