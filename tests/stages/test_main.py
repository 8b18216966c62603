import subprocess
import sys
from pathlib import Path

import click
import pytest
import typer
from typer.testing import CliRunner

from stages.__main__ import COMMANDS, app

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
