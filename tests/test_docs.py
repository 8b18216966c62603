"""README.md and docs/ say what is so: links lead somewhere, commands and parameters exist, code
runs, and tables name what the pipeline writes.
"""

import json
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import pytest
import typer
from ruamel.yaml import YAML

from pipeline.settings import check_params
from stages.__main__ import COMMANDS, app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMES = [page.name for page in PAGES]
GROUP = typer.main.get_command(app)
OPTIONAL = {"divided", "near_text_in_train", "precision", "zero_shot"}
"""Figures of some catalogues alone."""
LONGEST_README = 120
"""Lines: two screens and a half of text, links included."""


def text_of(name: str) -> str:
    (page,) = (page for page in PAGES if page.name == name)
    return page.read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Fenced code of a language on all pages, and indented code as shell commands."""
    found = [
        block
        for name in NAMES
        for block in re.findall(rf"^```{language}\n(.*?)^```", text_of(name), re.M | re.S)
    ]
    if language == "sh":
        found += [line for name in NAMES for line in re.findall(r"^ {4}(.*)$", text_of(name), re.M)]
    return found


def shell_commands(program: str) -> list[list[str]]:
    """Commands of a program, as argument lists, in code blocks and between backticks."""
    inline = [code for name in NAMES for code in re.findall(r"`([^`\n]+)`", text_of(name))]
    lines = [
        part.strip()
        for block in [*blocks("sh"), *inline]
        for line in block.replace("\\\n", " ").splitlines()
        for part in re.split(r"&&|;|\bdo\b", line)
    ]
    return [shlex.split(line, comments=True) for line in lines if line.startswith(f"{program} ")]


def anchors(page: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_to_files_and_headings(name):
    (page,) = (page for page in PAGES if page.name == name)
    for link in re.findall(r"\]\(([^)\s]+)\)", text_of(name)):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("name", NAMES)
def test_files_of_the_project_that_a_page_names_are_there(name):
    folders = r"(?:pipeline|stages|tests|benchmarks|experiments|docs)/[\w./*-]*"
    shown = set(re.findall(rf"The whole of\n?\s*`({folders})`", text_of(name)))
    for path in set(re.findall(rf"`({folders})`", text_of(name))) - shown:
        assert list(ROOT.glob(path.rstrip("/"))), path


def test_the_readme_is_short():
    assert text_of("README.md").count("\n") <= LONGEST_README


def test_the_citation_is_of_this_version():
    citation = YAML(typ="safe").load(ROOT / "CITATION.cff")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]
    assert f"## {project['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_page_is_linked_from_the_readme():
    linked = set(re.findall(r"\]\((docs/[\w.]+\.md)\)", text_of("README.md")))
    assert linked == {f"docs/{page.name}" for page in PAGES if page.parent.name == "docs"}


def test_yaml_blocks_are_parameters(tmp_path):
    assert blocks("yaml")
    for block in blocks("yaml"):
        params = YAML().load(ROOT / "params.yaml")
        merge(params, YAML().load(block))
        YAML().dump(params, tmp_path / "params.yaml")
        check_params(tmp_path / "params.yaml")


def merge(params, changed):
    for key, value in changed.items():
        if isinstance(value, dict):
            merge(params[key], value)
        else:
            assert key in params, key
            params[key] = value


def test_experiments_set_parameters_that_there_are_to_values_that_are_allowed(tmp_path):
    found = [
        words[place + 1]
        for words in shell_commands("dvc")
        for place, word in enumerate(words)
        if word in ("-S", "--set-param")
    ]
    assert len(found) > 8
    for assignment in found:
        key, _, value = assignment.partition("=")
        *sections, last = key.split(".")
        params = YAML().load(ROOT / "params.yaml")
        node = params
        for section in sections:
            node = node[section]
        assert last in node, key
        # A shell variable stands for any number.
        node[last] = YAML().load(re.sub(r"\$\w+", "1.0", value))
        YAML().dump(params, tmp_path / "params.yaml")
        check_params(tmp_path / "params.yaml")


def test_commands_and_their_options_exist():
    found = shell_commands("huse")
    assert {words[1] for words in found} >= {"search", "classify", "embed", "explore", "export"}
    for _, name, *rest in found:
        assert name.replace("-", "_") in COMMANDS, name
        command = GROUP.get_command(typer.Context(GROUP), name)
        if rest and rest[0] in getattr(command, "commands", {}):
            command = command.commands[rest[0]]
        options = {option for parameter in command.params for option in parameter.opts}
        given = {word for word in rest if word.startswith("--")}
        assert given <= options | {"--help"}, f"huse {name} {rest}"


def test_scripts_that_make_figures_exist():
    modules = {words[2] for words in shell_commands("python") if words[1] == "-m"}
    assert modules
    for module in modules:
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module


def test_python_blocks_run(finished_project, tmp_path, monkeypatch):
    (tmp_path / "data").symlink_to(finished_project.root / "data")
    pictures = finished_project.root / "data" / "raw" / "openmoji" / "images"
    shutil.copy(next(pictures.glob("*.png")), tmp_path / "cat.jpg")
    monkeypatch.chdir(tmp_path)
    ran = [block for block in blocks("python") if "Huse.load" in block]
    assert len(ran) >= 2
    for block in ran:
        scope: dict = {}
        exec(block, scope)
        assert scope["v"].fused_ND.shape == (1, scope["model"].description.dimension)


def test_figures_of_the_readme_are_those_of_the_benchmark():
    lines = (ROOT / "benchmarks/results/catalogs.md").read_text(encoding="utf-8").splitlines()
    results = {cells[0]: cells for cells in map(table_cells, lines) if len(cells) > 5}
    heading, *rows = re.findall(r"^\| .*\|$", text_of("README.md"), re.M)[:8]
    assert table_cells(heading)[:3] == results["catalogue"][:3]
    assert len(rows) == 7
    for row in rows:
        name, *figures = table_cells(row)
        assert figures == [
            results[name][results["catalogue"].index(column)] for column in table_cells(heading)[1:]
        ]


def table_cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_figures_that_the_evaluation_page_explains_are_measured(finished_project):
    folder = finished_project.root / "data" / "evaluate"
    trees = {
        name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("metrics", "details")
    }
    rows = re.findall(r"^\| (details: )?(`[^|]*`)[^|]*\|", text_of("evaluation.md"), re.M)
    found = 0
    for details, names in rows:
        for name in re.findall(r"`([\w.*]+)`", names):
            if "." in name.removesuffix(".*") and name.split(".")[-1] in (
                "html",
                "json",
                "parquet",
            ):
                assert (folder / name).is_file(), name
                continue
            node = trees["details" if details else "metrics"]
            for part in name.split("."):
                if part == "*":
                    node = next(iter(node.values()))
                elif part in OPTIONAL:
                    break
                elif part == "hp_at_10":
                    # Of the first lines; the K depends on the catalogue.
                    assert any(key.startswith("hp_at_") for key in node)
                else:
                    assert part in node, name
                    node = node[part]
            found += 1
    assert found > 12


def test_the_artifacts_of_the_code_page_are_written(finished_project):
    listed = re.findall(r"^(data/\w+/) +(.*)$", text_of("code.md"), re.M)
    assert len(listed) > 8
    for folder, said in listed:
        assert (finished_project.root / folder).is_dir(), folder
        for name in re.findall(r"[\w/]+\.(?:parquet|json|csv|npy|html|safetensors)", said):
            assert (finished_project.root / folder / name).is_file(), folder + name
