import subprocess

import pytest
from ruamel.yaml import YAML

from tests.conftest import ROOT
from tests.project import Project

COPIED = (
    *("params.yaml", "decisions.csv", ".gitignore", ".dvcignore"),
    *(".dvc/config", ".dvc/.gitignore", ".dvc/plots/heat_map.json"),
)


@pytest.fixture
def made(tmp_path):
    """A project that `huse init` made."""
    project = Project(tmp_path)
    result = project.huse("init", "shop")
    assert result.exit_code == 0, result.output
    return Project(tmp_path / "shop")


def test_a_project_has_what_the_checkout_has_but_its_code(made):
    for name in COPIED:
        assert (made.root / name).read_bytes() == (ROOT / name).read_bytes(), name
    own, ours = (YAML(typ="safe").load(place / "dvc.yaml") for place in (made.root, ROOT))
    for name, stage in own["stages"].items():
        assert stage["cmd"].startswith(f"huse {name}")
        assert not [dep for dep in stage["deps"] if dep.startswith(("pipeline", "stages"))]
        assert stage["deps"][-1] == "huse_version.txt"
        data = [dep for dep in ours["stages"][name]["deps"] if not dep.startswith(("pip", "stag"))]
        assert stage["deps"][:-1] == data
        for key in ("params", "outs", "metrics", "matrix"):
            assert stage.get(key) == ours["stages"][name].get(key)
    assert {key: own[key] for key in ("plots", "artifacts")} == {
        key: ours[key] for key in ("plots", "artifacts")
    }


def test_dvc_reads_it(made, environment):
    made.succeed("git", "init", "--quiet")
    listed = made.succeed("dvc", "stage", "list", "--name-only").split()
    assert listed[0] == "catalog"
    # DVC's own files are no part of what is committed, and neither is what is made.
    made.succeed("git", "add", "--all")
    assert "data/" not in made.succeed("git", "ls-files")


def test_nothing_is_overwritten_unless_it_is_asked_for(made):
    (made.root / "params.yaml").write_text("mine: 1\n", encoding="utf-8")
    (made.root / "huse_version.txt").write_text("0.0.1\n", encoding="utf-8")
    assert "is there already" in made.refuse("init", ".")
    assert (made.root / "huse_version.txt").read_text(encoding="utf-8") == "0.0.1\n"
    result = made.huse("init", ".", "--update")
    assert result.exit_code == 0, result.output
    assert (made.root / "params.yaml").read_text(encoding="utf-8") == "mine: 1\n"
    assert (made.root / "huse_version.txt").read_text(encoding="utf-8") != "0.0.1\n"
    assert "no project here" in made.refuse("init", "elsewhere", "--update")


def test_every_file_of_a_project_is_in_git():
    listed = (ROOT / "MANIFEST.in").read_text(encoding="utf-8").split()[1:]
    assert all(list(ROOT.glob(pattern)) for pattern in listed)
    tracked = subprocess.run(
        ["git", "ls-files", ".dvc"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = {path.relative_to(ROOT).as_posix() for one in listed for path in ROOT.glob(one)}
    assert set(tracked.stdout.split()) <= found
