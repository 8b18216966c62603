import json
import multiprocessing
import os
import signal
import socket
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from ruamel.yaml import YAML
from safetensors.torch import load_file

from pipeline.core.errors import InputError
from pipeline.core.vectors import vector_array, vector_matrix
from pipeline.features.encoder_digest import encoder_digest
from pipeline.train import fingerprint
from pipeline.train.loop import Step
from stages.train import main
from tests.feature_tables import write_graph_and_encoder, write_tables
from tests.fresh_process import modules_after

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

SMALL = {
    "model": {"dim": 8, "image_layers": 2, "width": 16},
    "train": {"steps": 60, "batch_size": 16, "validate_every": 10},
    "machine": {"checkpoint_every": 5},
}

# A server that has imported everything forks the processes of these tests.
FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["stages.train", "pipeline.train.loop", "dvclive"])


class Run:
    """A folder with all inputs of the train stage, and runs of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inputs = write_tables(folder, 160, views=1) | write_graph_and_encoder(folder)

    def options(self, name: str, **changed: dict) -> dict[str, Path]:
        """Arguments of the command for a run of this name; sections of params.yaml change it."""
        yaml = YAML()
        params = yaml.load(ROOT / "params.yaml")
        for sections in (SMALL, changed):
            for section, values in sections.items():
                params[section].update(values)
        (self.folder / name).mkdir(exist_ok=True)
        path = self.folder / name / "params.yaml"
        yaml.dump(params, path)
        out, curves = self.folder / name / "model", self.folder / name / "curves"
        return {"params": path, **self.inputs, "out": out, "curves": curves}

    def train(self, name: str, **changed: dict) -> None:
        main(**self.options(name, **changed))

    def result(self, name: str) -> dict[str, bytes]:
        """Every file that a run wrote, without its parameters."""
        folder = self.folder / name
        files = [path for path in folder.rglob("*") if path.is_file()]
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in files
            if path.name != "params.yaml"
        }

    def metrics(self, name: str) -> dict:
        return json.loads((self.folder / name / "curves" / "metrics.json").read_text())


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def test_the_command_is_there_before_torch():
    assert modules_after("import stages.train").isdisjoint({"torch", "dvclive"})


def test_one_seed_gives_the_same_bytes_and_another_one_does_not(run):
    run.train("one")
    run.train("again")
    run.train("other", train={"seed": 1})
    assert run.result("one") == run.result("again")
    weights = "model/model.safetensors"
    assert run.result("one")[weights] != run.result("other")[weights]


def test_a_finished_run_leaves_curves_and_no_checkpoint(run):
    run.train("one")
    names = set(run.result("one"))
    parts = ["total", "class", "graph", "gap", "learning_rate"]
    assert {f"curves/plots/metrics/train/{part}.tsv" for part in parts} <= names
    assert "curves/plots/metrics/val/score.tsv" in names
    assert not any("checkpoint" in name for name in names)
    metrics = run.metrics("one")
    assert metrics["best_step"] % 10 == 0
    assert 0 < metrics["val"]["score"] <= 1


def test_a_run_killed_again_and_again_ends_with_the_bytes_of_one_that_was_not(run):
    run.train("whole")
    options = run.options("killed")
    checkpoint = options["curves"] / "checkpoint" / "state.pt"
    killed = 0
    for delay in (0.0, 0.013, 0.031, 0.05):
        before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else None
        process = FORKED.Process(target=main, kwargs=options)
        process.start()
        while process.is_alive() and (
            not checkpoint.exists() or checkpoint.stat().st_mtime_ns == before
        ):
            time.sleep(0.001)
        time.sleep(delay)
        assert process.pid is not None
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
        process.join()
        killed += process.exitcode == -signal.SIGKILL
        if not checkpoint.exists():
            break
    assert killed >= 2
    main(**options)
    assert run.result("killed") == run.result("whole")


def test_another_parameter_starts_afresh(run):
    run.train("whole", train={"lr": 0.002})
    options = run.options("changed")
    options["out"].write_text("a file where the model's folder should be", encoding="ascii")
    with pytest.raises(InputError, match="cannot be written"):
        main(**options)
    assert (options["curves"] / "checkpoint" / "state.pt").exists()
    options["out"].unlink()
    run.train("changed", train={"lr": 0.002})
    assert run.result("changed") == run.result("whole")


def test_a_killed_run_goes_on_under_other_settings_of_the_machine(run, monkeypatch):
    run.train("whole")
    options = run.options("killed", machine={"checkpoint_every": 50})
    options["out"].write_text("a file where the model's folder should be", encoding="ascii")
    with pytest.raises(InputError, match="cannot be written"):
        main(**options)
    options["out"].unlink()
    taken, take_step = [], Step.__call__
    monkeypatch.setattr(Step, "__call__", lambda *a: (taken.append(a[1]), take_step(*a))[1])
    machine = {"checkpoint_every": 0, "checkpoint_minutes": 0, "kernel": "tiled", "workers": 3}
    run.train("killed", machine=machine)
    assert taken == list(range(51, 61))
    assert run.result("killed") == run.result("whole")


def test_a_catalogue_larger_than_max_memory_is_streamed(run):
    # 80 items x (2 views x 6 + 4) features x 4 bytes = 5,120; a part of that fits.
    run.train("streamed", train={"max_memory": 3500 / 2**30})
    assert run.metrics("streamed")["val"]["score"] > 0.4


def test_all_processes_of_torchrun_train_one_model(run):
    without_dropout = {
        "model": {"dropout": 0.0, "input_dropout": 0.0},
        "train": {"steps": 20},
    }
    run.train("alone", **without_dropout)
    options = run.options("two", **without_dropout)
    arguments = [
        part for name, path in options.items() for part in (f"--{name.replace('_', '-')}", path)
    ]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    status = os.spawnv(
        os.P_WAIT,
        sys.executable,
        [*torchrun, "-m", "stages.train", *map(str, arguments)],
    )
    assert status == 0
    assert set(run.result("two")) == set(run.result("alone"))
    alone, two = (
        load_file(run.folder / name / "model" / "model.safetensors") for name in ("alone", "two")
    )
    for name, tensor in alone.items():
        torch.testing.assert_close(two[name], tensor, rtol=1e-3, atol=1e-4)
    steps = (options["curves"] / "plots" / "metrics" / "train" / "total.tsv").read_text()
    assert [line.split("\t")[0] for line in steps.splitlines()] == ["step", "10", "20"]


def on_its_own_disk(rank: int, port: int, options: dict) -> None:
    """One of two processes, each with curves, and hence a checkpoint, that the other lacks."""
    os.environ.update(
        RANK=f"{rank}", WORLD_SIZE="2", MASTER_ADDR="localhost", MASTER_PORT=f"{port}"
    )
    curves = options["curves"] / f"{rank}"
    curves.mkdir(parents=True, exist_ok=True)
    hashed, digest = [], fingerprint.fingerprint
    fingerprint.fingerprint = lambda *given: (hashed.append(1), digest(*given))[1]
    taken, take_step = [], Step.__call__
    Step.__call__ = lambda *given: (taken.append(given[1]), take_step(*given))[1]
    said = ""
    try:
        main(**options | {"curves": curves})
    except InputError as error:
        said = str(error)
    (curves / "notes.json").write_text(json.dumps([len(hashed), taken, said]), encoding="utf-8")


def test_a_process_that_sees_no_checkpoint_goes_on_with_the_main_one(run):
    def train_by_two(name: str, **machine: int) -> list:
        options = run.options(name, train={"steps": 20}, machine=machine)
        with socket.socket() as free:
            free.bind(("localhost", 0))
            port = free.getsockname()[1]
        torch.multiprocessing.start_processes(
            on_its_own_disk, (port, options), nprocs=2, start_method="forkserver"
        )
        notes = [options["curves"] / f"{rank}" / "notes.json" for rank in range(2)]
        return [json.loads(path.read_text()) for path in notes]

    def both(*steps: int) -> list:
        return [[1, list(steps), ""], [0, list(steps), ""]]

    assert train_by_two("whole") == both(*range(1, 21))
    out = run.folder / "killed" / "model"
    out.parent.mkdir()
    out.write_text("a file where the model's folder should be", encoding="ascii")
    assert "cannot be written" in train_by_two("killed", checkpoint_every=15)[0][2]
    out.unlink()
    assert train_by_two("killed") == both(*range(16, 21))
    weights = "model/model.safetensors"
    assert run.result("killed")[weights] == run.result("whole")[weights]


def test_features_that_are_not_finite_stop_before_the_first_step(run):
    path = run.inputs["text_features"]
    table = pq.read_table(path)
    vector_NT = vector_matrix(table["glove"]).copy()
    vector_NT[:, 1] = float("inf")
    columns = {"item_id": table["item_id"], "glove": vector_array(vector_NT)}
    pq.write_table(pa.table(columns), path)
    with pytest.raises(InputError, match=r"at step 1 the loss is not finite \(total"):
        run.train("broken")


def test_items_with_both_modalities_are_counted(run, capsys):
    features = run.inputs["image_features"]
    table = pq.read_table(features)
    pq.write_table(table.slice(1), features)
    run.train("counted")
    assert (
        "train: 159 of 160 items can be used, of which 159 have both a picture and a text"
        in capsys.readouterr().out
    )


def test_features_and_an_encoder_of_different_runs_are_refused_before_training(run):
    path = run.inputs["text_features"]
    noted = {"encoder_digest": encoder_digest(run.inputs["text_encoder"])}
    pq.write_table(pq.read_table(path).replace_schema_metadata(noted), path)
    run.train("same", train={"steps": 10})
    words = run.inputs["text_encoder"] / "glove" / "words.json"
    words.write_text('["cap"]', encoding="ascii")
    with pytest.raises(InputError, match=r"text_encoder: not the .* run stage text_features again"):
        run.train("other")
    assert list(run.result("other")) == []


def test_features_and_an_image_network_of_different_runs_are_refused_before_training(run):
    path, folder = run.inputs["image_features"], run.inputs["image_encoder"]
    noted = {"encoder_digest": encoder_digest(folder)}
    pq.write_table(pq.read_table(path).replace_schema_metadata(noted), path)
    (folder / "network.onnx").write_bytes(b"of another run")
    with pytest.raises(InputError, match=r"image_encoder: not the .* stage image_features again"):
        run.train("other")
    assert list(run.result("other")) == []


def test_the_encoders_of_new_items_travel_with_the_model(run):
    network = run.inputs["image_encoder"] / "network.onnx"
    network.write_bytes(b"layers")
    run.train("one", train={"steps": 10})
    written = run.result("one")
    assert written["model/image_encoder/network.onnx"] == b"layers"
    assert {
        "model/image_encoder/image_encoder.json",
        "model/text_encoder/text_encoder.json",
    } <= set(written)


def test_a_graph_of_as_many_other_classes_is_refused_before_training(run):
    names = run.inputs["graph"] / "classes.json"
    names.write_text(names.read_text().replace("hats", "caps"))
    line = r"graph: .* class 'caps' where .* class 'hats'; run stage semantic_graph again"
    with pytest.raises(InputError, match=line):
        run.train("other")
    assert list(run.result("other")) == []
