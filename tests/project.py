"""A folder in which tests run `huse` and `dvc` as a user does."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from ruamel.yaml import YAML
from typer.testing import CliRunner

from stages.__main__ import app


@cache
def _changed(params: str, values: str) -> str:
    """Change leaves of params.yaml, comments kept; many tests change it alike, which takes long."""
    yaml, out = YAML(), StringIO()
    content = yaml.load(params)
    for leaf, value in json.loads(values).items():
        *sections, key = leaf.split(".")
        node = content
        for section in sections:
            node = node[section]
        node[key] = value
    yaml.dump(content, out)
    return out.getvalue()


@dataclass(frozen=True)
class Project:
    """A folder in which `huse` or `dvc` is run: params.yaml, a catalogue, perhaps everything."""

    root: Path

    def set(self, values: Mapping[str, Any]) -> None:
        """Change leaves of params.yaml, named `section.key`."""
        path = self.root / "params.yaml"
        text = path.read_text(encoding="utf-8")
        path.write_text(_changed(text, json.dumps(values)), encoding="utf-8")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment here; output is captured, failure is the caller's."""
        return subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)

    def succeed(self, *command: str) -> str:
        """Run a program here that must succeed; returns its standard output."""
        done = self.run(*command)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def huse(self, *arguments: str) -> Result:
        """Run `huse` here within this process, which spares the import of torch."""
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.root)
            return CliRunner().invoke(app, list(arguments))

    def refuse(self, *arguments: str) -> str:
        """Run `huse` here where it must stop on a user's mistake; returns the message.

        Status 1, no traceback, nothing but `error: ...` lines on standard error.
        """
        result = self.huse(*arguments)
        assert isinstance(result.exception, SystemExit), repr(result.exception)
        assert result.exit_code == 1, result.output
        lines = result.stderr.splitlines()
        assert lines
        assert all(line.startswith("error: ") for line in lines), result.stderr
        return "\n".join(line.removeprefix("error: ") for line in lines)

    def edit(self, name: str) -> None:
        """Put a comment behind a source file; the file that other projects share stays as it is."""
        path = self.root / name
        edited = path.read_bytes() + b"# edited\n"
        path.unlink()
        path.write_bytes(edited)

    def copy(self, root: Path) -> "Project":
        """Copy everything, DVC's cache included; what nobody changes in place is linked."""
        shared = ("pipeline", "stages", ".dvc/cache/files", ".git/objects")
        folders = tuple(f"{self.root / name}{os.sep}" for name in shared)

        def copy(source: str, target: str) -> str:
            if source.startswith(folders):
                os.link(source, target)
                return target
            return str(shutil.copy2(source, target))

        shutil.copytree(self.root, root, symlinks=True, copy_function=copy)
        return Project(root)
