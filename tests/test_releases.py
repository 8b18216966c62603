"""A trained model in other projects: by its registered version, or imported."""

import pytest

from huse import Huse
from tests.project import Project

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def registered(finished_project, tmp_path_factory):
    """A project of which a version is registered and assigned; its data can be had elsewhere."""
    place = tmp_path_factory.mktemp("registered")
    project = finished_project.copy(place / "project")
    project.succeed("dvc", "remote", "add", "--quiet", "--default", "store", str(place / "store"))
    project.succeed("git", "commit", "--all", "--quiet", "--message", "A place for the data")
    project.succeed("dvc", "push", "--quiet")
    project.succeed("gto", "register", "huse", "--version", "v1.0.0")
    project.succeed("gto", "assign", "huse", "--version", "v1.0.0", "--stage", "prod")
    return project


@pytest.fixture
def vector(registered):
    """What the registered model makes of a text."""
    return Huse.load(registered.root / "data" / "model").encode_text(["sad cat"])


@pytest.mark.parametrize("which", [(), ("--rev", "v1.0.0"), ("--stage", "prod")])
def test_a_registered_model_is_had_by_its_name(registered, vector, tmp_path, which):
    elsewhere = Project(tmp_path)
    source = str(registered.root)
    elsewhere.succeed("dvc", "artifacts", "get", source, "huse", *which, "-o", "model")
    assert (Huse.load(tmp_path / "model").encode_text(["sad cat"]) == vector).all()


def test_an_imported_model_is_searched_with_its_index(registered, vector, tmp_path):
    elsewhere = Project(tmp_path)
    elsewhere.succeed("git", "init", "--quiet")
    elsewhere.succeed("dvc", "init", "--quiet")
    for name in ("model", "index"):
        command = ("dvc", "import", "--rev", "huse@v1.0.0", str(registered.root), f"data/{name}")
        elsewhere.succeed(*command)
    model = Huse.load(tmp_path / "model")
    assert (model.encode_text(["sad cat"]) == vector).all()
    assert len(model.search(vector, k=3)[0]) == 3
    assert "rev: huse@v1.0.0" in (tmp_path / "model.dvc").read_text(encoding="utf-8")
