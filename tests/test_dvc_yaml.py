"""dvc.yaml says of every stage what it runs, reads and writes: no less, or a change would be
missed, and no more, or a stage would run for nothing.
"""

import ast
import importlib
import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline.encoders import ENCODERS
from pipeline.settings import SECTIONS
from stages.__main__ import STAGES as STAGE_NAMES
from stages.paths import IMAGE_REPORT

ROOT = Path(__file__).parents[1]
STAGES: dict[str, Any] = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
PARAMS: dict[str, Any] = YAML(typ="safe").load(ROOT / "params.yaml")

# They hold the types of options, the places of artifacts (compared below) and the check of the
# whole params.yaml, which can stop a run but not change an artifact. With them goes what only
# they import: the schema of all sections, of which a stage runs its own alone.
EXEMPT = {"stages/command.py", "stages/paths.py"}

# Stages that run once per value of a list in params.yaml: the key that stands for the value, and
# what it may be. The value names the file of an encoder, which is imported by that name.
ENCODER = "${item.encoder}"

# Changes no number, so that no stage is to run again for it.
UNTRACKED = {"machine"}

# Where the user's catalogue is stands in params.yaml, not in the stages' options.
OF_THE_USER = {"${catalog.path}", "${catalog.images}"}


def imported_modules(source: str) -> Iterator[str]:
    """Names of all modules that a file may import, within functions too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            yield node.module
            # `from pipeline.train import loop` imports a module too.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files_of_module(module: str) -> Iterator[str]:
    """The module's own file and the package files that Python runs on the way to it."""
    parts = module.split(".")
    if parts[0] not in ("pipeline", "stages"):
        return
    for end in range(1, len(parts) + 1):
        place = "/".join(parts[:end])
        for name in (f"{place}.py", f"{place}/__init__.py"):
            if (ROOT / name).is_file():
                yield name


def import_closure(start: str) -> set[str]:
    """Files that importing `start` may run; without EXEMPT and empty package files."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in seen or name in EXEMPT:
            continue
        seen.add(name)
        for module in imported_modules((ROOT / name).read_text(encoding="utf-8")):
            waiting.extend(files_of_module(module))
    return {name for name in seen if is_code(name)}


def is_code(name: str) -> bool:
    return bool((ROOT / name).read_text(encoding="utf-8").strip())


def covers(dep: str, name: str) -> bool:
    return name == dep or name.startswith(f"{dep}/")


def starts(stage: str) -> Iterator[str]:
    """Files whose imports a stage runs."""
    yield f"stages/{stage}.py"
    if "matrix" in STAGES[stage]:
        yield from (f"pipeline/text/encoders/{encoder}.py" for encoder in ENCODERS)


def closure_of(stage: str) -> set[str]:
    return set().union(*(import_closure(start) for start in starts(stage)))


def expanded(names: Iterable[str]) -> set[str]:
    """Names with every encoder in place of the template."""
    return {name.replace(ENCODER, encoder) for name in names for encoder in ENCODERS}


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
    """Sections of params.yaml that a stage file asks for."""
    tree = ast.parse((ROOT / "stages" / f"{stage}.py").read_text(encoding="utf-8"))
    return {
        ast.literal_eval(node.args[1])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "load_section"
    }


def test_every_stage_is_a_command_and_runs_its_file():
    assert set(STAGES) == set(STAGE_NAMES)
    for name, stage in STAGES.items():
        item = f" {ENCODER}" if "matrix" in stage else ""
        assert stage["cmd"] == f"python -m stages.{name}{item}"
        assert stage["desc"]


@pytest.mark.parametrize("stage", STAGES)
def test_code_that_a_stage_runs_is_among_its_dependencies(stage):
    missing = {
        name for name in closure_of(stage) if not any(covers(dep, name) for dep in code_deps(stage))
    }
    assert missing == set(), f"add to the deps of {stage}"


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_no_code_that_it_does_not_run(stage):
    closure = closure_of(stage)
    for dep in code_deps(stage):
        folder = ROOT / dep
        files = folder.rglob("*.py") if folder.is_dir() else [folder]
        names = {file.relative_to(ROOT).as_posix() for file in files}
        unused = {name for name in names if is_code(name)} - closure
        assert unused == set(), f"{stage} depends on {dep} but never imports these; name files"


def test_data_files_of_the_library_are_dependencies_of_a_stage():
    data = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "pipeline").rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
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


def test_every_parameter_is_tracked_by_a_stage():
    tracked = {leaf for stage in STAGES.values() for leaf in expanded(stage["params"])}
    untracked = {
        leaf
        for leaf in leaves(PARAMS)
        if not any(leaf == name or leaf.startswith(f"{name}.") for name in tracked | UNTRACKED)
    }
    assert untracked == set()
