"""dvc.yaml says of every stage what it runs, reads and writes: no less, or a change would be
missed, and no more, or a stage would run for nothing. Its code is in test_rooms.py.
"""

import ast
import importlib
import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline.settings import SECTIONS
from pipeline.text_features.settings import TEXT_ENCODERS
from stages.__main__ import STAGES as STAGE_NAMES
from stages.paths import IMAGE_REPORT

ROOT = Path(__file__).parents[1]
STAGES: dict[str, Any] = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
PARAMS: dict[str, Any] = YAML(typ="safe").load(ROOT / "params.yaml")

# Stages that run once per value of a list in params.yaml: the key that stands for the value, and
# what it may be. The value names the file of an encoder, which is imported by that name.
ENCODER = "${item.encoder}"

# Rooms that no stage runs: a local page, and what is done with a trained model. And the file that
# tells other projects of types.
OF_NO_STAGE = (
    *("pipeline/drift", "pipeline/explore", "pipeline/review", "pipeline/use", "pipeline/web"),
    "pipeline/py.typed",
)

# Changes no number, so that no stage is to run again for it.
UNTRACKED = {"machine"}

# Where the user's files are stands in params.yaml, not in the stages' options.
OF_THE_USER = {"${catalog.path}", "${catalog.images}", "${audit.decisions}"}


def covers(dep: str, name: str) -> bool:
    return name == dep or name.startswith(f"{dep}/")


def expanded(names: Iterable[str]) -> set[str]:
    """Names with every encoder in place of the template."""
    return {name.replace(ENCODER, encoder) for name in names for encoder in TEXT_ENCODERS}


def code_deps(stage: str) -> set[str]:
    deps = {dep for dep in STAGES[stage]["deps"] if dep.startswith(("pipeline/", "stages/"))}
    return expanded(deps)


def data_deps(stage: str) -> set[str]:
    return expanded(STAGES[stage]["deps"]) - code_deps(stage) - OF_THE_USER


def written(stage: str) -> set[str]:
    return expanded([*STAGES[stage]["outs"], *STAGES[stage].get("metrics", [])])


def path_options(stage: str) -> set[str]:
    """Defaults of the command's options for artifacts."""
    signature = inspect.signature(importlib.import_module(f"stages.{stage}").main)
    defaults = {name: option.default for name, option in signature.parameters.items()}
    assert defaults.pop("params") == Path("params.yaml")
    if "matrix" in STAGES[stage]:
        assert defaults.pop("encoder") is None
    assert all(isinstance(default, Path) for default in defaults.values())
    return {default.as_posix() for default in defaults.values()}


def leaves(node: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def loaded_sections(stage: str) -> set[str]:
    """Sections of params.yaml that a stage file asks for, by itself or by one value."""
    tree = ast.parse((ROOT / "stages" / f"{stage}.py").read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    asked = [
        node.args[1]
        for node in calls
        if getattr(node.func, "id", "") in ("load_section", "read_value")
    ]
    assert asked
    keys = {name for key in asked for name in strings(key, tree)}
    return {key.split(".")[0] for key in keys}


def strings(key: ast.expr, tree: ast.Module) -> set[str]:
    """The text of an argument; of a comprehension's variable, all that it may be."""
    if isinstance(key, ast.Constant):
        return {key.value}
    assert isinstance(key, ast.Name)
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.comprehension)]
    return {
        value
        for loop in loops
        if getattr(loop.target, "id", "") == key.id
        for value in ast.literal_eval(loop.iter)
    }


def test_every_stage_is_a_command_and_runs_its_file():
    assert set(STAGES) == set(STAGE_NAMES)
    for name, stage in STAGES.items():
        item = f" {ENCODER}" if "matrix" in stage else ""
        assert stage["cmd"] == f"python -m stages.{name}{item}"
        assert stage["desc"]


def test_data_files_of_the_library_are_dependencies_of_a_stage():
    data = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "pipeline").rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    data = {name for name in data if not any(covers(room, name) for room in OF_NO_STAGE)}
    deps = {dep for stage in STAGES for dep in code_deps(stage)}
    assert data
    assert {name for name in data if not any(covers(dep, name) for dep in deps)} == set()


@pytest.mark.parametrize("stage", STAGES)
def test_artifacts_are_the_defaults_of_the_options(stage):
    options = path_options(stage)
    inputs = options & data_deps(stage)
    outputs = options - inputs
    assert data_deps(stage) == inputs, "a stage reads by default what dvc.yaml says"
    for out in written(stage):
        assert any(covers(option, out) for option in outputs), f"no option for {out}"
    for option in outputs:
        assert any(covers(option, out) for out in written(stage)), f"{option} is not in dvc.yaml"


def test_what_a_stage_reads_another_one_writes():
    outs = {out for stage in STAGES for out in written(stage)}
    for stage in STAGES:
        for dep in data_deps(stage):
            assert any(covers(dep, out) for out in outs), f"{stage}: {dep}"


def test_what_tells_of_times_is_read_by_no_stage_and_no_experiment():
    experiments = sorted((ROOT / "experiments").rglob("dvc.yaml"))
    assert experiments
    for path in [ROOT / "dvc.yaml", *experiments]:
        for name, stage in YAML(typ="safe").load(path)["stages"].items():
            for dep in stage.get("deps", []):
                read = dep.replace("${data}", "data")
                assert not covers(read, IMAGE_REPORT.as_posix()), f"{path}: {name}"


def test_no_stage_and_no_experiment_runs_again_for_the_machine():
    for path in [ROOT / "dvc.yaml", *sorted((ROOT / "experiments").rglob("dvc.yaml"))]:
        for name, stage in YAML(typ="safe").load(path)["stages"].items():
            assert "${project}" not in stage.get("deps", []), f"{path}: {name}: its sections alone"
            for tracked in stage.get("params", []):
                for keys in [[tracked]] if isinstance(tracked, str) else tracked.values():
                    assert UNTRACKED.isdisjoint(key.split(".")[0] for key in keys), name


def test_sections_are_the_same_in_params_yaml_in_the_schema_and_in_dvc_yaml():
    tracked = {leaf.split(".")[0] for stage in STAGES.values() for leaf in stage["params"]}
    assert list(PARAMS) == list(SECTIONS)
    assert tracked == set(SECTIONS) - UNTRACKED


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_tracks_the_sections_that_it_loads(stage):
    tracked = {leaf.split(".")[0] for leaf in STAGES[stage]["params"]}
    assert tracked == loaded_sections(stage) - UNTRACKED


def test_every_section_is_loaded_by_a_stage():
    assert set().union(*map(loaded_sections, STAGES)) == set(SECTIONS)


def test_every_parameter_but_one_is_tracked_by_a_stage():
    """The report has every rule that `huse classify` can be told to decide by."""
    tracked = {leaf for stage in STAGES.values() for leaf in expanded(stage["params"])}
    untracked = {
        leaf
        for leaf in leaves(PARAMS)
        if not any(leaf == name or leaf.startswith(f"{name}.") for name in tracked | UNTRACKED)
    }
    assert untracked == {"classify.decide"}
