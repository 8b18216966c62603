"""Make the folder of a project: what the stages and DVC read beside the catalogue."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.core.counted import counted
from pipeline.core.errors import InputError
from stages.command import run

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = "huse_version.txt"
"""Stands in dvc.yaml for the program, whose code is not in the project."""
CODE = ("stages/", "pipeline/")


def main(
    folder: Annotated[Path, typer.Argument(help="Folder of the project; made if need be.")],
    update: Annotated[
        bool,
        typer.Option(
            "--update", help="After another version of the program: write all but params.yaml anew."
        ),
    ] = False,
) -> None:
    """Make a folder with all that `dvc repro` needs but your catalogue, in git or about to be."""
    from pipeline.core.atomic import atomic_path

    kept = {"params.yaml", "decisions.csv"} if update else set()
    contents = {name: content for name, content in project_files() if name not in kept}
    for name in contents:
        if not update and (folder / name).exists():
            raise InputError(
                f"{folder / name}: is there already; name another folder, or give --update to keep "
                "params.yaml and decisions.csv and write the others anew"
            )
    if update and not (folder / "params.yaml").is_file():
        raise InputError(f"{folder}: no project here; leave out --update")
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(folder / name) as temporary:
            temporary.write_text(content, encoding="utf-8")
    typer.echo(f"init: {counted(len(contents), 'file')} in {folder}")
    if not update:
        typer.echo(
            f"Next: cd {folder} && git init && git add . && git commit -m Start\n"
            "Then: say in params.yaml where your table and pictures are, or huse sample_catalog; "
            "dvc repro"
        )


def project_files() -> Iterator[tuple[str, str]]:
    """Name and content of each file, as the program's version has them."""
    packaged = Path(__file__).with_name("project")
    if packaged.is_dir():  # in a wheel: setup.py puts them there
        source, paths = packaged, [path for path in packaged.rglob("*") if path.is_file()]
    else:
        source = Path(__file__).parents[1]
        patterns = (source / "MANIFEST.in").read_text(encoding="utf-8").split()[1:]
        paths = [path for pattern in patterns for path in source.glob(pattern)]
    for path in sorted(paths):
        name, content = path.relative_to(source).as_posix(), path.read_text(encoding="utf-8")
        yield name, outside_of_the_checkout(content) if name == "dvc.yaml" else content
    yield PROGRAM, f"{version('huse-pipeline')}\n"


def outside_of_the_checkout(dvc_yaml: str) -> str:
    """Write dvc.yaml for a folder without code: stages run the program, and depend on its version.

    Args:
        dvc_yaml: Of the checkout, where a stage depends on the files of its code.
    """
    import io

    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 120
    content = yaml.load(dvc_yaml)
    for stage in content["stages"].values():
        stage["cmd"] = stage["cmd"].replace("python -m stages.", "huse ")
        stage["deps"] = [
            *(dep for dep in stage["deps"] if not dep.startswith(CODE)),
            PROGRAM,
        ]
    content.yaml_set_start_comment(
        "Written by huse init. A stage runs again when its parameters, its data or the program's\n"
        "version change."
    )
    stream = io.StringIO()
    yaml.dump(content, stream)
    return stream.getvalue()


if __name__ == "__main__":
    run(main)
